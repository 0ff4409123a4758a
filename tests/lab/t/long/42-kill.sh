#!/bin/bash
# The HOW-TO's director on the real kernel, killed at a boundary between two mutations and run again: the end is the same,
# every file is the old one or the new one, what others made stays. Apply on a bare director, on a drifted one, destroy.
# Then a disk that refuses a call.
#
# An emulated machine needs seconds for each, so the suite tries every LAB_KILL_EVERY-th (tests/netns_kill.rs tries all,
# without IPVS and daemons), from LAB_KILL_FIRST on. All of them:
# LAB_TEST_SECONDS=7200 LAB_SECONDS=7200 LAB_KILL_EVERY=1 tests/lab/suite 42
. "$(dirname "$0")/../../lib.sh"; . "$(dirname "$0")/../../cluster.sh"; . "$(dirname "$0")/../../kill.sh"
every=${LAB_KILL_EVERY:-12} first=${LAB_KILL_FIRST:-1} kill_place=lab

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

# The files of the director that are not those it was born with.
files() {
  (cd "$LAB/dir1/etc.upper" && find . -type f -printf '%u:%g %m %p\n' -exec cksum {} +
   cd "$LAB/disk/dir1" && find . -type f -printf '%u:%g %m %p\n' -exec cksum {} +) | sort
}
live() {
  kernel_state dir1 | sed 's/counter packets.*bytes [0-9]*//'
  in_ dir1 sh -c 'pidof dhcpd >/dev/null && echo dhcpd; cat /proc/fs/nfsd/threads'
  files
}

modprobe -a ip_vs veth
howto_cluster
state=$(path_in dir1 /var/lib/lvs-reconcile)
give dir1 "$examples/howto.json"
quick_daemons; others
undisturbed
kills "$every" "$first"
[ "$first" != 1 ] || refusals $((2 * every)) 2   # once, when it is done in parts
fresh
