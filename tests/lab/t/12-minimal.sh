#!/bin/bash
# The smallest document; and draining, which needs no more than that.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

modprobe ip_vs
minimal_cluster
give dir1 "$examples/minimal.json"
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
check 'http is balanced evenly' "$(hits 192.0.2.10 10)" 'rs1=5 rs2=5'
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode
check 'no nftables table' "$(in_ dir1 nft list tables)" ''
check 'no default route' "$(ip -n dir1 route show default)" ''

# rs2 leaves: at once when nobody uses it, else it keeps what it has, gets no more, and goes when told.
jq 'del(.realServers[1])' "$examples/minimal.json" >$LAB/one.json
hold() {
  background client python3 -IS -c 'import socket, time
open_ = [socket.create_connection(("192.0.2.10", 80)) for _ in range(4)]
time.sleep(600)'; holder=$background
  until_ 20 sh -c "ip netns exec dir1 ipvsadm -Ln | grep -q '10.0.0.12:80 *Masq *1 *[1-9]'"
}
alive() { kill -0 "$1" 2>/dev/null; }
hold
give dir1 $LAB/one.json
said=$(lvs dir1 apply --yes 2>&1); check 'apply ends well while rs2 drains' $? 0
check_has 'and says that it does' "$said" '[Dd]rain'
check_has 'rs2 is quiesced, not removed' "$(in_ dir1 ipvsadm -Sn)" '10\.0\.0\.12:80 -m -w 0'
check 'and gets no new connection' "$(hits 192.0.2.10 4)" 'rs1=4'
check_has 'status shows who is still connected' "$(lvs dir1 status)" '10\.0\.0\.12:80 +masquerade +0 +[1-9]'
background dir1 "$LVS" apply --yes --wait >/dev/null 2>&1; sleep 5
check_run 'apply --wait blocks while rs2 is in use' alive $background
kill -TERM $background; until_ 10 sh -c "! kill -0 $background"
check_has 'and ended early it removed nothing' "$(in_ dir1 ipvsadm -Sn)" '10\.0\.0\.12:80 -m -w 0'
check_run 'apply --now does not wait' lvs dir1 apply --yes --now
check_not 'rs2 is gone' "$(in_ dir1 ipvsadm -Sn)" '10\.0\.0\.12'
kill $holder
give dir1 "$examples/minimal.json"
check_run 'it comes back' lvs dir1 apply --yes
check_has 'and serves again' "$(hits 192.0.2.10 10)" 'rs2='
fresh
