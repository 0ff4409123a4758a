#!/bin/bash
# The advanced document on lb1: a vlan on a bond, addresses of others, every way of saying a service.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

# A machine on the trunk: its own vlan interface, named after the vlan's number.
on_vlan() {   # NAME VLAN ADDRESS/PREFIX [GATEWAY]
  ip -n "$1" link set eth0 up; ip -n "$1" link add link eth0 name "v$2" type vlan id "$2"
  ip -n "$1" addr add "$3" dev "v$2"; ip -n "$1" link set "v$2" up
  [ -z "${4:-}" ] || ip -n "$1" route add default via "$4"
}

modprobe -a ip_vs 8021q bonding
fresh
box client; machine lb1; box rs1; box rs2; box rs3
switch trunk client lb1:eno1 lb1:eno2 rs1 rs2 rs3
on_vlan client 100 203.0.113.1/24
on_vlan rs1 200 10.0.1.1/16 10.0.0.1; on_vlan rs2 200 10.0.1.2/16 10.0.0.1; on_vlan rs3 200 10.0.1.3/16 10.0.0.1
http rs1 9443; http rs2 9443
give lb1 "$examples/advanced.json"

offline_agrees lb1 'before'
check_run 'apply succeeds' lvs lb1 apply --yes
offline_agrees lb1 'after'
check_exit 'the second plan is empty' 0 lvs lb1 plan --detailed-exitcode
check_has 'the bond' "$(ip -n lb1 -d link show bond0)" 'bond mode 802\.3ad'
check 'its members and their MTU' "$(ip -n lb1 -o link show master bond0 | sed -E 's/^[0-9]+: ([a-z0-9]+)@.* mtu ([0-9]+) .*/\1 \2/')" 'eno1 9000
eno2 9000'
check_has 'the vlan on it' "$(ip -n lb1 -d -o link show bond0.100)" 'mtu 1500 .*vlan protocol 802.1Q id 100'
check_has 'the route in its own table' "$(ip -n lb1 route show table 100)" '198\.51\.100\.0/24 via 10\.0\.0\.254 .*metric 50'
check_has 'the IPv6 default route' "$(ip -n lb1 -6 route show default)" 'via 2001:db8:0:1::1'
check_not 'addresses of others are not set' "$(ip -n lb1 -o addr)" '203\.0\.113\.(80|53)/|10\.0\.0\.1/'
table=$(in_ lb1 ipvsadm -Sn)
for line in '-A -t \[2001:db8:0:1::80\]:443 -s wrr -p 600 -M 64' '-A -t 203.0.113.80:443 -s mh -b mh-(fallback,mh-port|port,mh-fallback)' \
  '-a -t 203.0.113.80:443 -r 198.51.100.7:443 -i -w 1 --tun-type gue --tun-port 6080' \
  '-a -t 203.0.113.80:8443 -r 10.0.1.2:9443 -m -w 1' '-A -u 203.0.113.53:53 -s rr' '-A -u 203.0.113.99:16393 -s wlc' \
  '-A -f 7 -s wlc -p 300' '-A -u 203.0.113.53:5060 -s wlc -p 300 --pe sip -o|-A -u 203.0.113.53:5060 -s wlc -o -p 300 --pe sip'; do
  check_has "IPVS has ${line%%|*}" "$table" "^(${line})( |$)"
done
check 'timeouts' "$(in_ lb1 ipvsadm -L --timeout)" 'Timeout (tcp tcpfin udp): 900 60 30'

# What VRRP would do on the active director.
ip -n lb1 addr add 10.0.0.1/16 dev bond0.200; ip -n lb1 addr add 203.0.113.80/32 dev bond0.100
check_exit 'addresses of others, when present, are no change either' 0 lvs lb1 plan --detailed-exitcode
check 'a service with its own port at the real servers works over bond and vlan' "$(hits 203.0.113.80 8 8443)" 'rs1=6 rs2=2'
check_run 'apply leaves them' lvs lb1 apply --yes
check_has 'as they were' "$(ip -n lb1 -o addr)" '203\.0\.113\.80/32'
check_run 'destroy succeeds' lvs lb1 destroy --yes
check_has 'the address of another survives destroy, or its interface does not' "$(ip -n lb1 -o addr; ip -n lb1 link show bond0.100 2>&1)" '203\.0\.113\.80/32|does not exist'
fresh
