#!/bin/bash
# Twelve changes that lock the operator out, each made through his own ssh connection. Our process is killed at one
# moment or another, and the machine is reset once: he always comes in again, by a new connection, and finds everything
# as it was.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../guest.sh"
guest_up || exit
check_run 'the package installs' guest_install
inside 'modprobe -a dummy bonding 8021q bridge; systemctl -q enable lvs-reconcile-recover lvs-reconcile-boot'
verified=$(inside 'systemd-analyze verify lvs-reconcile-recover.service' 2>&1 | grep -v 'man:.*failed\|Command .man')
check 'systemd finds nothing to say about the unit that recovers' "$verified" ''

mkdir "$guest_mail/documents"
jq 'del(.vips, .services, ."$schema")' "$guest_repo/examples/minimal.json" >"$guest_mail/documents/base"
variant() { jq ".directors[0] |= ($2)" "$guest_mail/documents/base" >"$guest_mail/documents/$1"; }
variant another-address '.interfaces[0].addresses = ["192.0.2.3/24"]'
variant another-network '.interfaces[0].addresses = ["198.51.100.2/24"]'
variant longer-prefix '.interfaces[0].addresses = ["192.0.2.2/31"]'
variant interface-down '.interfaces[0].up = false'
variant into-a-bridge '.interfaces[0] = {name: "eth0"} | .interfaces += [{name: "br0", role: "outside", bridge: {members: ["eth0"]}}]'
variant into-a-bond '.interfaces[0] = {name: "eth0"} | .interfaces += [{name: "bond0", role: "outside", bond: {members: ["eth0"]}}]'
variant harmless '.sysctls = [{name: "net.ipv4.ip_dynaddr", value: "1"}]'
variant onto-a-vlan 'del(.interfaces[0].addresses) | .interfaces += [{name: "eth0.5", vlan: {parent: "eth0", id: 5}, addresses: ["192.0.2.2/24"]}]'
variant onto-a-dummy 'del(.interfaces[0].addresses) | .interfaces += [{name: "d0", dummy: {}, addresses: ["192.0.2.2/24"]}]'
variant onto-the-inside 'del(.interfaces[0].addresses) | .interfaces[1].addresses += ["192.0.2.2/24"]'
variant route-to-the-operator '.routes = [{to: "192.0.2.1/32", via: "10.0.0.11"}]'
variant route-to-his-network '.routes = [{to: "192.0.2.0/25", via: "10.0.0.11"}]'
cp "$guest_mail/documents/base" "$guest_mail/documents/destroy"

cat >"$guest_mail/lockout" <<'S'
cd /run/lab/mail/documents; change=$1 pause=$2 command=apply
[ "$change" != destroy ] || command=destroy
waits() { ls /var/lib/lvs-reconcile/pending/*/window.json >/dev/null 2>&1; }
comes_in() { op ssh -o ConnectTimeout=3 director true 2>/dev/null; }
cp "$change" /etc/lvs-reconcile/cluster.json
timeout 60 op ssh -n -o ServerAliveInterval=2 director "lvs-reconcile $command --yes --node dir1 --confirm-within 10s" >/tmp/said 2>&1 &
for i in $(seq 200); do waits && break; sleep 0.1; done
waits || { echo "no window:"; cat /tmp/said; exit; }
sleep "$pause"; pkill -KILL -x lvs-reconcile && echo killed
[ "$pause" != 4 ] || { comes_in && echo 'still comes in' || echo 'locked out'; }
for i in $(seq 120); do waits || break; sleep 0.25; done
for i in $(seq 20); do comes_in && { echo 'comes in again'; break; }; sleep 0.5; done
cp base /etc/lvs-reconcile/cluster.json
for i in $(seq 20); do lvs-reconcile plan --node dir1 --detailed-exitcode >/tmp/plan 2>&1 && { echo 'as it was'; break; }; sleep 0.5; done
tail -3 /tmp/plan | grep -v 'Nothing to do'
lvs-reconcile history | tail -1 | grep -o 'taken back'
S

# --- a director whose addresses are ours ---
inside 'cp /run/lab/mail/documents/base /etc/lvs-reconcile/cluster.json; lvs-reconcile apply --yes --node dir1' >/dev/null
inside "lvs-reconcile adopt --node dir1 'address eth0 192.0.2.2/24'" >/dev/null
said=$(inside 'cp /run/lab/mail/documents/another-address /etc/lvs-reconcile/cluster.json; op ssh director lvs-reconcile apply --yes --node dir1' 2>&1); code=$?
check 'over ssh a change of the way in is refused' $code 6
check_has 'and the message names the way out' "$said" '--confirm-within'

# --- every change; killed at the start, in the middle, or when all is done ---
pauses=(4 0.2 0.7 4 1.5 4 0.5 4 1 4 0.3 4) at=0 recovered=0
for change in another-address another-network longer-prefix interface-down into-a-bridge into-a-bond onto-a-vlan onto-a-dummy \
              onto-the-inside route-to-the-operator route-to-his-network destroy; do
  said=$(inside -t 150 bash /run/lab/mail/lockout $change "${pauses[$at]}")
  case $said in *'comes in again'*'as it was'*'taken back'*) recovered=$((recovered + 1)); ok "$change, killed after ${pauses[$at]} s: he comes in again";;
    *) bad "$change, killed after ${pauses[$at]} s: he comes in again"; sed 's/^/    | /' <<<"$said"; inside 'journalctl -b --no-pager -o cat | grep -i reconcile | tail -8; ip -br addr; lvs-reconcile history' | sed 's/^/    | /';;
  esac
  if [ "${pauses[$at]}" = 4 ]; then check_has "$change was a lock-out" "$said" 'locked out'; fi
  at=$((at + 1))
done
echo "# lock-outs recovered: $recovered of $at"

# --- confirmed from a new connection, it stays ---
inside 'cp /run/lab/mail/documents/harmless /etc/lvs-reconcile/cluster.json
  op ssh director lvs-reconcile apply --yes --node dir1 --confirm-within 30s' >"$guest_mail/said" 2>&1
id=$(grep -o 'confirm [0-9]*$' "$guest_mail/said"); id=${id#* }
check 'a timer of systemd is armed' "$(inside systemctl is-active "lvs-reconcile-revert-$id.timer")" active
check_run 'a new connection confirms' inside op ssh director lvs-reconcile confirm "$id"
check 'the timer is gone' "$(inside systemctl is-active "lvs-reconcile-revert-$id.timer")" inactive
check 'the change stays' "$(inside cat /proc/sys/net/ipv4/ip_dynaddr)" 1

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
