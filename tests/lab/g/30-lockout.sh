#!/bin/bash
# Twelve changes that lock the operator out, each made through his own ssh connection. Our process is killed at one
# moment or another, and the machine is reset once: he always comes in again, by a new connection, and finds everything
# as it was. tests/lab/lockouts has the other ways to die.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../guest.sh"; . "$(dirname "$0")/../lockout.sh"
guest_up || exit
check_run 'the package installs, and a director is ours' lockout_prepare
verified=$(inside 'systemd-analyze verify lvs-reconcile-recover.service' 2>&1 | grep -v 'man:.*failed\|Command .man')
check 'systemd finds nothing to say about the unit that recovers' "$verified" ''
lockout_document harmless '.sysctls[0].value = "2"'
said=$(inside 'cp /run/lab/mail/documents/another-address /etc/lvs-reconcile/cluster.json; op ssh director lvs-reconcile apply --yes --node dir1' 2>&1); code=$?
check 'over ssh a change of the way in is refused' $code 6
check_has 'and the message names the way out' "$said" '--confirm-within'

# --- every change; killed at the start, as soon as he is cut off, or when all is done ---
moments=(cut 0.2 0.7 4 1.5 cut 0.5 4 1 cut 0.3 4) at=0 recovered=0
for change in "${lockout_changes[@]}"; do
  moment=${moments[$at]} at=$((at + 1))
  text="$change, killed ${moment/#[0-9]*/after $moment s}: he comes in again"
  if lockout_recovered "$change" kill "$moment"; then recovered=$((recovered + 1)); ok "$text"
  else
    bad "$text"; echo "    $lockout_why"; sed 's/^/    | /' <<<"$lockout_said"
    inside 'journalctl -b --no-pager -o cat | grep -i reconcile | tail -8; ip -br addr; lvs-reconcile history' | sed 's/^/    | /'
  fi
done
figure "P1 guest: $recovered of $at lock-outs recovered after SIGKILL"

# --- confirmed from a new connection, it stays ---
inside 'cp /run/lab/mail/documents/harmless /etc/lvs-reconcile/cluster.json
  op ssh director lvs-reconcile apply --yes --node dir1 --confirm-within 30s' >"$guest_mail/said" 2>&1
id=$(grep -o 'confirm [0-9]*$' "$guest_mail/said"); id=${id#* }
check 'a timer of systemd is armed' "$(inside systemctl is-active "lvs-reconcile-revert-$id.timer")" active
check_run 'a new connection confirms' inside op ssh director lvs-reconcile confirm "$id"
check 'the timer is gone' "$(inside systemctl is-active "lvs-reconcile-revert-$id.timer")" inactive
check 'the change stays' "$(inside cat /proc/sys/net/ipv4/ip_dynaddr)" 2

# --- the reset button inside the window ---
confirmed=$(inside 'sha256sum </var/lib/lvs-reconcile/last-good.json; cat /etc/sysctl.d/60-lvs-reconcile.conf')
inside 'cp /run/lab/mail/documents/another-network /etc/lvs-reconcile/cluster.json
  timeout 20 op ssh -n director lvs-reconcile apply --yes --node dir1 --confirm-within 10m' >/dev/null 2>&1
check_has 'a run waits' "$(inside lvs-reconcile history)" 'waits to be confirmed'
guest_reset || exit
check 'after a reset the boot ends' "$(booted)" running
check_has 'what was not confirmed is taken back' "$(inside lvs-reconcile history | tail -2)" 'taken back'
check 'the last good document, and files, are those that were confirmed' "$(inside 'sha256sum </var/lib/lvs-reconcile/last-good.json; cat /etc/sysctl.d/60-lvs-reconcile.conf')" "$confirmed"
check_run 'the operator comes in' inside op ssh -o ConnectTimeout=5 director true
guest_down
