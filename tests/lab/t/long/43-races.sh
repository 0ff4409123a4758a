#!/bin/bash
# Two who apply different documents at the same moment, and somebody who takes things away while one applies: one runs
# at a time, what stands there in the end is wholly one document's, and the next apply puts right what is missing.
. "$(dirname "$0")/../../lib.sh"; . "$(dirname "$0")/../../cluster.sh"
pairs=${LAB_PAIRS:-50} times=${LAB_DISTURBED:-6}

modprobe ip_vs
minimal_cluster
jq '.firewall = { forwardPolicy: "drop", masquerade: true }' "$examples/minimal.json" >$LAB/one.json
jq '.services[0].scheduler = "sh" | .realServers[0].weight = 7 | .vips[0].address = "192.0.2.20" | .firewall.forwardPolicy = "accept" |
  .directors[0].sysctls = [{ name: "net.ipv4.ip_dynaddr", value: "1" }]' $LAB/one.json >$LAB/two.json
give dir1 $LAB/one.json /etc/lvs-reconcile/one.json; give dir1 $LAB/two.json /etc/lvs-reconcile/two.json
apply() { lvs dir1 apply --yes --node dir1 "/etc/lvs-reconcile/$1.json" >"$LAB/said.$1" 2>&1; }
stands() { lvs dir1 plan --node dir1 --detailed-exitcode "/etc/lvs-reconcile/$1.json" >$LAB/plan 2>&1; }
left() { in_ dir1 find /var/lib/lvs-reconcile -path '*/pending/*' -prune -o -name '.new*'; }

# --- together ---
in_turn=0 locked=0 mixed=0
for ((i = 0; i < pairs; i++)); do
  apply one & one=$!
  # Once in a while exactly together, else the second finds the first at its work.
  [ $((i % 4)) = 0 ] || sleep 0.$((RANDOM % 10))
  apply two & two=$!
  wait $one; one=$?; wait $two; two=$?
  case $one$two in
    00) in_turn=$((in_turn + 1)); stands two || stands one;;
    05) locked=$((locked + 1)); stands one;;
    50) locked=$((locked + 1)); stands two;;
    *) false;;
  esac || { mixed=$((mixed + 1)); bad "pair $i, which ended $one and $two, is wholly one document's"; cat $LAB/said.* $LAB/plan | sed 's/^/    | /'; }
done
figure "P11 lab: $pairs pairs of applies at once, $locked times one locked out, $in_turn times in turn, $mixed mixed"
check 'of two at once one waits or is told so, and nothing is mixed' $mixed 0
check_has 'they did meet' "$locked" '[1-9]'
check 'nothing is left unfinished' "$(left)" ''

# --- disturbed ---
disturb() {   # COMMAND...: while one or the other document is applied
  local i wanted rc failed=0 worse=0
  for ((i = 0; i < times; i++)); do
    wanted=one; [ $((i % 2)) = 0 ] || wanted=two
    apply $wanted & it=$!
    sleep 0.$((RANDOM % 10)); in_ dir1 "$@"
    wait $it; rc=$?
    case $rc in 0) ;; 1|3|4|6) failed=$((failed + 1));; *) worse=$((worse + 1)); bad "it ended with $rc"; cat "$LAB/said.$wanted";; esac
    apply $wanted && stands $wanted && continue
    worse=$((worse + 1)); bad "after $* the next apply of $wanted ends with $? and converges"; cat "$LAB/said.$wanted" $LAB/plan | sed 's/^/    | /'
  done
  echo "# $*: $times times, $failed of them failed and were said to have"
  check "after $* the next apply converges" $worse 0
}
disturb ipvsadm -C
disturb nft flush ruleset
disturb ip addr flush dev eth0
disturb ip addr flush dev eth1
check 'nothing is left unfinished' "$(left)" ''
fresh
