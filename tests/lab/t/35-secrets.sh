#!/bin/bash
# A secret stands where it must, and nowhere else: in nothing that is printed, logged, recorded or passed to a program.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"
# shellcheck disable=SC2016
canary='$6$salt$CanaryOne' other='$6$salt$CanaryTwo'
secret() { printf '%s\n' "$1" >"$(path_in dir1 /etc/lvs-reconcile/secrets/root.hash)"; }

modprobe ip_vs
howto_cluster
give dir1 "$examples/howto.json"
secret "$canary"
said() { lvs dir1 "$@" >>"$LAB/said" 2>&1; }
: >"$LAB/said"
all_of_it() {
  for_review
  said plan --diff; said plan --format json; said render; said apply --yes --diff; said status
  in_ dir1 sed -i s/Canary/HandmadeCanary/ /kickstart/rs1.cfg
  for_review; said apply --yes --diff
  said history --format json; said history
}
# What leaves the machine, to be looked at by others.
for_review() {
  in_ dir1 rm -f /run/live.json /run/plan.json
  said plan --save-live /run/live.json; said plan --out /run/plan.json; said snapshot
  said plan --diff --format markdown; said plan --diff --live /run/live.json
  in_ dir1 cat /run/live.json /run/plan.json >>"$LAB/said"
}
all_of_it
check_has 'the secret is where it is needed' "$(in_ dir1 cat /kickstart/rs1.cfg)" 'rootpw --iscrypted .*CanaryOne'
secret "$other"
# Every program that is started, and what it is told.
in_ dir1 strace -f --seccomp-bpf -qq -s 4096 -e trace=execve -e signal=none -o /run/execs "$LVS" plan >>"$LAB/said"
all_of_it
cat "$(path_in dir1 /run/execs)" >>"$LAB/said"
check_has 'the new secret is where it is needed' "$(in_ dir1 cat /kickstart/rs1.cfg)" 'rootpw --iscrypted .*CanaryTwo'
LVS_RECONCILE_LOG=debug in_ dir1 "$LVS" watch --interval 1 </dev/null >>"$LAB/said" 2>&1 & watch=$!
sleep 3; secret "$canary"
check_until 'watch brings a secret in' 20 in_ dir1 grep -q CanaryOne /kickstart/rs1.cfg
in_ dir1 pkill -x lvs-reconcile; wait "$watch"
secret "$other"; said apply --yes
rolled=$(lvs dir1 rollback --yes --diff 2>&1); check 'a rollback ends well' $? 0
echo "$rolled" >>"$LAB/said"
check_has 'it brings the secret before back' "$(in_ dir1 cat /kickstart/rs1.cfg)" 'rootpw --iscrypted .*CanaryOne'
check 'and touches no daemon' "$(grep -c isc-dhcp-server <<<"$rolled")" 0
said destroy --yes --diff

check_has 'what was looked through has what was said' "$(cat "$LAB/said")" 'root password: secret'
check_has 'and what was started' "$(cat "$LAB/said")" 'execve\('
check_has 'and what is for others to look at' "$(cat "$LAB/said")" '"seal":.*/kickstart/rs1.cfg'
told=$(grep -a -c Canary "$LAB/said")
check 'no word of it tells the secret' "$told" 0
figure "P14 lab: $told of $(wc -l <"$LAB/said") lines said, logged and passed to programs tell the secret"
# Copies of replaced files are what an undo is made of: root's alone, and nothing else in the state directory tells.
telling=$(in_ dir1 grep -rl Canary /var/lib/lvs-reconcile /etc/{dhcp,default,exports.d,hosts} 2>/dev/null)
check 'on disk only copies of replaced files tell' "$(grep -vE '^/var/lib/lvs-reconcile/(history|pending)/[0-9]+/file-[0-9]+$' <<<"$telling" | grep .)" ''
check 'and they are for root alone' "$(in_ dir1 find /var/lib/lvs-reconcile -perm /077)" ''
fresh
