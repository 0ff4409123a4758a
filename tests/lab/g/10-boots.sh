#!/bin/bash
# The machine itself: what tests of the confirm window rely on, before any of them does.
. "$(dirname "$0")/../lib.sh"; . "$(dirname "$0")/../guest.sh"
guest_up || exit

# --- systemd, sshd, modules ---
check 'systemd is up, no unit failed' "$(booted)" running
echo "# $(inside systemd-analyze time | head -1)"
check_run 'ip_vs and dummy load' inside modprobe -a ip_vs dummy
# shellcheck disable=SC2016
check_has 'the operator logs in over the network' "$(inside op ssh director 'echo $SSH_CONNECTION')" '^192.0.2.1 [0-9]+ 192.0.2.2 22$'
check_exit 'not with another key' 255 inside 'ssh-keygen -q -t ed25519 -N "" -f /run/other; op ssh -o IdentitiesOnly=yes -i /run/other director true'
inside ip addr del 192.0.2.2/24 dev eth0
check_exit 'without its address the machine locks the operator out' 255 inside op ssh -o ConnectTimeout=3 director true
inside ip addr add 192.0.2.2/24 dev eth0
check_run 'with it, it lets him in again' inside op ssh director true

# --- timers of systemd: precise only if told to be, the default is a minute ---
inside 'systemd-run -q --on-active=3 touch /run/plain
        systemd-run -q --on-active=3 --timer-property=AccuracySec=100ms touch /run/precise'
began=$SECONDS
check_until 'a timer with a precision fires' 8 inside test -e /run/precise
check_until 'a timer without one fires within its minute' 70 inside test -e /run/plain
echo "# which took $((SECONDS - began)) s"

# --- the reset button ---
inside 'systemd-run -q --on-active=20 --timer-property=AccuracySec=100ms --unit=forgotten touch /root/forgotten
        echo kept >/root/kept; sync /root/kept; echo lost >/root/lost'
boot=$(inside cat /proc/sys/kernel/random/boot_id)
guest_reset || exit
check 'it is up after a reset' "$(booted)" running
check_not 'which was a boot' "$(inside cat /proc/sys/kernel/random/boot_id)" "$boot"
check 'a file written through to the disk is there' "$(inside cat /root/kept)" kept
echo "# one that was not is $(inside 'if [ -s /root/lost ]; then echo there too; elif [ -e /root/lost ]; then echo empty; else echo not there; fi')"
check 'a timer does not outlive a reset' "$(inside 'systemctl list-timers --all | grep -c forgotten; ls /root/forgotten 2>/dev/null')" 0
check_run 'the operator logs in again' inside op ssh director true
# Returns when it is up once more: until then nothing says that this boot has ended.
check_exit 'a program inside can reset it too' 125 inside 'echo b >/proc/sysrq-trigger; sleep 60'
check 'and it is up again' "$(booted)" running
guest_down
