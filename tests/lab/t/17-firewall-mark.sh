#!/bin/bash
# One service over two ports by a firewall mark: a client stays with its real server on both.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

modprobe ip_vs
minimal_cluster
for rs in rs1 rs2; do http $rs 443; done
give dir1 "$examples/firewall-mark.json"
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
check 'the service' "$(in_ dir1 ipvsadm -Sn | sort)" '-A -f 7 -s rr -p 120
-a -f 7 -r 10.0.0.11:0 -m -w 1
-a -f 7 -r 10.0.0.12:0 -m -w 1'
first=$(hits 192.0.2.10 3)
check_has 'a client stays with one real server' "$first" '^rs[12]=3$'
check 'on the other port too' "$(hits 192.0.2.10 3 443)" "$first"
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode
check_run 'destroy succeeds' lvs dir1 destroy --yes
check 'nothing is left of it' "$(in_ dir1 nft list tables; in_ dir1 ipvsadm -Sn)" ''
fresh
