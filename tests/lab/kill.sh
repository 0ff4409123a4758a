# Runs of the real program that are killed, or refused by the disk, at any boundary between two mutations. No seam of
# ours: strace does it as the process enters the system call. Sourced by t/42-kill.sh and by tests/netns_kill.rs, with
# lib.sh. Whoever does has a machine dir1 (in_, lvs), a directory $LAB, the program's own one as $state, and says
#
#   drift        what others do to a director that was applied
#   files        its files: checksum, size, name; owner, mode, name
#   live         all that makes a director, files too
#
#   undisturbed  what is to be reached, and where one may be killed: a bare director, a drifted one, a removal
#   kills [N [FIRST]]      at every Nth boundary, and run again
#   refusals [N [FIRST]]   a disk that refuses every Nth call
# shellcheck shell=bash
boundaries=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/boundaries
declare -A old=() new=() end=() command=([bare]=apply [drifted]=apply [removal]=destroy)
divergences=0

# With what we know of it, and without anything unfinished. Modules, settings and timeouts are never removed: it does not
# matter whose they are.
everything() {
  live
  (cd "$state" && jq -S 'del(.owned.modules, .owned.sysctls, .owned.timeouts)' owned.json; cksum last-good.json
   find . -name '.new*' -o -path './pending/*' -prune) 2>/dev/null
}
# As if nothing had ever been applied, once everything is removed. A directory that was made by a run that was killed
# before it said so stays, empty; it is made again next time, so that all runs have the same calls.
forget() { rm -rf "$state"; in_ dir1 rmdir /etc/exports.d 2>/dev/null; true; }

run() { lvs dir1 "$1" --yes >"$LAB/said" 2>&1; }
# Whoever was killed may have a child that has not yet let go of the lock.
run_again() {
  local i rc
  for i in 1 2 3 4 5 6 7 8 9 10; do run "$1"; rc=$?; [ $rc = 5 ] || return $rc; sleep 0.3; done
  return $rc
}
# strace ends as what it traced did; bash shall not say that it was killed.
run_traced() { in_ dir1 strace -qq "${@:2}" "$LVS" "$1" --yes </dev/null >"$LAB/traced" 2>&1; } 2>/dev/null
# run_with COMMAND WHAT SYSCALL COUNT [PATH]
run_with() { run_traced "$1" -o /dev/null ${5:+-P "$5"} -e "trace=$3" -e "inject=$3:$2:when=$4"; }

undisturbed() {
  local pass bare was
  was=$(live)
  # Files of a package that were put back are the director's own from then on; modules stay loaded.
  run apply; run destroy; forget
  bare=$(live)
  check 'what others made is still there' "$(comm -23 <(sort <<<"$was") <(sort <<<"$bare"))" ''
  for pass in bare drifted removal; do
    [ $pass != drifted ] || drift
    old[$pass]=$(files)
    run_traced "${command[$pass]}" -y -s 64 -o "$LAB/trace" || diverges $pass nothing 'it failed undisturbed' "$(cat "$LAB/traced")"
    "$boundaries" "$LAB/trace" >"$LAB/$pass.kills"; "$boundaries" -v refusable=1 "$LAB/trace" >"$LAB/$pass.refusals"
    new[$pass]=$(files) end[$pass]=$(everything)
  done
  check 'drift corrected is the director as it was' "${end[drifted]}" "${end[bare]}"
  check 'removed is the director as it was' "$(live)" "$bare"
}

diverges() {   # PASS AT WHAT SHOWN
  divergences=$((divergences + 1))
  bad "$1, $2: $3"; head -n 30 <<<"$4" | sed 's/^/    | /'
}

# Of these files, the ones that are neither the old one nor the new one; a half-written one, which nobody reads, has a
# name of its own. Then those that were there, shall be there, and are not.
torn() {   # NOW OLD NEW
  grep -vF '.lvs-reconcile-new' <<<"$1" | grep -vxFf <(echo "$2"; echo "$3")
  comm -23 <(comm -12 <(names "$2") <(names "$3")) <(names "$1")
}
names() { sed 's/.* //' <<<"$1" | sort -u; }

# What others made is made once, before all this: when it is there in the end, it was never taken away.
converges() {   # PASS AT
  local now
  run_again "${command[$1]}" || diverges "$1" "$2" "the next run ended with $?" "$(cat "$LAB/said")"
  now=$(everything)
  [ "$now" = "${end[$1]}" ] || diverges "$1" "$2" 'it ends elsewhere' "$(diff <(echo "${end[$1]}") <(echo "$now"))"
  [ "${command[$1]}" = destroy ] || lvs dir1 plan --detailed-exitcode >"$LAB/said" 2>&1 ||
    diverges "$1" "$2" 'the plan is not empty' "$(cat "$LAB/said")"
}

# What the pass begins with, made again.
begin_again() {   # PASS
  case $1 in bare) run destroy; forget;; drifted) run apply; drift;; removal) run apply;; esac
}

# Questions are calls as well, and how many there are depends on the time. It was killed at the call that is meant when it
# had made as many changes of that kind as the undisturbed run had up to there.
met() {   # PASS SYSCALL COUNT
  local meant
  meant=$(awk -v call="$2" -v last="$3" '$1 == call && $2 <= last { n++ } END { print n }' "$LAB/$1.kills")
  [ "$("$boundaries" "$LAB/killed" | awk -v call="$2" '$1 == call { n++ } { last = $1 } END { print last == call ? n : 0 }')" = "$meant" ]
}

kill_at() {   # PASS SYSCALL COUNT [PATH]
  local rc left tries at="killed at ${*:2}"
  for tries in {1..20}; do
    run_traced "${command[$1]}" -y -s 64 -o "$LAB/killed" ${4:+-P "$4"} -e "inject=$2:signal=KILL:when=$3"; rc=$?
    [[ $2 == send* ]] || break
    if [ $rc = 137 ] && met "${@:1:3}"; then break; fi
    [ "$tries" = 20 ] || begin_again "$1"
  done
  [ $rc = 137 ] || diverges "$1" "$at" "it was not killed, and ended with $rc" \
    "$(diff "$LAB/$1.kills" <("$boundaries" "$LAB/killed"); cat "$LAB/traced")"
  [[ $2 != send* ]] || met "${@:1:3}" || diverges "$1" "$at" 'the call that is meant was not met' "$(tail -n 3 "$LAB/killed")"
  left=$(torn "$(files)" "${old[$1]}" "${new[$1]}")
  [ -z "$left" ] || diverges "$1" "$at" 'neither the old file nor the new one' "$left"
  converges "$1" "$at"
}

# Whatever it makes of it, it says so, and why: all is done, or all is taken back, or what is left is listed.
refuse_at() {   # PASS SYSCALL COUNT [PATH]
  local rc now at errors=(ENOSPC EIO EROFS) words=(' space' 'nput/output error' 'ead-only') n=$((points % 3)) wanted=''
  at="${*:2} refused with ${errors[$n]}"
  now=$(live)
  run_with "${command[$1]}" "error=${errors[$n]}" "${@:2}"; rc=$?
  case $rc in
    0) wanted=${end[$1]} in_spite=$((in_spite + 1));;
    1|3) wanted=$now;;
    4) if grep -q 'changes are made' "$LAB/traced"; then wanted=${end[$1]} unwritten=$((unwritten + 1))
      else left_over=$((left_over + 1)); grep -q 'left, and different from before' "$LAB/traced" || diverges "$1" "$at" 'it does not say what is left' "$(cat "$LAB/traced")"; fi;;
    *) diverges "$1" "$at" "it ends with $rc" "$(cat "$LAB/traced")";;
  esac
  now=$(live)
  # The records are the next run's matter.
  [ -z "$wanted" ] || [ "$now" = "$(head -n "$(wc -l <<<"$now")" <<<"$wanted")" ] ||
    diverges "$1" "$at" "it ends with $rc" "$(cat "$LAB/traced"; diff <(echo "$wanted") <(echo "$now"))"
  [ $rc = 0 ] || grep -q "${words[$n]}" "$LAB/traced" || diverges "$1" "$at" 'it does not say why' "$(cat "$LAB/traced")"
  converges "$1" "$at"
}

# Each pass begins where the one before it ended.
everywhere() {   # kills|refusals FUNCTION EVERY FIRST
  local pass at i most=0 n
  points=0 of=0
  for pass in bare drifted removal; do
    n=$(wc -l <"$LAB/$pass.$1"); of=$((of + n))
    [ "$n" -le $most ] || most=$n
  done
  for ((i = $4; i <= most; i += $3)); do
    forget
    for pass in bare drifted removal; do
      [ $pass != drifted ] || drift
      at=$(sed -n "${i}p" "$LAB/$pass.$1")
      if [ -z "$at" ]; then run "${command[$pass]}"; continue; fi
      # shellcheck disable=SC2086
      "$2" $pass $at
      points=$((points + 1))
    done
  done
  [ $points -gt 0 ] || bad "no $1"
}
kills() {
  divergences=0; everywhere kills kill_at "${1:-1}" "${2:-1}"
  echo "# killed at $points of $of boundaries, $divergences divergences"
  [ -z "${kill_place:-}" ] || figure "P8 $kill_place: killed at $points of $of boundaries, $divergences divergences"
  check 'killed anywhere, the next run finishes' $divergences 0
}
refusals() {
  divergences=0 in_spite=0 unwritten=0 left_over=0; everywhere refusals refuse_at "${1:-1}" "${2:-1}"
  echo "# refused $points of $of calls, $divergences divergences; all done: $in_spite, done and not written down: $unwritten, something left: $left_over"
  check 'refused by the disk, it takes back what it did, and says so' $divergences 0
}
