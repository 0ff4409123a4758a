#!/bin/bash
# Direct routing, IPv4 and IPv6 from one service: the real servers answer the client themselves.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

modprobe ip_vs
lan_cluster
for rs in rs1 rs2; do hold_vip $rs 192.0.2.80/32; hold_vip $rs 2001:db8:0:2::80/128; done
give dir1 "$examples/direct-routing.json"
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
check 'IPv4 is balanced 30:10' "$(hits 192.0.2.80 40)" 'rs1=30 rs2=10'
check 'IPv6 is balanced 30:10' "$(hits 2001:db8:0:2::80 40)" 'rs1=30 rs2=10'
check_not 'the IPv6 VIP is past its duplicate detection' "$(ip -n dir1 -6 -o addr show eth0)" '::80/128.*tentative'
check 'the client was told where the VIP is' "$(ip -n client neigh show 192.0.2.80 | grep -o 'lladdr [^ ]*')" \
  "lladdr $(ip -n dir1 -o link show eth0 | grep -o 'ether [^ ]*' | cut -d' ' -f2)"
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode
fresh

# Somebody else already has the VIP: an answer to the ARP probe stops the run before traffic is stolen.
lan_cluster
ip -n client addr add 192.0.2.80/32 dev eth0
give dir1 "$examples/direct-routing.json"
before=$(machine_state dir1)
lvs dir1 apply --yes >$LAB/said 2>&1; rc=$?
check_has 'a VIP that another machine has is refused or undone' "$rc" '^[36]$'
check_has 'and the message names it' "$(cat $LAB/said)" '192\.0\.2\.80'
check_not 'the VIP was not set' "$(ip -n dir1 -o addr)" '192\.0\.2\.80/'
check 'nothing is left behind' "$(machine_state dir1)" "$before"
fresh
