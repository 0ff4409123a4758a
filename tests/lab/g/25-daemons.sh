#!/bin/bash
# The sandbox of the watch unit lets it do the rest of its work: packet filter, files, daemons of the system.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../guest.sh"
unit_is() { [ "$(inside systemctl is-active "$1")" = "$2" ]; }
has() { local pattern=$1; shift; "$@" 2>/dev/null | grep -qE -- "$pattern"; }
journal() { inside journalctl -b --no-pager -o cat -u "$1" | tail -25 | sed 's/^/    | /'; }
leases() { inside "ip netns exec rs busybox udhcpc -i eth0 -n -q -f -t 5 -s /bin/true" 2>&1; }

guest_up || exit
guest_install
jq '. + { domain: "example.com", firewall: { forwardPolicy: "drop", masquerade: true }, netboot: { dhcp: { first: "10.0.0.100", last: "10.0.0.200" } } } |
    .realServers[0].mac = "02:00:00:00:00:11"' "$guest_repo/examples/minimal.json" >"$guest_mail/cluster.json"
inside install -m 644 /run/lab/mail/cluster.json /etc/lvs-reconcile/cluster.json
check_run 'apply succeeds' inside lvs-reconcile apply --yes
check_run 'dhcpd runs' unit_is isc-dhcp-server active
check_run 'the units start' inside systemctl enable --now lvs-reconcile-boot lvs-reconcile
check_run 'watch is active' unit_is lvs-reconcile active

inside 'systemctl stop isc-dhcp-server; nft flush table inet lvs_reconcile; sed -i /rs1/d /etc/hosts; echo "# by hand" >>/etc/dhcp/dhcpd.conf; echo 0 >/proc/sys/net/ipv4/ip_forward'
check_until 'a stopped daemon is back' 60 unit_is isc-dhcp-server active
check_until 'a flushed table is back' 20 has masquerade inside nft list table inet lvs_reconcile
check_until 'forwarding is back' 20 has 1 inside cat /proc/sys/net/ipv4/ip_forward
check_until 'a file is as it was' 20 inside '! grep -q "by hand" /etc/dhcp/dhcpd.conf'
check_until 'the plan is empty' 20 inside 'lvs-reconcile plan --detailed-exitcode'
check_has 'a real server gets an address' "$(leases)" 'lease of 10\.0\.0\.1[0-9][0-9] obtained'
check_not 'nothing was refused to it' "$(inside journalctl -b --no-pager -o cat -u lvs-reconcile)" 'Permission|not permitted|denied|[Ff]ail'
journal lvs-reconcile

inside sync
guest_reset || exit
check 'after a reset the boot ends' "$(booted)" running
echo "# $(inside systemd-analyze time | head -1)"
check_run 'the boot unit is content' unit_is lvs-reconcile-boot active
check_run 'dhcpd runs' unit_is isc-dhcp-server active
check_has 'and gives addresses' "$(leases)" 'lease of 10\.0\.0\.1[0-9][0-9] obtained'
check_until 'the plan is empty' 20 inside 'lvs-reconcile plan --detailed-exitcode'
journal lvs-reconcile-boot
guest_down
