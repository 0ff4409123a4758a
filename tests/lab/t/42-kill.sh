#!/bin/bash
# Killed at any boundary between two mutations, on the real kernel, and run again: the end is the same, every file is
# the old one or the new one, what others made stays. Apply on a bare director, apply on a drifted one, destroy.
#
# No seam of ours: strace kills the process as it enters the system call. The suite tries every LAB_KILL_EVERY-th
# boundary; 1 is all of them, and takes half an hour: LAB_TEST_SECONDS=3000 LAB_KILL_EVERY=1 tests/lab/suite 42
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../cluster.sh"
every=${LAB_KILL_EVERY:-8}

# The same daemons, without what Debian's scripts spend seconds on: self-tests, and sleeping for two seconds.
quick_daemons() {
  modprobe nfsd
  in_ dir1 sh -c 'mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd; touch /var/lib/dhcp/dhcpd.leases'
  cat >"$(path_in dir1 /etc/init.d/isc-dhcp-server)" <<'D'
#!/bin/sh
[ "$1" = start ] || { read -r it </run/dhcpd.pid && kill "$it" && while [ -e "/proc/$it" ]; do sleep 0.1; done; rm -f /run/dhcpd.pid; }
[ "$1" = stop ] || { . /etc/default/isc-dhcp-server && /usr/sbin/dhcpd -4 -q -cf /etc/dhcp/dhcpd.conf $INTERFACESv4; }
D
  cat >"$(path_in dir1 /etc/init.d/nfs-kernel-server)" <<'D'
#!/bin/sh
case $1 in stop) exportfs -au;; *) exportfs -r && rpc.nfsd 1;; esac
D
}

# Of others: a service, an address, a route, a table, a file, and a line in a file that we write to as well.
others() {
  ip -n dir1 -batch - <<'B'
link add theirs0 type veth peer name theirs1
link set theirs0 up
link set theirs1 up
addr add 10.7.7.7/24 dev theirs0
route add 10.8.0.0/16 via 10.7.7.8
B
  in_ dir1 ipvsadm -R <<'R'
-A -t 10.9.9.9:99 -s rr
-a -t 10.9.9.9:99 -r 10.7.7.8:99 -m -w 7
R
  in_ dir1 nft 'add table inet theirs; add chain inet theirs c; add rule inet theirs c counter accept'
  in_ dir1 sh -c 'mkdir -p /etc/modules-load.d; echo dummy >/etc/modules-load.d/theirs.conf; echo 10.1.1.1 elsewhere >>/etc/hosts'
}

# Part of it edited, part of it gone.
drift() {
  in_ dir1 bash -c 'ipvsadm -e -t 192.168.155.50:80 -r 172.16.0.21:80 -m -w 9; ipvsadm -D -t 192.168.155.50:22
    nft flush table inet lvs_reconcile; ip addr del 192.168.155.50/32 dev eth0; ip route del default
    echo 0 >/proc/sys/net/ipv4/ip_forward; rm /kickstart/rs1.cfg /etc/exports.d/lvs-reconcile.exports
    sed -i /rs2/d /etc/hosts; echo "# by hand" >>/etc/dhcp/dhcpd.conf'
}

# The files of the director that are not those it was born with: checksum, size, name; owner, mode.
files() {
  (cd "$LAB/dir1/etc.upper" && find . -type f -printf '%u:%g %m %p\n' -exec cksum {} +
   cd "$LAB/disk/dir1" && find . -type f -printf '%u:%g %m %p\n' -exec cksum {} +) | sort
}
daemons() { in_ dir1 sh -c 'pidof dhcpd >/dev/null && echo dhcpd; cat /proc/fs/nfsd/threads'; }
# What a run may leave for the next one, and must not leave for ever.
unfinished() { (cd "$LAB/dir1/var.upper/lib/lvs-reconcile" && find . -name '.new*' -o -path './pending/*' -prune) 2>/dev/null; }
# Others made their part before we came and nobody makes it twice: what is there in the end was never taken away.
everything() { kernel_state dir1 | sed 's/counter packets.*bytes [0-9]*//'; files; daemons; unfinished; }

# Of these files, the ones that are neither the old one nor the new one; a half-written one, which nobody reads, has a
# name of its own. Then those that were there, shall be there, and are not.
torn() {   # NOW OLD NEW
  grep -vF '.lvs-reconcile-new' <<<"$1" | grep -vxFf <(echo "$2"; echo "$3")
  comm -23 <(comm -12 <(names "$2") <(names "$3")) <(names "$1")
}
names() { sed 's/.* //' <<<"$1" | sort -u; }

run() { lvs dir1 "$1" --yes >$LAB/said 2>&1; }
# Whoever was killed may have a child that has not yet let go of the lock.
run_again() {
  local i rc
  for i in 1 2 3 4 5 6 7 8 9 10; do run "$1"; rc=$?; [ $rc = 5 ] || return $rc; sleep 0.3; done
  return $rc
}
# strace ends as what it traced did. In the foreground, but bash shall not say that it was killed.
run_killed() { in_ dir1 strace -qq -o /dev/null -e "trace=$2" -e "inject=$2:signal=KILL:when=$3" "$LVS" "$1" --yes </dev/null >$LAB/killed 2>&1; } 2>/dev/null
count_boundaries() {   # COMMAND PASS
  in_ dir1 strace -qq -y -s 64 -o $LAB/trace "$LVS" "$1" --yes </dev/null >$LAB/said 2>&1 || { bad "$2, undisturbed"; cat $LAB/said; }
  "$lab_tests/boundaries" $LAB/trace >"$LAB/$2.boundaries"
}

# one PASS COMMAND NUMBER: killed there, and run again
one() {
  local pass=$1 command=$2 at rc left now
  at=$(sed -n "$3p" "$LAB/$pass.boundaries")
  # shellcheck disable=SC2086
  run_killed "$command" $at; rc=$?
  [ $rc = 137 ] || { diverges "$pass" "$at" "was not killed: exit code $rc" "$(cat $LAB/killed)"; }
  left=$(torn "$(files)" "${old[$pass]}" "${new[$pass]}")
  [ -z "$left" ] || diverges "$pass" "$at" 'neither the old file nor the new one' "$left"
  run_again "$command" || diverges "$pass" "$at" "the next run ended with $?" "$(cat $LAB/said)"
  now=$(everything)
  [ "$now" = "${end[$pass]}" ] || diverges "$pass" "$at" 'it ends elsewhere' "$(diff <(echo "${end[$pass]}") <(echo "$now"))"
  [ "$command" = destroy ] || lvs dir1 plan --detailed-exitcode >$LAB/said 2>&1 || diverges "$pass" "$at" 'the plan is not empty' "$(cat $LAB/said)"
  killed=$((killed + 1))
}
diverges() {
  divergences=$((divergences + 1))
  bad "$1, killed at $2: $3"; head -30 <<<"$4" | sed 's/^/    | /'
}

modprobe -a ip_vs veth
howto_cluster
give dir1 "$examples/howto.json"
quick_daemons; others

# --- undisturbed: what there is to be reached, and where one may be killed ---
declare -A old=() new=() end=()
run apply; run destroy   # modules stay loaded, and files of a package that were put back are the director's own now
in_ dir1 rm -r /var/lib/lvs-reconcile
old[bare]=$(files); count_boundaries apply bare
new[bare]=$(files) end[bare]=$(everything)
drift; old[drifted]=$(files); count_boundaries apply drifted
new[drifted]=$(files) end[drifted]=$(everything)
check 'drift corrected is the director as it was' "${end[drifted]}" "${end[bare]}"
old[removal]=$(files); count_boundaries destroy removal
new[removal]=$(files) end[removal]=$(everything)
check 'removed is the director as it was' "${new[removal]}" "${old[bare]}"
check_has 'others are still there' "${end[removal]}" '^-a -t 10\.9\.9\.9:99 -r 10\.7\.7\.8:99 -m -w 7'

# --- killed: each pass begins where the one before it ended ---
killed=0 divergences=0 most=0 all=0
for pass in bare drifted removal; do
  n=$(wc -l <"$LAB/$pass.boundaries"); all=$((all + n)); echo "# $pass: $n boundaries"
  [ "$n" -le $most ] || most=$n
done
for ((i = 1; i <= most; i += every)); do
  in_ dir1 rm -rf /var/lib/lvs-reconcile /run/lvs-reconcile
  [ "$i" -gt "$(wc -l <$LAB/bare.boundaries)" ] && run apply || one bare apply $i
  [ "$i" -gt "$(wc -l <$LAB/drifted.boundaries)" ] || { drift; one drifted apply $i; }
  [ "$i" -gt "$(wc -l <$LAB/removal.boundaries)" ] && run destroy || one removal destroy $i
done
echo "# killed at $killed of $all boundaries, $divergences divergences"
check 'killed anywhere, the next run finishes' $divergences 0
fresh
