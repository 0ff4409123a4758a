#!/bin/bash
# The packaged units, as a package would install them, on a machine where systemd starts them.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../guest.sh"
vip=192.0.2.10
unit_is() { [ "$(inside systemctl is-active "$1")" = "$2" ]; }
has() { local pattern=$1; shift; "$@" 2>/dev/null | grep -qE -- "$pattern"; }
# What is there when the director is as the minimal document says.
service_there() { has "^-a -t $vip:80 -r 10.0.0.12:80 -m -w 1\$" inside ipvsadm -Sn; }
answers() { has '^rs' inside "op bash -c 'exec 3<>/dev/tcp/$vip/80; printf \"GET / HTTP/1.0\r\n\r\n\" >&3; cat <&3'"; }
main_pid() { inside systemctl show -P MainPID lvs-reconcile; }
another_pid() { case $(main_pid) in 0|"$main") return 1;; esac; }
journal() { inside journalctl -b --no-pager -o cat -u "$1" | tail -25 | sed 's/^/    | /'; }

guest_up || exit
check_run 'the package installs' guest_install
check_run 'the program runs' inside lvs-reconcile --version
echo "# $(inside lvs-reconcile --version)"
check_run 'the document is right' inside lvs-reconcile validate /run/lab/repo/examples/minimal.json
verified=$(inside 'systemd-analyze verify lvs-reconcile.service lvs-reconcile-boot.service' 2>&1 | grep -v 'man:.*failed\|Command .man')
check 'systemd finds nothing to say about the units' "$verified" ''
exposure=$(inside systemd-analyze security --no-pager lvs-reconcile.service | tail -1)
echo "# ${exposure#* }"
check_has 'the watch unit is not exposed' "$exposure" ': [0-2]\.[0-9] OK'
check_run 'both are enabled' inside systemctl -q enable lvs-reconcile-boot lvs-reconcile

# --- a machine to which nothing was ever applied ---
check_run 'the boot unit starts' inside systemctl start lvs-reconcile-boot
check 'and does nothing' "$(inside systemctl show -P ConditionResult lvs-reconcile-boot)$(inside ipvsadm -Sn)" no

# --- watch, as the first thing that ever ran ---
inside install -m 644 /run/lab/repo/examples/minimal.json /etc/lvs-reconcile/cluster.json
began=$SECONDS
check_run 'the watch unit starts, and is ready' inside systemctl start lvs-reconcile
echo "# after $((SECONDS - began)) s"
if until_ 30 service_there; then ok 'it brings up a director where nothing was ever applied'
else
  bad 'it brings up a director where nothing was ever applied'; journal lvs-reconcile
  check 'a document that failed is not kept as the last good one' "$(inside 'ls /var/lib/lvs-reconcile/last-good.json 2>/dev/null')" ''
  inside 'systemctl stop lvs-reconcile; lvs-reconcile apply --yes; systemctl start lvs-reconcile'
fi
check_until 'it is active' 5 unit_is lvs-reconcile active
check_until 'the director is as the document says' 10 service_there
check_until 'a request is answered' 10 answers

# --- drift, and a new document ---
inside ipvsadm -D -t $vip:80
began=$SECONDS
check_until 'a deleted service comes back' 60 service_there
echo "# after $((SECONDS - began)) s"
inside ip addr del $vip/32 dev eth0
check_until 'a deleted address comes back' 60 has "$vip/32" inside ip -o addr show dev eth0
check_until 'a request is answered again' 10 answers
jq '.services[0].scheduler = "sh"' "$guest_repo/examples/minimal.json" >"$guest_mail/sh.json"
inside install -m 644 /run/lab/mail/sh.json /etc/lvs-reconcile/cluster.json
check_until 'a scheduler that was never used before is taken up' 30 has "^-A -t $vip:80 -s sh" inside ipvsadm -Sn
has ' -s sh' inside ipvsadm -Sn || { journal lvs-reconcile; inside lvs-reconcile apply --yes >/dev/null; }
main=$(main_pid)
inside kill -9 "$main"
check_until 'killed, it is started again' 30 another_pid
check_until 'and active' 60 unit_is lvs-reconcile active
check_run 'it stops' inside systemctl stop lvs-reconcile
check_run 'and leaves everything as it is' service_there
check 'the plan is empty' "$(inside 'lvs-reconcile plan --detailed-exitcode >/dev/null; echo $?')" 0
check_run 'it starts again' inside systemctl start lvs-reconcile

# --- reset: the boot unit alone, then both ---
inside 'systemctl -q disable lvs-reconcile; sync'
guest_reset || exit
check 'after a reset the boot ends' "$(booted)" running
check 'the boot unit has run' "$(inside systemctl is-active lvs-reconcile-boot; inside systemctl show -P Result,NRestarts lvs-reconcile-boot)" 'active
success
0'
check 'the watch unit has not' "$(inside systemctl is-active lvs-reconcile)" inactive
check_run 'the director is back' service_there
check_run 'and answers' answers
journal lvs-reconcile-boot
inside 'systemctl -q enable lvs-reconcile; sync'
guest_reset || exit
check 'after another one too' "$(booted)" running
check_run 'the watch unit runs' unit_is lvs-reconcile active
check_run 'and the director answers' answers
inside ipvsadm -D -t $vip:80
check_until 'drift is corrected' 60 service_there
check_not 'watch complains of nothing' "$(inside journalctl -b --no-pager -o cat -u lvs-reconcile)" 'Permission|not permitted|denied|[Ff]ail'
journal lvs-reconcile

# --- a network card that appears half a minute after the boot has begun ---
cat >"$guest_mail/late.conf" <<'U'
[Service]
ExecStartPost=/bin/bash -c 'ip link del eth1; (sleep 30; ip link add eth1 type veth peer name eth0 netns rs; \
  ip -n rs addr add 10.0.0.11/24 dev eth0; ip -n rs addr add 10.0.0.12/24 dev eth0; ip -n rs link set eth0 up; \
  ip -n rs route add default via 10.0.0.1) & true'
U
inside 'mkdir /etc/systemd/system/lab-links.service.d; cp /run/lab/mail/late.conf /etc/systemd/system/lab-links.service.d/; sync'
guest_reset || exit
check_until 'with a late network card the director comes up' 120 service_there
check_until 'and answers' 30 answers
check_until 'the boot unit is content' 30 unit_is lvs-reconcile-boot active
echo "# after $(inside systemctl show -P NRestarts lvs-reconcile-boot) attempts that failed"
check_until 'the watch unit runs' 30 unit_is lvs-reconcile active
inside ipvsadm -D -t $vip:80
check_until 'and still corrects' 60 service_there
service_there || { journal lvs-reconcile-boot; journal lvs-reconcile; }
guest_down
