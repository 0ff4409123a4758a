# The machines of the lab, made of namespaces. Sourced by tests and by the demonstration.
#
#   machine NAME       a computer of its own: network, mounts, host name; /etc, /var, /run, /kickstart and
#                      /opt/lvs_software are private, so that what one test writes no other test sees.
#                      Processes are shared: kernel threads such as nfsd are in no namespace but the first
#   box NAME           a network namespace only: enough for clients and real servers
#   in_ NAME COMMAND   runs there
#   cable A IFA B IFB  joins two by a veth pair
#   fresh              away with all of them, and every process in them
# shellcheck shell=bash
set -u
lab_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
examples=$(cd "$lab_tests/../../examples" 2>/dev/null && pwd)
LAB=/run/lab
# A copy in memory: starting a program from the emulated disk is slow.
LVS=${LVS:-$LAB/bin/lvs-reconcile}
declare -A machine_pid=()
mkdir -p "$LAB"

box() { ip netns add "$1"; ip -n "$1" link set lo up; }

# Exported directories must lie on a file system NFS can export, which neither tmpfs nor overlay is.
lab_disk() {
  ! mountpoint -q "$LAB/disk" || return 0
  mkdir -p "$LAB/disk"; modprobe -qa loop ext4
  truncate -s 16M "$LAB/disk.img"
  mkfs.ext4 -q -O ^has_journal "$LAB/disk.img" && mount -o loop "$LAB/disk.img" "$LAB/disk"
}

machine() {
  local name=$1 ready=$LAB/$1.ready
  lab_disk
  box "$name"
  mkdir -p "$LAB/$name"; mkfifo "$ready"
  ip netns exec "$name" unshare -u -m --propagation private \
    bash "$lab_tests/machine-init" "$name" "$LAB" 9>"$ready" </dev/null >"$LAB/$name/log" 2>&1 &
  # ip and unshare each become the program they are told to run: this is the holder's own number.
  machine_pid[$name]=$!
  read -r _ <"$ready"; rm "$ready"
  disown "$!"
}

in_() {
  local name=$1; shift
  if [ -n "${machine_pid[$name]:-}" ]; then nsenter -t "${machine_pid[$name]}" -m -u -n -- "$@"
  else ip netns exec "$name" "$@"; fi
}

# A path inside a machine, as seen from outside: no process needed to write a file there.
path_in() { echo "/proc/${machine_pid[$1]}/root$2"; }

cable() { ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"; }

fresh() {
  local name
  # Threads of the NFS server keep their namespace alive, and no signal reaches them.
  if grep -q '^nfsd ' /proc/modules; then for name in "${!machine_pid[@]}"; do in_ "$name" rpc.nfsd 0 2>/dev/null; done; fi
  machine_pid=()
  for name in $(ip netns list | awk '{ print $1 }'); do
    ip netns pids "$name" 2>/dev/null | xargs -r kill -9 2>/dev/null
    ip netns del "$name"
  done
  sleep 0.2
  rm -rf "${LAB:?}"/{www,disk/*}
  for name in "$LAB"/*/etc.upper; do [ ! -d "$name" ] || rm -rf "${name%/*}"; done
}

# http NAME [ADDRESS:]PORT [BODY]: answers every request with its own name
http() {
  local www=$LAB/www/$1.${2##*:}
  mkdir -p "$www"; echo "${3:-$1}" >"$www/index.html"
  in_ "$1" busybox httpd -p "$2" -h "$www"
}

# hits ADDRESS REQUESTS [PORT [NAME]]: "rs1=30 rs2=10"
hits() { in_ "${4:-client}" python3 -IS "$lab_tests/hits.py" "$1" "${3:-80}" "$2"; }

# who ADDRESS REQUESTS [PORT [NAME]]: "rs1 rs2", the names alone. How many each gets depends on the connections that
# the director still remembers: it can be counted on only when a service is new.
who() { hits "$@" | sed 's/=[0-9]*//g'; }

# lvs NAME ARGUMENT...: the program under test, on that machine
lvs() { local name=$1; shift; in_ "$name" "$LVS" "$@" </dev/null; }

# give NAME FILE [PATH]: the document, where the program looks for it
give() {
  local to; to=$(path_in "$1" "${3:-/etc/lvs-reconcile/cluster.json}")
  mkdir -p "${to%/*}"; cp "$2" "$to.new"; chmod 644 "$to.new"; mv "$to.new" "$to"
}

# offline_agrees NAME WHEN: elsewhere a snapshot gives the same plan, to a user with no rights in a network with nothing;
# that of an edited document, too
offline_agrees() {
  local dir=$LAB/offline here there edited='.realServers |= map(.weight = 7) | .directors[].interfaces[-1].mtu = 1400'
  rm -rf "$dir"; mkdir -p "$dir"
  here=$(in_ "$1" sh -c "cd /etc/lvs-reconcile && '$LVS' plan --diff --save-live $dir/live.json cluster.json" 2>&1 </dev/null)
  cp "$(path_in "$1" /etc/lvs-reconcile/cluster.json)" "$dir"; chmod -R a+rX "$dir"
  check "elsewhere a snapshot gives the same plan, $2" "$(elsewhere "$dir" cluster.json)" "$here"
  check_has "and it is a plan, $2" "$here" '^live state: '
  jq "$edited" "$dir/cluster.json" >"$dir/edited.json"; chmod a+r "$dir/edited.json"
  here=$(in_ "$1" sh -c "cd $dir && '$LVS' plan --diff edited.json" 2>&1 </dev/null)
  there=$(elsewhere "$dir" edited.json | grep -v '^live state: ')
  check "and that of an edited document, $2" "$there" "$here"
  check_has "which is another plan, $2" "$here" 'mtu .*1400'
}
elsewhere() {   # DIRECTORY DOCUMENT
  (cd "$1" && unshare -n setpriv --reuid=65534 --regid=65534 --clear-groups \
    env -i "$LVS" plan --diff --live live.json "$2" 2>&1 </dev/null)
}

# Password references of the examples must exist; the value is nobody's password.
give_secret() {
  local d; d=$(path_in "$1" /etc/lvs-reconcile/secrets); mkdir -p -m 700 "$d"
  # shellcheck disable=SC2016
  (umask 077; echo '$6$labsalt$Yq0N1rDNaTVuBeDqRoI0nK0UVpXJvVhpQiOVqkqsf.kIOTrJ/z3TQWHDVpDhpEkv5uYLZnFNW.BbDfcWEE5zZ/' >"$d/root.hash")
}

# A switch: names of machines whose eth0 (or "name:interface") is plugged in.
switch() {
  local sw=$1 plug name interface i=0; shift
  box "$sw"; ip -n "$sw" link add br0 type bridge; ip -n "$sw" link set br0 up
  for plug in "$@"; do
    name=${plug%%:*}; interface=eth0; [ "$plug" = "$name" ] || interface=${plug#*:}
    cable "$name" "$interface" "$sw" "p$i"
    ip -n "$sw" link set "p$i" master br0; ip -n "$sw" link set "p$i" up
    i=$((i + 1))
  done
}

# The 2003 HOW-TO: client (it also plays the gateway 192.168.153.1) - dir1 - rs1, rs2. The director is bare:
# its links exist and are down.
howto_cluster() {
  fresh
  # The HOW-TO has ISC dhcpd. Where Kea is installed as well it goes first, so it is not: this is the lab's own root.
  rm -f /etc/init.d/kea-dhcp4-server
  box client; machine dir1; box rs1; box rs2
  cable client eth0 dir1 eth0
  switch inside dir1:eth1 rs1 rs2
  give_secret dir1
  in_ dir1 rpcbind -w   # Debian's NFS server starts only where it can register
  ip -n client -batch - <<'B'
addr add 192.168.153.1/22 dev eth0
link set eth0 up
B
  real_server rs1 172.16.0.21/16 172.16.0.1 00:60:08:cf:bd:6d
  real_server rs2 172.16.0.22/16 172.16.0.1 00:a0:24:c5:e7:de
}

# real_server NAME ADDRESS/PREFIX GATEWAY [MAC]: web on 80, and something that answers on 22
real_server() {
  ip -n "$1" link set eth0 ${4:+address "$4"}
  ip -n "$1" -batch - <<B
addr add $2 dev eth0
link set eth0 up
route add default via $3
B
  http "$1" 80; http "$1" 22
}

# Two plain networks around a director, as examples/minimal.json has them.
minimal_cluster() {
  fresh
  box client; machine dir1; box rs1; box rs2
  cable client eth0 dir1 eth0
  switch inside dir1:eth1 rs1 rs2
  ip -n client addr add 192.0.2.1/24 dev eth0; ip -n client link set eth0 up
  real_server rs1 10.0.0.11/24 10.0.0.1; real_server rs2 10.0.0.12/24 10.0.0.1
}

# Everything on one network: for direct routing and tunnels the real servers answer the client themselves.
# lan_cluster: client .1, dir1 .2 (bare), rs1 .11, rs2 .12 of 192.0.2.0/24 and 2001:db8:0:2::/64
lan_cluster() {
  fresh
  box client; machine dir1; box rs1; box rs2
  switch lan client dir1 rs1 rs2
  local name i
  for name in client:1 rs1:11 rs2:12; do
    i=${name#*:} name=${name%:*}
    ip -n "$name" -batch - <<B
addr add 192.0.2.$i/24 dev eth0
addr add 2001:db8:0:2::$i/64 dev eth0 nodad
link set eth0 up
B
  done
  for name in rs1 rs2; do http "$name" '[::]:80'; done
}

# What a real server needs for a VIP it answers for but must not announce.
hold_vip() {   # NAME VIP/PREFIX [DEVICE]
  in_ "$1" sh -c 'cd /proc/sys/net/ipv4/conf/all; echo 1 >arp_ignore; echo 2 >arp_announce; echo 0 >rp_filter'
  ip -n "$1" addr add "$2" dev "${3:-lo}"
}

# Everything a reconciler may have changed on a machine, in a stable text: two of these are compared.
# Without what the other end of a cable decides.
machine_state() { kernel_state "$1"; changed_files "$1"; }

kernel_state() {
  in_ "$1" bash -c '
    ip -o link | sed "s/^[0-9]*: //; s/ qdisc [a-z]*//; s/ qlen.*//; s/NO-CARRIER,//; s/,LOWER_UP//; s/ state [A-Z]*//"; ip -o addr show scope global | sed "s/^[0-9]*: //; s/ *valid_lft.*//"
    ip route show table all | grep -vE "^(anycast|broadcast|local|multicast)|fe80|ff00"; ip rule
    nft list ruleset; ipvsadm -Sn; ipvsadm -L --timeout
    cd /proc/sys/net; grep -H . ipv4/ip_forward ipv4/ip_dynaddr ipv4/vs/conntrack ipv4/conf/all/{forwarding,arp_ignore,arp_announce} ipv6/conf/all/forwarding'
}

# Files under /etc and /kickstart that are not as the machine started with (the upper layer of its /etc holds just those).
changed_files() {
  (cd "$LAB/$1/etc.upper" && find . ! -type d ! -name '*.hash' ! -name cluster.json | sort | while read -r f; do
    cmp -s "$f" "/etc/$f" || echo "/etc/${f#./}"
  done)
  (cd "$LAB/disk/$1" && find . -type f | sed 's/^\.//' | sort)
}

# witness NAME COMMAND...: what a command really writes, see witness.py
witness() {
  local name=$1; shift
  modprobe nlmon; ip -n "$name" link add nlmon0 type nlmon; ip -n "$name" link set nlmon0 up
  in_ "$name" python3 -IS "$lab_tests/witness.py" "$@"
  ip -n "$name" link del nlmon0
}

# background NAME COMMAND...: sets $background to the command's own process number
background() {
  local name=$1; shift
  if [ -n "${machine_pid[$name]:-}" ]; then (exec nsenter -t "${machine_pid[$name]}" -m -u -n -- "$@") </dev/null &
  else (exec ip netns exec "$name" "$@") </dev/null & fi
  background=$!
}
