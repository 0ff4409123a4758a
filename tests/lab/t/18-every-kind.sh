#!/bin/bash
# Everything IPVS can hold, in one document: applied, read back as equal, and equal to what ipvsadm makes of the same.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"

# A namespace with the same addresses, filled by ipvsadm: its answer is the wanted one.
filled_by_ipvsadm() {
  box byhand; ip -n byhand link add eth1 type dummy; ip -n byhand link set eth1 up
  ip -n byhand addr add 10.0.0.1/24 dev eth1; ip -n byhand addr add fd00::1/64 dev eth1 nodad
  in_ byhand ipvsadm -R <"$lab_tests/documents/every-kind.ipvsadm" || bad 'ipvsadm took all rules'
}
table() { in_ "$1" ipvsadm -Sn | sort; }
thresholds() { in_ "$1" ipvsadm -Ln --thresholds | sort; }

modprobe -a ip_vs dummy
minimal_cluster
filled_by_ipvsadm
give dir1 "$lab_tests/documents/every-kind.json"
offline_agrees dir1 'before'
check_run 'apply succeeds' lvs dir1 apply --yes
offline_agrees dir1 'after'
check 'the table is the one ipvsadm makes' "$(diff <(table dir1) <(table byhand))" ''
check 'thresholds too' "$(diff <(thresholds dir1) <(thresholds byhand))" ''
check 'it is not empty' "$(table dir1 | wc -l)" "$(wc -l <"$lab_tests/documents/every-kind.ipvsadm")"
check 'timeouts' "$(in_ dir1 ipvsadm -L --timeout)" 'Timeout (tcp tcpfin udp): 901 61 31'
check_exit 'the second plan is empty' 0 lvs dir1 plan --detailed-exitcode
check_has 'a second apply writes nothing' "$(witness dir1 "$LVS" apply --yes)" '^reads=[1-9][0-9]* writes=0 exit=0$'
check_run 'destroy succeeds' lvs dir1 destroy --yes
check 'nothing is left of it' "$(table dir1)" ''
fresh
