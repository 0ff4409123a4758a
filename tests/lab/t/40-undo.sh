#!/bin/bash
# A step the kernel refuses in the middle: what this run did is undone, and both are said.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

modprobe -a ip_vs dummy
minimal_cluster
# 198.51.100.255 is the broadcast address of a network the document does not know: IPVS refuses it as a destination.
in_ dir1 sh -c 'ip link add far0 type dummy; ip link set far0 up; ip addr add 198.51.100.1/24 brd + dev far0'
jq '.realServers += [{name: "far1", address: "198.51.100.255"}] | .services[0] +=
  {destinations: [{realServer: "far1", forwarding: "tunnel"}], forwarding: "masquerade"}' "$examples/minimal.json" >$LAB/refused.json

give dir1 $LAB/refused.json
before=$(machine_state dir1)
lvs dir1 apply --yes >$LAB/said 2>&1; rc=$?
check 'a failed step that was undone says 3' $rc 3
check_has 'the message names the destination' "$(cat $LAB/said)" '198\.51\.100\.255'
check_has 'and the undo' "$(cat $LAB/said)" '[Uu]ndo|undone'
check 'the director is as it was' "$(machine_state dir1)" "$before"

# The same on a running director: what served goes on serving, as it was.
give dir1 "$examples/minimal.json"
check_run 'apply of a good document succeeds' lvs dir1 apply --yes
running=$(machine_state dir1)
jq '.services[0].scheduler = "rr" | .realServers[0].weight = 5' $LAB/refused.json >$LAB/refused2.json; give dir1 $LAB/refused2.json
check_exit 'a failed step on a running director says 3' 3 lvs dir1 apply --yes
check 'the director is as it was' "$(machine_state dir1)" "$running"
check 'and serves' "$(who 192.0.2.10 6)" 'rs1 rs2'
give dir1 "$examples/minimal.json"
check_exit 'the good document has nothing to do' 0 lvs dir1 plan --detailed-exitcode

# --- the other exit codes ---
echo '{ "version": 1, "prot": 3 }' >$LAB/bad.json
check_exit 'a bad document says 1' 1 lvs dir1 plan "$LAB/bad.json"
check_exit 'a missing document says 1' 1 lvs dir1 validate /nowhere.json
check_exit 'usage says 1' 1 lvs dir1 plan --no-such-option
check_exit 'an unknown node says 1' 1 lvs dir1 plan --node nobody
echo '{ "version": 1, "directors": [{ "name": "dir1", "interfaces": [] }] }' >$LAB/shrunk.json
give dir1 $LAB/shrunk.json
check_exit 'a document that deletes nearly everything is refused with 6' 6 lvs dir1 apply --yes
check 'and the director serves' "$(who 192.0.2.10 6)" 'rs1 rs2'
give dir1 "$examples/minimal.json"
lock=/run/lvs-reconcile.lock
check_run 'the lock is where it can be found' in_ dir1 test -f $lock
in_ dir1 ipvsadm -e -t 192.0.2.10:80 -r 10.0.0.11:80 -m -w 7
background dir1 flock $lock sleep 120
sleep 1
check_exit 'a locked director says 5' 5 lvs dir1 apply --yes
fresh
