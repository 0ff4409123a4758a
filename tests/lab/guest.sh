# The second lab machine, from outside: a Debian with systemd and sshd on a disk of its own, in an emulated PC that
# can be reset at any moment. Sourced by tests/lab/guest and by tests/lab/g/*.sh.
#
#   guest_up                     boots it (from the image as it was made), until it takes commands
#   inside COMMAND [ARGUMENT...] runs there as root; stdout, stderr and exit code become ours; one word is a script.
#                                -t SECONDS limits it (124); 125: the machine was reset, or died, meanwhile
#   booted                       waits until the boot is over; prints "running", or "degraded" and the failed units
#   guest_reset                  the reset button: what was not written to the disk is lost. Waits until it is up again
#   guest_press, guest_back [S]  the same in two steps, for whoever wants to act between
#   guest_monitor COMMAND        QEMU's monitor: stop, cont, ...
#   guest_mail                   a directory: here $guest_mail, inside /run/lab/mail. It outlives a reset, writes at once
#   guest_install                what the package would: the program, its units (neither enabled nor started), /etc/lvs-reconcile
#   guest_down                   off, and its disk forgotten; also happens by itself when the shell ends
#
# Inside, `op COMMAND` runs on the operator's computer, 192.0.2.1 on the cable of eth0 (192.0.2.2), and
# `op ssh director COMMAND` logs in from there; real servers 10.0.0.11 and .12 are on the cable of eth1. They are
# namespaces of the guest, made again at each boot. /etc/lab/addresses inside holds what configures eth0 at boot.
# The project is at /run/lab/repo, the program under test in /run/lab/mail/bin. No network of this machine is used.
# To reset at an instant of a program inside, it can do so itself: echo b >/proc/sysrq-trigger.
# shellcheck shell=bash
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
guest_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); guest_repo=$(cd "$guest_tests/../.." && pwd)
export LVS_LAB_DIR=${LVS_LAB_DIR:-$guest_repo/target/lab}
guest_pid='' guest_run='' guest_boots=0
exec {guest_never}<> <(:)   # nothing ever comes: reading it with a time limit sleeps without a process

guest_sleep() { read -rt "$1" -u "$guest_never" _; true; }
guest_die() { echo "guest: $*" >&2; tail -n 25 "$guest_run/console" "$guest_run/qemu.log" >&2 2>/dev/null; return 125; }

guest_up() {
  local disk=$LVS_LAB_DIR/guest kernel
  "$guest_tests/guest-image" || return 125
  kernel=$(compgen -G "$LVS_LAB_DIR/kernel/boot/vmlinuz-*" | sort -V | tail -1)
  guest_boots=0 guest_run=$(mktemp -d "${TMPDIR:-/tmp}/lvs-guest.XXXXXX"); guest_mail=$guest_run/mail
  mkdir -p "$guest_mail/bin"; mkfifo "$guest_run"/{bell,mon}.{in,out}
  [ ! -x "${LVS_BINARY:=$guest_repo/target/release/lvs-reconcile}" ] || cp "$LVS_BINARY" "$guest_mail/bin/lvs-reconcile"
  trap guest_down EXIT
  # snapshot=on: writes go to a file without a name that this QEMU keeps, over any number of resets, and nobody else.
  # It ignores flushes, which tests nothing less: a reset loses the guest's memory, not what the disk was given.
  # setpriv: no machine outlives its test, however that ends.
  setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg,thread=multi -cpu "${VM_CPU:-Nehalem}" -machine q35 \
    -smp "${GUEST_CPUS:-2}" -m "${GUEST_MEMORY:-768}" -display none -nodefaults -no-user-config -nic none \
    -kernel "$kernel" -initrd "$disk/initrd" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off no5lvl apparmor=0 audit=0 cryptomgr.notests random.trust_cpu=on systemd.show_status=0 ${VM_APPEND:-}" \
    -drive "file=$disk/disk.ext4,format=raw,if=none,id=disk,snapshot=on" -device virtio-blk-pci,drive=disk \
    -serial "file:$guest_run/console" -device virtio-serial \
    -chardev "pipe,id=bell,path=$guest_run/bell" -device virtserialport,chardev=bell,nr=1 \
    -chardev "pipe,id=mon,path=$guest_run/mon" -mon chardev=mon,mode=control \
    -virtfs "local,path=$guest_mail,mount_tag=mail,security_model=none" \
    -virtfs "local,path=$guest_repo,mount_tag=repo,security_model=none,readonly=on" \
    </dev/null >"$guest_run/qemu.log" 2>&1 &
  guest_pid=$!
  # Whoever opens a pipe waits for the other end: both ends, then, so that a QEMU that could not start holds up nobody.
  exec {guest_bell}<>"$guest_run/bell.in" {guest_mon}<>"$guest_run/mon.in"
  cat "$guest_run/mon.out" >"$guest_run/mon.log" &
  guest_monitor_log=$!
  printf '%s\n' '{"execute":"qmp_capabilities"}' >&"$guest_mon"
  # shellcheck disable=SC2119
  guest_back
}

guest_alive() { [ -n "$guest_pid" ] && kill -0 "$guest_pid" 2>/dev/null; }

guest_monitor() { printf '{"execute":"%s"}\n' "$1" >&"$guest_mon"; }

# Not until QEMU says so: a boot that was about to report itself up may still do it.
guest_press() {
  local before; before=$(guest_resets)
  guest_monitor system_reset
  while [ "$(guest_resets)" = "$before" ] && guest_alive; do guest_sleep 0.02; done
  rm -f "$guest_mail/up"
}
guest_resets() { grep -c '"event": "RESET"' "$guest_run/mon.log"; }

# shellcheck disable=SC2120
guest_back() {
  local end=$((SECONDS + ${1:-180})) stuck=$((SECONDS + 60))
  until [ -s "$guest_mail/up" ]; do
    guest_alive || { guest_die "the machine died"; return; }
    [ $SECONDS -lt $end ] || { guest_die "not up within ${1:-180} s"; return; }
    if [ $SECONDS -ge $stuck ] && guest_is_stuck; then
      echo "# the emulated machine does not reach its disk; reset once more"
      guest_press; stuck=$((SECONDS + 60))
    fi
    guest_sleep 0.05
  done
  guest_boots=$(guest_disks)
}

# Now and then an emulated processor does not come out of a reset. Nothing that is tested has run by then: the disk is
# reached once in each boot, before the first program on it.
guest_is_stuck() { [ "$(guest_disks)" -le "$guest_boots" ]; }
guest_disks() { grep -c 'lab: the disk is there' "$guest_run/console"; }

# shellcheck disable=SC2119
guest_reset() { guest_press; guest_back; }

inside() {
  local limit=${GUEST_SECONDS:-300} name boot rc='' end tick=0.05 out err
  [ "${1:-}" != -t ] || { limit=$2; shift 2; }
  boot=$(cat "$guest_mail/up" 2>/dev/null) || { guest_die "the machine is not up"; return; }
  name=$EPOCHREALTIME.$BASHPID end=$((SECONDS + limit))
  if [ $# -eq 1 ]; then printf '%s\n' "$1"; else printf '%q ' "$@"; fi >"$guest_mail/$name.cmd"
  : >"$guest_mail/$name.out"; : >"$guest_mail/$name.err"
  exec {out}<"$guest_mail/$name.out" {err}<"$guest_mail/$name.err"
  echo "$name" >&"$guest_bell"
  # While it runs, what it has said so far is passed on, but not for each of the many that end at once.
  until [ -s "$guest_mail/$name.rc" ]; do
    if [ $SECONDS -ge $end ]; then rc=124; break; fi
    if ! guest_alive || [ "$(cat "$guest_mail/up" 2>/dev/null)" != "$boot" ]; then rc=125; break; fi
    [ $SECONDS -lt $((end - limit + 2)) ] || { tick=0.25; cat <&"$out"; cat <&"$err" >&2; }
    guest_sleep $tick
  done
  cat <&"$out"; cat <&"$err" >&2
  exec {out}<&- {err}<&-
  [ -n "$rc" ] || read -r rc <"$guest_mail/$name.rc"
  rm -f "$guest_mail/$name".*
  return "$rc"
}

# shellcheck disable=SC2016
booted() { inside 's=$(systemctl is-system-running --wait); echo $s; [ $s = running ] || systemctl list-units --failed --plain --no-legend'; }

guest_install() {
  [ -x "$guest_mail/bin/lvs-reconcile" ] || { echo "guest: no $LVS_BINARY" >&2; return 1; }
  inside 'install -m 755 /run/lab/mail/bin/lvs-reconcile /usr/sbin/ && install -m 644 /run/lab/repo/packaging/systemd/*.service /lib/systemd/system/ &&
    mkdir -p /etc/lvs-reconcile && systemctl daemon-reload'
}

guest_down() {
  [ -n "$guest_run" ] || return 0
  if guest_alive; then kill "$guest_pid"; wait "$guest_pid" 2>/dev/null; fi
  kill "$guest_monitor_log" 2>/dev/null; wait "$guest_monitor_log" 2>/dev/null
  exec {guest_bell}>&- {guest_mon}>&-
  [ -n "${GUEST_KEEP:-}" ] || rm -rf "$guest_run"
  guest_run='' guest_pid=''
}
