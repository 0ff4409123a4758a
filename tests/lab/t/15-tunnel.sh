#!/bin/bash
# Tunnels: real servers in other networks, behind a router that is also the client.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

site() {   # NAME ADDRESS ROUTER-ADDRESS ROUTER-INTERFACE
  box "$1"; cable "$1" eth0 client "$4"
  ip -n client addr add "$3/24" dev "$4"; ip -n client link set "$4" up
  ip -n "$1" addr add "$2/24" dev eth0; ip -n "$1" link set eth0 up; ip -n "$1" route add default via "$3"
  ip -n "$1" link set tunl0 up
  in_ "$1" sh -c 'echo 0 >/proc/sys/net/ipv4/conf/tunl0/rp_filter'
  hold_vip "$1" 192.0.2.80/32 tunl0
  http "$1" 80
}

modprobe -a ip_vs ipip
fresh
box client; machine dir1
cable client eth0 dir1 eth0
ip -n client addr add 192.0.2.1/24 dev eth0; ip -n client link set eth0 up
in_ client sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
site near1 198.51.100.11 198.51.100.1 eth1
site far1 203.0.113.11 203.0.113.1 eth2
give dir1 "$examples/tunnel.json"
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
check 'requests travel through the tunnels 30:10' "$(hits 192.0.2.80 40)" 'far1=10 near1=30'
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode
fresh
