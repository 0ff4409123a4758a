#!/bin/bash
# Reset in the middle of a run, with a disk: the run is stopped just after a call that it makes (strace), and then there
# is no power. After the boot every file is the old one or the new one, the last good document is in force, the history
# says what happened, and the run can be made again.
. "$(dirname "$0")/../../lib.sh"; . "$(dirname "$0")/../../guest.sh"
guest_up || exit
guest_install
inside 'systemctl -q enable lvs-reconcile-recover lvs-reconcile-boot'
# The guest is the same Debian as this machine: what runs here runs there.
cp "$(command -v strace)" "$guest_mail/bin/"; mkdir "$guest_mail/lib"
ldd "$(command -v strace)" | awk '$3 ~ /unwind|lzma/ { print $3 }' | xargs -rI{} cp -L {} "$guest_mail/lib"

mkdir "$guest_mail/documents"
jq '. + { domain: "example.com", etcHosts: true, firewall: { forwardPolicy: "drop", masquerade: true } }' \
  "$guest_repo/examples/minimal.json" >"$guest_mail/documents/old"
jq '.services[0].scheduler = "sh" | .realServers += [{ name: "rs3", address: "10.0.0.13" }] | .firewall.helpers = ["ftp"] |
  .directors[0].sysctls = [{ name: "net.ipv4.ip_dynaddr", value: "1" }]' "$guest_mail/documents/old" >"$guest_mail/documents/new"

cat >"$guest_mail/run" <<'S'
# run NAME OPTION... COMMAND...: the program on that document, traced; ends when it does, or when it is stopped
cp "/run/lab/mail/documents/$1" /etc/lvs-reconcile/cluster.json; sync -f /etc; shift
export LD_LIBRARY_PATH=/run/lab/mail/lib; trace=/run/trace; rm -f $trace
/run/lab/mail/bin/strace -y -s 64 -e trace=fsync,sendto,renameat,rename -o $trace "$@" >/run/said 2>&1 & it=$!
until grep -q 'stopped by SIGSTOP' $trace 2>/dev/null; do kill -0 $it 2>/dev/null || { wait $it; exit; }; sleep 0.05; done
echo stopped
S
run() { inside -t 240 bash /run/lab/mail/run "$@"; }
undisturbed() { inside "cp /run/lab/mail/documents/$1 /etc/lvs-reconcile/cluster.json; lvs-reconcile apply --yes" 2>&1; }

# What the boot found, before it changed anything.
files='/etc/hosts /etc/sysctl.d/60-lvs-reconcile.conf /etc/modules-load.d/lvs-reconcile.conf'
cat >"$guest_mail/look.conf" <<U
[Service]
ExecStartPre=-/bin/bash -c '[ -e /run/found ] || { cksum $files >/run/found 2>&1; lvs-reconcile history >/run/found.history; }'
U
inside 'mkdir -p /etc/systemd/system/lvs-reconcile-boot.service.d
  cp /run/lab/mail/look.conf /etc/systemd/system/lvs-reconcile-boot.service.d/; systemctl daemon-reload'
of_files() { inside "cksum $files"; }
in_force() { inside 'ipvsadm -Sn; nft list table inet lvs_reconcile | sed "s/packets.*bytes [0-9]*//"; cat /proc/sys/net/ipv4/ip_dynaddr; sha256sum </var/lib/lvs-reconcile/last-good.json'; of_files; }

# --- undisturbed: both documents, and the calls between them ---
check_has 'the old document is applied' "$(undisturbed old)" '^done: '
old=$(of_files) was=$(in_force)
check_run 'the new one too' run new lvs-reconcile apply --yes
inside cat /run/trace >"$guest_mail/apply.trace"
new=$(of_files)
check_not 'the new one changes every file' "$(comm -12 <(echo "$old" | sort) <(echo "$new" | sort))" .
check_run 'and taken back' run new lvs-reconcile rollback --yes
inside cat /run/trace >"$guest_mail/rollback.trace"
check 'a rollback leads back' "$(in_force)" "$was"

# nth first|last TRACE PATTERN: "renameat 3" is the third of its kind
nth() { awk -v p="$3" '{ call = $0; sub(/\(.*/, "", call); n[call]++ } $0 ~ p { print call, n[call] }' "$guest_mail/$2.trace" | if [ "$1" = first ]; then head -n 1; else tail -n 1; fi; }

resets=0 kept=0
# reset_at WHAT COMMAND BOUNDARY HISTORY: stopped there and reset
reset_at() {
  local what=$1 call=${3% *} n=${3#* } said now torn
  [ -n "$3" ] || { bad "$what: no such call"; return; }
  said=$(run new -e "inject=$call:signal=STOP:when=$n" lvs-reconcile "$2" --yes)
  if [ "$said" != stopped ]; then bad "$what: stopped at $3"; inside cat /run/said | sed 's/^/    | /'; return; fi
  guest_reset || exit
  check "$what: the boot ends" "$(booted)" running
  resets=$((resets + 1))
  torn=$(inside cat /run/found | grep -vxFf <(echo "$old"; echo "$new"))
  check "$what: every file was the old one or the new one" "$torn" ''
  now=$(in_force)
  check "$what: the last good document is in force" "$now" "$was"
  [ "$now" != "$was" ] || kept=$((kept + 1))
  check_has "$what: the history says so" "$(inside tail -n 1 /run/found.history)" "$4"
  check_has "$what: the next run converges" "$(undisturbed new)" '^done: '
}
again() { undisturbed old >/dev/null; }

reset_at 'the journal is on disk, and nothing done' apply "$(nth first apply '^fsync.*/pending/[0-9]+>')" 'cut off'; again
reset_at 'half of the services changed' apply "$(nth first apply '^sendto.*nlmsg_type=(IPVS|0x[0-9a-f]+).*NLM_F_REQUEST([|]NLM_F_ACK)?, ')" 'cut off'; again
reset_at 'the first file is in its place' apply "$(nth first apply '^renameat.*lvs-reconcile-new')" 'cut off'; again
reset_at 'the last file is, and no directory is on disk' apply "$(nth last apply '^renameat.*lvs-reconcile-new')" 'cut off'; again
reset_at 'all is done, and the run not closed' apply "$(nth first apply '^renameat.*/owned.json')" 'cut off'; again
reset_at 'the run is closed, and its document not kept' apply "$(nth last apply '^fsync.*/pending>')" 'done'
reset_at 'in the middle of a rollback' rollback "$(nth first rollback '^renameat.*lvs-reconcile-new')" 'taken back'
figure "P8 guest: $resets resets, $kept times the last good document in force after the boot"
guest_down
