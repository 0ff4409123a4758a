# A director in namespaces, with things of others on it: what tests/lab/kill.sh asks of whoever kills on it.
# shellcheck shell=bash
LAB=/mnt state=$LVS_RECONCILE_STATE_DIR
. tests/lab/lib.sh; . tests/lab/kill.sh
in_() { "${@:2}"; }
lvs() { "$LVS" "${@:2}"; }

# Every file below /etc is private, and those that were changed are found together.
mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work etc /etc || { bad 'no overlay over /etc'; exit; }
# While an address is probed for a duplicate it is asked for again and again, which moves the numbers of the calls behind:
# a kill seldom meets the call that is meant.
for it in all default eth0 eth1; do echo 0 >"/proc/sys/net/ipv6/conf/$it/accept_dad"; done
ip -batch - <<'B'
link add theirs0 type veth peer name theirs1
link set theirs0 up
link set theirs1 up
addr add 10.7.7.7/24 dev theirs0
route add 10.8.0.0/16 via 10.7.7.8
B
nft 'add table inet theirs; add chain inet theirs c; add rule inet theirs c counter accept'
echo dummy >/etc/modules-load.d/theirs.conf; echo 10.1.1.1 elsewhere >>/etc/hosts

drift() {
  ip addr del 192.0.2.2/24 dev eth0; ip addr del 10.0.0.1/24 dev br0; ip link set eth1 nomaster; ip link set eth0 down
  nft flush table inet lvs_reconcile; echo 0 >/proc/sys/net/ipv4/ip_forward
  rm /etc/modules-load.d/lvs-reconcile.conf; sed -i /rs2/d /etc/hosts; echo '# by hand' >>/etc/sysctl.d/60-lvs-reconcile.conf
}

files() { (cd /mnt/upper && find . -type f -printf '%u:%g %m %p\n' -exec cksum {} + | sort); }

live() {
  # Without what the other end of a cable decides, and when.
  ip -o link | sed 's/^[0-9]*: //; s/ qdisc [a-z]*//; s/ state .*//; s/NO-CARRIER,//; s/,LOWER_UP//; s/,M-DOWN//' | sort
  ip -o addr show scope global | sed 's/^[0-9]*: //; s/ *valid_lft.*//; s/ tentative//' | sort
  ip route show table all | grep -vE '^(anycast|broadcast|local|multicast)|fe80|ff00' | sed 's/ linkdown//'
  nft list ruleset | sed 's/counter packets.*bytes [0-9]*//'
  grep -H . /proc/sys/net/ipv4/{ip_forward,ip_dynaddr,conf/all/forwarding} /proc/sys/net/ipv6/conf/all/forwarding
  files
}
