#!/bin/bash
# watch: puts back what somebody changed, follows the document, keeps the last good one, changes nothing when it ends.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"
vip=192.168.155.50
document=/etc/lvs-reconcile/cluster.json

plan_is_empty() { [ "$(lvs dir1 plan --detailed-exitcode >/dev/null 2>&1; echo $?)" = 0 ]; }
has() { local pattern=$1; shift; "$@" 2>/dev/null | grep -qE -- "$pattern"; }
weight_is() { has "172.16.0.21:80 -m -w $1\$" in_ dir1 ipvsadm -Sn; }
alive() { kill -0 "$1" 2>/dev/null; }

modprobe ip_vs
howto_cluster
give dir1 "$examples/howto.json"
background dir1 "$LVS" watch >$LAB/watch.log 2>&1; watch=$background
check_until 'watch brings a bare director up' 90 plan_is_empty
check 'http is balanced' "$(hits $vip 8)" 'rs1=6 rs2=2'

# --- one drift of each kind, all at once ---
dhcpd_conf=$(in_ dir1 cat /etc/dhcp/dhcpd.conf)
in_ dir1 ipvsadm -d -t $vip:22 -r 172.16.0.22:22
in_ dir1 ipvsadm -e -t $vip:80 -r 172.16.0.21:80 -m -w 9
in_ dir1 ipvsadm -d -t $vip:80 -r 172.16.0.22:80
in_ dir1 ipvsadm -E -t $vip:22 -s rr
ip -n dir1 addr del $vip/32 dev eth0
ip -n dir1 route del default
in_ dir1 nft flush table inet lvs_reconcile
in_ dir1 sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
in_ dir1 sh -c 'echo "# by hand" >>/etc/dhcp/dhcpd.conf; rm /kickstart/rs2.cfg; sed -i /rs1/d /etc/hosts'
in_ dir1 service isc-dhcp-server stop >/dev/null 2>&1
check_until 'a removed destination is back' 60 has '22 -r 172.16.0.22:22 -m -w 1$' in_ dir1 ipvsadm -Sn
check_until 'a changed weight is back' 10 weight_is 3
check_until 'the other destination is back' 10 has '80 -r 172.16.0.22:80 -m -w 1$' in_ dir1 ipvsadm -Sn
check_until 'a changed scheduler is back' 10 has '22 -s wlc$' in_ dir1 ipvsadm -Sn
check_until 'a deleted VIP is back' 10 has "$vip/32" ip -n dir1 -o addr
check_until 'a deleted route is back' 10 has 'via 192.168.153.1' ip -n dir1 route
check_until 'a flushed nftables table is back' 10 has masquerade in_ dir1 nft list table inet lvs_reconcile
check_until 'forwarding is back' 10 has 1 in_ dir1 cat /proc/sys/net/ipv4/ip_forward
check_until 'a stopped daemon is back' 20 in_ dir1 service isc-dhcp-server status
check_until 'nothing else is missing' 30 plan_is_empty
check 'an edited file is back' "$(in_ dir1 cat /etc/dhcp/dhcpd.conf)" "$dhcpd_conf"
check_has 'a removed file is back' "$(in_ dir1 ls /kickstart)" '^rs2.cfg$'
check_has 'a removed line is back' "$(in_ dir1 cat /etc/hosts)" 'rs1'
in_ dir1 ip link set eth1 down
check_until 'a link set down is up again' 30 has 'eth1@.*[<,]UP[,>]' ip -n dir1 -o link
check_until 'with its addresses and routes' 30 plan_is_empty
check 'http is served by both' "$(who $vip 12)" 'rs1 rs2'

# --- the document: changed, replaced by a symbolic link, broken, gone ---
edit() { jq ".realServers[0].weight = $1" "$examples/howto.json" >$LAB/edited.json; }
edit 5; give dir1 $LAB/edited.json
check_until 'a changed document is followed' 30 weight_is 5
edit 6; cp $LAB/edited.json "$(path_in dir1 /etc/lvs-reconcile/v6.json)"
in_ dir1 sh -c "ln -s v6.json /etc/lvs-reconcile/next && mv /etc/lvs-reconcile/next $document"
check_until 'a symbolic link in its place too' 30 weight_is 6
echo '{ "version": 1, "directors": [' >$LAB/bad.json; give dir1 $LAB/bad.json
check_until 'a bad document is reported' 30 grep -qE 'cluster\.json' $LAB/watch.log
in_ dir1 ipvsadm -e -t $vip:80 -r 172.16.0.21:80 -m -w 8
check_until 'and the last good one is kept in force' 60 weight_is 6
before=$(in_ dir1 ipvsadm -Sn)
in_ dir1 rm $document; sleep 8
check 'a missing document changes nothing' "$(in_ dir1 ipvsadm -Sn)" "$before"
check_not 'and every request is answered' "$(hits $vip 14)" 'NONE'
echo '{ "version": 1 }' >$LAB/empty.json; give dir1 $LAB/empty.json; sleep 6
check_has 'an empty document deletes nothing' "$(in_ dir1 ipvsadm -Sn)" '172.16.0.21:80'
edit 4; give dir1 $LAB/edited.json
check_until 'a good one is followed again' 30 weight_is 4
kill -HUP $watch; sleep 2
check_run 'SIGHUP does not end it' alive $watch

# --- two writers ---
fights=0
for w in 11 12 13 14 15 16; do
  in_ dir1 ipvsadm -e -t $vip:80 -r 172.16.0.21:80 -m -w $w
  if until_ 25 weight_is 4; then fights=$((fights + 1)); else break; fi
done
check_has 'somebody who insists is not fought for ever' "$fights" '^[0-4]$'
check_has 'the object is said to be held' "$(cat $LAB/watch.log)" '172.16.0.21:80.* (put back three times|held)'

# --- the end ---
before=$(machine_state dir1)
kill -TERM $watch
check_until 'SIGTERM ends it' 15 sh -c "! kill -0 $watch"
check 'and changes nothing' "$(machine_state dir1)" "$before"
fresh
