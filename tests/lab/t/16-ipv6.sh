#!/bin/bash
# LVS-NAT over IPv6 only.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

modprobe ip_vs
fresh
box client; machine dir1; box rs1; box rs2
cable client eth0 dir1 eth0
switch inside dir1:eth1 rs1 rs2
ip -n client addr add 2001:db8:0:1::1/64 dev eth0 nodad; ip -n client link set eth0 up
for rs in rs1:11 rs2:12; do
  ip -n ${rs%:*} addr add fd00:2::${rs#*:}/64 dev eth0 nodad; ip -n ${rs%:*} link set eth0 up
  ip -n ${rs%:*} -6 route add default via fd00:2::1; http ${rs%:*} '[::]:80'
done
give dir1 "$examples/ipv6.json"
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
check 'IPv6 is balanced 30:10' "$(hits 2001:db8:0:1::80 40)" 'rs1=30 rs2=10'
check 'forwarding is on' "$(in_ dir1 cat /proc/sys/net/ipv6/conf/all/forwarding)" 1
check_not 'no address is tentative' "$(ip -n dir1 -6 -o addr show scope global)" tentative
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode
fresh
