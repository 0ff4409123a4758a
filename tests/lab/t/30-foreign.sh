#!/bin/bash
# What others made stays: seen, listed, never touched; and a director in a mess is a start like any other.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

others() {
  in_ dir1 ipvsadm -Sn | grep -E '10\.9\.9\.9'
  ip -n dir1 -o -4 addr show | grep -oE '10\.7\.7\.7/32'; ip -n dir1 route show | grep -E '^10\.8\.0\.0'
  in_ dir1 nft list table inet theirs; in_ dir1 cat /etc/modules-load.d/theirs.conf
}

modprobe ip_vs
howto_cluster
give dir1 "$examples/howto.json"
ip -n dir1 -batch - <<'B'
link set eth0 up
link set eth1 up
addr add 172.16.0.1/16 dev eth1
addr add 10.7.7.7/32 dev eth1
addr add 172.16.99.99/32 dev eth1
route add 10.8.0.0/16 via 172.16.0.21
B
in_ dir1 sysctl -qw net.ipv4.ip_forward=1
in_ dir1 ipvsadm -A -t 10.9.9.9:99 -s rr; in_ dir1 ipvsadm -a -t 10.9.9.9:99 -r 172.16.0.21:99 -m -w 7
in_ dir1 nft 'add table inet theirs; add chain inet theirs c; add rule inet theirs c counter accept'
in_ dir1 sh -c 'mkdir -p /etc/modules-load.d; echo dummy >/etc/modules-load.d/theirs.conf'
before=$(others)

check_run 'apply succeeds beside foreign objects' lvs dir1 apply --yes
check 'they are as they were' "$(others)" "$before"
check 'http is served by both' "$(who 192.168.155.50 12)" 'rs1 rs2'
status=$(lvs dir1 status)
check_has 'status lists the foreign service' "$status" '10\.9\.9\.9:99'
check_has 'status lists the foreign address' "$status" '10\.7\.7\.7'
check_has 'status lists the foreign route' "$status" '10\.8\.0\.0/16'
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode

# The same key, another value: whose is it? Refused, until somebody says.
in_ dir1 "$LVS" destroy --yes >/dev/null 2>&1 </dev/null
check 'destroy leaves them' "$(others)" "$before"
check_has 'and the equal address that was there before' "$(ip -n dir1 -o addr)" '172\.16\.0\.1/16'
in_ dir1 ipvsadm -A -t 192.168.155.50:80 -s rr
lvs dir1 apply --yes >$LAB/said 2>&1; rc=$?
check 'a service of another with our key is a conflict' $rc 6
check_has 'and the message names the way out' "$(cat $LAB/said)" 'adopt'
check 'it is as it was' "$(in_ dir1 ipvsadm -Sn | grep 155.50)" '-A -t 192.168.155.50:80 -s rr'
check 'they are too' "$(others)" "$before"
in_ dir1 ipvsadm -D -t 192.168.155.50:80

# --- a mess: half of it done by hand, wrongly, some of it left over ---
in_ dir1 sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
in_ dir1 ipvsadm -A -t 192.168.155.50:8080 -s sed
in_ dir1 nft 'add table ip nat; add chain ip nat POSTROUTING { type nat hook postrouting priority 100; }'
ip -n dir1 route add default via 172.16.0.22 metric 500
in_ dir1 sh -c 'echo garbage >/kickstart/rs9.cfg; echo "10.1.1.1 elsewhere" >>/etc/hosts'
check_run 'apply succeeds on a mess' lvs dir1 apply --yes
check_exit 'the plan after it is empty' 0 lvs dir1 plan --detailed-exitcode
check 'http is served by both' "$(who 192.168.155.50 12)" 'rs1 rs2'
check_has 'the mess is still somebody else'"'"'s' "$(in_ dir1 cat /etc/hosts; in_ dir1 ipvsadm -Sn)" '10.1.1.1 elsewhere'
fresh
