#!/bin/bash
# Live traffic while the director is changed: no class of changes may lose an established connection unless its plan
# says so, nor refuse a new one unless its plan says so. What the plans say and what happened stand in one line for each
# class, "# traffic CLASS: ...". LAB_TRAFFIC_REPEAT says how often every change is made and taken back (1): more for the
# record, with LAB_TEST_SECONDS to match.
. "$(dirname "$0")/../../lib.sh"; . "$(dirname "$0")/../../cluster.sh"
repeat=${LAB_TRAFFIC_REPEAT:-1} streams=${LAB_TRAFFIC_STREAMS:-200} rate=${LAB_TRAFFIC_RATE:-30}
vip=192.168.155.50
document=$LAB/document.json edited=$LAB/edited.json
classes=() may_fail=()
declare -A changes=()

# --- the traffic ---

serve() { background "$1" python3 -IS "$lab_tests/traffic.py" serve "$1" 7; disown "$background"; }
all_up() { [ "$(tail -n 1 $LAB/load.log)" = 'all up' ]; }
lost_from() { grep "^lost $1 " $LAB/load.log | cut -d' ' -f3 | sort -u; }

# begin CLASS: what happens until the next one counts as its doing
begin() {
  class=$1
  [ -n "${changes[$class]:-}" ] || { classes+=("$class"); changes[$class]=0; : >"$LAB/plans.$class"; }
  echo "$class" >$LAB/classes; echo "# $class begins at $SECONDS s"
}

# Every stream has sent a message since the last change, and those that were lost are open again.
settle() { sleep 2.5; until_ 60 all_up || bad "$class: the streams come up again"; }

# A packet that is dropped without a word is missed after ten seconds.
miss() { sleep 12; }

# --- the changes ---

# apply DOCUMENT [OPTION...]: one change of this class; what its plan says is kept
apply() {
  changes[$class]=$((changes[$class] + 1))
  lvs dir1 apply --yes --format json "$@" >>"$LAB/plans.$class" 2>$LAB/said && return
  bad "$class: apply"; tail -n 3 $LAB/said | sed 's/^/    | /'
}

edit() { jq "$1" "$document" >$edited; }

# back_and_forth CLASS EDIT: the edited document and the first one in turn
back_and_forth() {
  local i
  edit "$2"; begin "$1"
  for i in $(seq "$repeat"); do apply $edited; apply "$document"; done
  settle
}

# --- watch, and apply that is killed ---

weight_is() { in_ dir1 ipvsadm -Sn | grep -q -- ":7 -r 172.16.0.21:7 -m -w $1\$"; }

# watched SIGNAL WEIGHT: watch starts, follows the document, and is sent a signal
watched() {
  give dir1 "$document"
  background dir1 "$LVS" watch --interval 1 2>>$LAB/watch.log; watch=$background
  edit ".realServers[0].weight = $2"; give dir1 $edited
  until_ 30 weight_is "$2" || bad "$class: watch follows the document"
  [ "$class" != upgraded ] || { cp "$LVS" "$LVS.new"; mv "$LVS.new" "$LVS"; }
  kill "-$1" $watch; wait $watch 2>/dev/null
  changes[$class]=$((changes[$class] + 1))
}

# kill_at LINES DOCUMENT: apply, killed as soon as the kernel's table has so many lines
kill_at() {
  local lines=() pid
  changes[$class]=$((changes[$class] + 1))
  background dir1 "$LVS" apply --yes "$2" >/dev/null 2>&1; pid=$background
  while [ ${#lines[@]} -lt "$1" ] && kill -0 $pid 2>/dev/null; do
    mapfile -t lines <"/proc/${machine_pid[dir1]}/net/ip_vs"
  done
  kill -KILL $pid 2>/dev/null; wait $pid 2>/dev/null
  [ -z "$(ls "$(path_in dir1 /var/lib/lvs-reconcile/pending)")" ] || cut_short=$((cut_short + 1))
}

# --- the verdict ---

# For each class, what its plans say: the worst of none, new and cuts, and how. One process for all of them.
announced() {
  jq -rn '[inputs | {class: (input_filename | sub(".*plans\\."; "")), impact: .changes[].impact}] | group_by(.class)[]
      | .[0].class as $class | map(.impact)
      | (if any(.traffic == "cuts") then "cuts" elif any(.traffic == "new") then "new" else "none" end) as $worst
      | [.[] | select(.traffic == $worst and .how != $worst).how | sub("[0-9]+"; "N")] | unique
      | "\($class) \($worst)" + if . == [] then "" else " (\(join(", ")))" end' $LAB/plans.*
}

declare -A said=() count=() how=()
read_all() {
  local name rest pair
  while read -r name rest; do said[$name]=$rest; done < <(announced)
  # The load's last lines: CLASS WORD=N WORD=N ...
  while read -r name rest; do
    for pair in $rest; do
      case $pair in *=*) count[$name.${pair%=*}]=${pair#*=};; esac
      case $pair in lost-*|failed-*) how[$name]+=", $pair";; esac
    done
  done <$LAB/load.log
}

judge() {
  local of=$1 says=${said[$1]:-none} lost=${count[$1.lost]:-0} new=${count[$1.new]:-0} failed=${count[$1.failed]:-0}
  echo "# traffic $of: ${changes[$of]} changes, announced $says; streams: $lost of ${count[$of.streams]} dropped in" \
    "${count[$of.messages]:-0} messages; new connections: $failed of $new failed," \
    "${count[$of.again]:-0} had to send a packet again${how[$of]:-}"
  case $says in
    cuts*) check_not "$of: the plan says that it cuts connections, and it does" "$lost" '^0$'
      cut=$((cut + lost)); return;;
    *'for a moment'*) may_fail+=("$of");;
    *) check "$of: no new connection fails" "$failed" 0;;
  esac
  check "$of: no stream is dropped" "$lost" 0
  made=$((made + changes[$of])) all_lost=$((all_lost + lost))
  all_new=$((all_new + new)) all_failed=$((all_failed + failed))
}

modprobe ip_vs
howto_cluster
serve rs1; serve rs2
# The HOW-TO, and a service for the traffic. With expire_nodest_conn a destination that goes takes its connections along
# even when it comes back at once: without it nobody would notice an edit that is made by removing and adding again.
jq '.services += [{name: "echo", vip: "public", port: 7}]
  | .directors[0].sysctls += [{name: "net.ipv4.vs.expire_nodest_conn", value: "1"}]' "$examples/howto.json" >"$document"
check_run 'the HOW-TO is applied' lvs dir1 apply --yes "$document"
# A port that is used again within two minutes would find the director remembering it.
in_ client sysctl -qw net.ipv4.ip_local_port_range='1024 65535'
background client python3 -IS "$lab_tests/traffic.py" load $vip 7 "$streams" "$rate" $LAB/classes >$LAB/load.log
load=$background
check_until "$streams streams are up" 60 all_up
all_up || { fresh; exit; }   # without traffic there is nothing to see

# --- changes of the document ---
begin nothing; for i in $(seq $((repeat * 2))); do apply "$document"; done; settle
back_and_forth weight '.realServers[0].weight = 5'
back_and_forth thresholds '.services[2] += {upperThreshold: 60000, lowerThreshold: 50000}'
back_and_forth persistence '.services[2].persistence = {timeoutSeconds: 60}'
back_and_forth scheduler '.services[2].scheduler = "wrr"'
edit '.services[2].scheduler = "sh"'; cp $edited $LAB/sh.json; apply $LAB/sh.json
document=$LAB/sh.json back_and_forth flags '.services[2].schedulerFlags = ["sh-port"]'
begin scheduler; apply "$document"; settle
back_and_forth route '.directors[0].routes = [{to: "198.51.100.0/24", via: "192.168.153.1"}]'
back_and_forth sysctl '.directors[0].sysctls[0].value = "0"'
back_and_forth mtu '.directors[0].interfaces[1].mtu = 1400'
back_and_forth firewall '.firewall.drop += [{name: "other", protocols: ["tcp"], port: 9999}]'
back_and_forth label '.vips[0].label = "51"'
back_and_forth service '.services += [{name: "other", vip: "public", port: 8080}]'
back_and_forth machine '.realServers += [{name: "rs3", address: "172.16.0.23", weight: 0}]'
back_and_forth files '.netboot.kickstart[0].disk = "vda" | .netboot.dhcp.leaseSeconds = 600'

# --- a machine that is taken out is drained ---
edit '.services[2].realServers = ["rs1"]'; cp $edited $LAB/rs1.json
edit '.services[2].realServers = ["rs2"]'; cp $edited $LAB/rs2.json
begin drain
for i in $(seq "$repeat"); do apply $LAB/rs1.json; sleep 2; apply "$document"; done
settle

# --- the daemon ---
for how in stopped:TERM crashed:KILL upgraded:TERM; do
  begin "${how%:*}"
  for i in $(seq "$repeat"); do watched "${how#*:}" $((10 + i)); done
  apply "$document"; settle
done

# --- apply, killed at work ---
begin killed; cut_short=0
edit '.services += [{name: "many", vip: "public", port: 10001, lastPort: 10100}] | .realServers[0].weight = 7'
cp $edited $LAB/many.json
for i in $(seq "$repeat"); do
  kill_at $((15 + 300 * i / (repeat + 1))) $LAB/many.json
  apply "$document" --allow-mass-delete
done
settle
check 'apply was killed at work' $cut_short "$repeat"

# --- what does cut connections: without it a test that sees no drop would prove nothing ---
begin deadline; apply $LAB/rs1.json --drain-timeout 2; sleep 3; apply $LAB/rs1.json; miss; apply "$document"; settle
check 'a drain whose time is up cuts nobody else' "$(lost_from deadline)" rs2
begin now; apply $LAB/rs2.json --now; miss; apply "$document"; settle
check 'a destination removed at once cuts nobody else' "$(lost_from now)" rs1
begin gone; edit 'del(.services[2])'; apply $edited --now; miss; apply "$document"; settle

echo end >$LAB/classes; wait $load
read_all
made=0 all_lost=0 all_new=0 all_failed=0 cut=0
for class in "${classes[@]}"; do judge "$class"; done
figure "P10 lab: $streams streams, $made changes, $all_lost dropped; $all_new new connections, $all_failed failed" \
  "(announced: ${may_fail[*]}); where the plan said that it cuts, $cut dropped"
fresh
