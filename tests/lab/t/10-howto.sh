#!/bin/bash
# The HOW-TO end to end: from a bare director to balanced traffic, and back.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"
web=192.168.155.50

modprobe ip_vs
howto_cluster
give dir1 "$examples/howto.json"
bare=$(machine_state dir1)

# --- plan ---
plan=$(lvs dir1 plan); check 'plan succeeds on a bare director' $? 0
for line in 'nftables +inet lvs_reconcile' 'sysctl +net.ipv4.ip_forward +0 → 1' 'link +eth1 +down → up' \
  'address +eth1 172.16.0.1/16' 'route +default +via 192.168.153.1' 'service +tcp 192.168.155.50:80' \
  'destination tcp 192.168.155.50:80 +→ 172.16.0.21:80 .*weight 3' 'address +eth0 192.168.155.50/32' \
  'file +/etc/dhcp/dhcpd.conf' 'file +/kickstart/rs1.cfg' 'unit +isc-dhcp-server'; do
  check_has "the plan names ${line//+/}" "$plan" "$line"
done
check_exit 'plan --detailed-exitcode says 2 when there are changes' 2 lvs dir1 plan --detailed-exitcode
check 'plan changes nothing' "$(machine_state dir1)" "$bare"

# --- apply ---
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
for module in ip_vs ip_vs_wlc nf_conntrack_ftp nf_nat_ftp; do check_has "module $module is loaded" "$(cat /proc/modules)" "^$module "; done
check 'http is balanced 30:10' "$(hits $web 40)" 'rs1=30 rs2=10'
check 'ssh is balanced 1:1' "$(hits $web 6 22)" 'rs1=3 rs2=3'
check 'the IPVS table' "$(in_ dir1 ipvsadm -Sn | sort)" '-A -t 192.168.155.50:22 -s wlc
-A -t 192.168.155.50:80 -s wlc
-a -t 192.168.155.50:22 -r 172.16.0.21:22 -m -w 1
-a -t 192.168.155.50:22 -r 172.16.0.22:22 -m -w 1
-a -t 192.168.155.50:80 -r 172.16.0.21:80 -m -w 3
-a -t 192.168.155.50:80 -r 172.16.0.22:80 -m -w 1'
check_has 'the VIP is a /32 with its label' "$(ip -n dir1 -o -4 addr show eth0)" '192.168.155.50/32 .*eth0:50'
check 'dynamic addresses are allowed' "$(in_ dir1 cat /proc/sys/net/ipv4/ip_dynaddr)" 1
state=$(machine_state dir1)

# --- again ---
check_exit 'plan --detailed-exitcode says 0 after it' 0 lvs dir1 plan --detailed-exitcode
again=$(witness dir1 "$LVS" apply --yes)
check_has 'a second apply writes nothing, neither netlink nor files' "$again" '^reads=[1-9][0-9]* writes=0 exit=0$'
figure "P6 lab: the second apply of the HOW-TO: ${again% exit*}"
check 'and the director is as it was' "$(machine_state dir1)" "$state"

# --- packets ---
http client 8080; http client 139; http rs2 137 out
check 'inside reaches outside through the masquerade' "$(hits 192.168.153.1 1 8080 rs1)" 'client=1'
check 'NETBIOS from inside is dropped' "$(hits 192.168.153.1 1 139 rs1)" 'NONE=1'
ip -n client route add 172.16.0.0/16 via 192.168.155.12
check 'NETBIOS from outside is dropped' "$(hits 172.16.0.22 1 137)" 'NONE=1'
check 'outside does not reach inside past the services' "$(hits 172.16.0.22 1 80)" 'NONE=1'
background client python3 -IS "$lab_tests/ftp_server.py"; ftp=$background
until_ 20 in_ client bash -c 'exec 3<>/dev/tcp/127.0.0.1/21'
check 'FTP, active and passive, through the masquerade' "$(in_ rs1 python3 -I "$lab_tests/ftp_get.py" 192.168.153.1)" 'active: payload of file
passive: payload of file'
kill $ftp

# --- files and daemons ---
dhcpd=$(in_ dir1 cat /etc/dhcp/dhcpd.conf)
check_has 'dhcpd.conf: subnet' "$dhcpd" 'subnet 172\.16\.0\.0 netmask 255\.255\.0\.0'
check_has 'dhcpd.conf: the pool is split around the reservations' "$dhcpd" 'range 172\.16\.0\.10 172\.16\.0\.20;'
check_has 'dhcpd.conf: and goes on behind them' "$dhcpd" 'range 172\.16\.0\.23 172\.16\.0\.254;'
check_has 'dhcpd.conf: reservation of rs2' "$dhcpd" '00:a0:24:c5:e7:de'
check_run 'dhcpd.conf is one dhcpd accepts' in_ dir1 dhcpd -t -q -cf /etc/dhcp/dhcpd.conf
check_run 'dhcpd runs' in_ dir1 service isc-dhcp-server status
check_has 'on the inside interface' "$(ps ax -o args)" '[d]hcpd .*eth1'
printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip/$mask $hostname $router"\n' >$LAB/lease; chmod +x $LAB/lease
check 'rs1 gets its address by its MAC' "$(in_ rs1 busybox udhcpc -i eth0 -n -q -f -t 8 -T 1 -s $LAB/lease 2>/dev/null)" '172.16.0.21/16 rs1 172.16.0.1'
check_has 'exports in effect: /kickstart' "$(in_ dir1 exportfs -v)" '^/kickstart.*172\.16\.0\.0/16.*\bro\b.*root_squash'
check_has 'exports in effect: /opt/lvs_software' "$(in_ dir1 exportfs -v | tr -d '\n')" '/opt/lvs_software[^/]*172\.16\.0\.0/16.*\bro\b'
modprobe -a nfsv3; mkdir -p $LAB/nfs
# nfs_reads NAME ADDRESS FILE: the first line of a file of /kickstart
nfs_reads() {
  in_ "$1" sh -c "timeout 60 mount -t nfs -o vers=3,nolock,soft,timeo=30,retrans=1 $2:/kickstart $LAB/nfs && head -n 1 $LAB/nfs/$3" 2>&1
}
check 'rs1 mounts /kickstart and reads its file' "$(nfs_reads rs1 172.16.0.1 rs1.cfg)" '# written by lvs-reconcile'
check_has 'a client outside may not mount it' "$(nfs_reads client 192.168.155.12 rs1.cfg)" 'access denied by server'
check_has 'hosts lines' "$(in_ dir1 cat /etc/hosts)" '^172\.16\.0\.21[[:space:]].*\brs1\b'
check_has 'the old lines of /etc/hosts are still there' "$(in_ dir1 cat /etc/hosts)" 'localhost'
validate=$LVS_LAB_DIR/venv/bin/ksvalidator
check 'kickstart: both names, same content' "$(in_ dir1 cmp /kickstart/rs1.cfg /kickstart/172.16.0.21-kickstart && echo same)" same
check_run 'kickstart: accepted by ksvalidator' in_ dir1 "$validate" -v RHEL9 /kickstart/rs1.cfg
check_has 'modules are loaded at boot' "$(in_ dir1 cat /etc/modules-load.d/lvs-reconcile.conf)" '^nf_nat_ftp$'
check_has 'sysctls are set at boot' "$(in_ dir1 cat /etc/sysctl.d/60-lvs-reconcile.conf)" '^net.ipv4.ip_forward *= *1$'
check_not 'no output shows the password' "$plan$(lvs dir1 apply --yes; lvs dir1 status)" 'labsalt'

# --- drift, as plan and status see it ---
in_ dir1 ipvsadm -e -t $web:80 -r 172.16.0.21:80 -m -w 9
check_exit 'plan --detailed-exitcode says 2 after drift' 2 lvs dir1 plan --detailed-exitcode
check_has 'the plan says what drifted' "$(lvs dir1 plan)" 'destination tcp 192.168.155.50:80 +→ 172.16.0.21:80 .*weight 9 → 3'
check_has 'status calls it drift' "$(lvs dir1 status)" '1 drifting'
check_run 'apply puts it back' lvs dir1 apply --yes
check_exit 'the plan is empty again' 0 lvs dir1 plan --detailed-exitcode

# --- one more machine is one entry ---
jq '.realServers += [{name: "rs3", address: "172.16.0.23", mac: "02:00:00:00:00:33"}]' "$examples/howto.json" >$LAB/rs3.json
give dir1 $LAB/rs3.json
plan=$(lvs dir1 plan)
for line in 'destination tcp 192.168.155.50:22 +→ 172.16.0.23:22' 'destination tcp 192.168.155.50:80 +→ 172.16.0.23:80' \
  'file +/etc/hosts' 'file +/kickstart/rs3.cfg' 'file +/etc/dhcp/dhcpd.conf' 'unit +isc-dhcp-server +restart'; do
  check_has "adding rs3: ${line//+/}" "$plan" "$line"
done
check_not 'adding rs3 touches no other destination' "$plan" '→ 172\.16\.0\.2[12]:'
give dir1 "$examples/howto.json"

# --- destroy ---
check_run 'destroy succeeds' lvs dir1 destroy --yes
check 'destroy leaves the director as it was' "$(machine_state dir1 | grep -v '^/opt')" "$(grep -v '^/opt' <<<"$bare")"
check_not 'dhcpd has stopped' "$(ps ax -o args)" '^/usr/sbin/dhcpd'
fresh
