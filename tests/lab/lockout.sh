# Changes that lock the operator out, made over his own ssh, and the ways to die while making them: he must come in
# again, by a new connection, and find everything as it was. Sourced, after guest.sh, by tests/lab/lockouts and by
# g/30-lockout.sh.
#
#   lockout_changes              their names; after lockout_prepare each is a document in $guest_mail/documents
#   lockout_ways                 hang-up, kill, abort (as a panic ends), disk (full), reset (button), memory (the kernel
#                                kills us for it)
#   lockout_prepare              the package, the units that recover, and a director whose addresses are ours
#   lockout CHANGE WAY [MOMENT]  one of them, with a window of 10 s. MOMENT: seconds after the timer is armed, or "cut",
#                                the default: he has just been cut off, and the rest of the run is still to come.
#                                Sets lockout_said (facts, a line each) and lockout_seconds (from the cut to the first
#                                connection that works)
#   lockout_recovered CHANGE WAY [MOMENT]   the same; true when all is well. Else lockout_why says what is not
# shellcheck shell=bash disable=SC2034,SC2154
lockout_changes=(another-address another-network longer-prefix interface-down into-a-bridge into-a-bond onto-a-vlan onto-a-dummy
                 onto-the-inside route-to-the-operator route-to-his-network destroy)
lockout_ways=(hang-up kill abort disk reset memory)
# The shortest window there is; what is promised beyond it; what an emulated machine may take longer for a login; and for
# a boot.
lockout_window=10 lockout_promised=5 lockout_slack=5
lockout_boot=300

lockout_prepare() {
  guest_install || return
  inside 'modprobe -a dummy bonding 8021q bridge; printf "%s\n" dummy bonding 8021q bridge >/etc/modules-load.d/lab.conf
    systemctl -q enable lvs-reconcile-recover lvs-reconcile-boot
    # A notebook that is gone is noticed.
    printf "ClientAliveInterval 1\nClientAliveCountMax 2\n" >/etc/ssh/sshd_config.d/alive.conf; systemctl reload ssh'
  mkdir -p "$guest_mail/documents"
  jq 'del(.vips, .services, ."$schema") | .etcHosts = true | .directors[0].sysctls = [{name: "net.ipv4.ip_dynaddr", value: "1"}]' \
    "$guest_repo/examples/minimal.json" >"$guest_mail/documents/base"
  lockout_document another-address '.interfaces[0].addresses = ["192.0.2.3/24"]'
  lockout_document another-network '.interfaces[0].addresses = ["198.51.100.2/24"]'
  lockout_document longer-prefix '.interfaces[0].addresses = ["192.0.2.2/31"]'
  lockout_document interface-down '.interfaces[0].up = false'
  lockout_document into-a-bridge '.interfaces[0] = {name: "eth0"} | .interfaces += [{name: "br0", role: "outside", bridge: {members: ["eth0"]}}]'
  lockout_document into-a-bond '.interfaces[0] = {name: "eth0"} | .interfaces += [{name: "bond0", role: "outside", bond: {members: ["eth0"]}}]'
  lockout_document onto-a-vlan 'del(.interfaces[0].addresses) | .interfaces += [{name: "eth0.5", vlan: {parent: "eth0", id: 5}, addresses: ["192.0.2.2/24"]}]'
  lockout_document onto-a-dummy 'del(.interfaces[0].addresses) | .interfaces += [{name: "d0", dummy: {}, addresses: ["192.0.2.2/24"]}]'
  lockout_document onto-the-inside 'del(.interfaces[0].addresses) | .interfaces[1].addresses += ["192.0.2.2/24"]'
  lockout_document route-to-the-operator '.routes = [{to: "192.0.2.1/32", via: "10.0.0.11"}]'
  lockout_document route-to-his-network '.routes = [{to: "192.0.2.0/25", via: "10.0.0.11"}]'
  cp "$guest_mail/documents/base" "$guest_mail/documents/destroy"
  # Nobody else configures eth0 at boot.
  inside 'cp /run/lab/mail/documents/base /etc/lvs-reconcile/base.json; cp /run/lab/mail/documents/base /etc/lvs-reconcile/cluster.json
    lvs-reconcile apply --yes --node dir1 >/dev/null && lvs-reconcile adopt --node dir1 "address eth0 192.0.2.2/24" && rm /etc/lab/addresses' >/dev/null
}
lockout_document() { jq ".directors[0] |= ($2)" "$guest_mail/documents/base" >"$guest_mail/documents/$1"; }

# From the console, so that one that was not recovered is not found again by the next.
lockout_repair() {
  inside 'rm -f /fill /ballast; lvs-reconcile rollback --unfinished --yes; cp /etc/lvs-reconcile/base.json /etc/lvs-reconcile/cluster.json
    lvs-reconcile apply --yes --node dir1' >/dev/null 2>&1
}

lockout() {
  local began=${EPOCHREALTIME/./} back
  lockout_said=$(inside -t 400 bash /run/lab/repo/tests/lab/lockout-inside change "$1" "$2" "${3:-cut}" 2>&1)
  # After a reset: what says that it is up again is written in two steps.
  # shellcheck disable=SC2119
  guest_back || return
  back=${EPOCHREALTIME/./}
  lockout_said+=$'\n'$(inside -t 150 bash /run/lab/repo/tests/lab/lockout-inside back 2>&1)
  lockout_seconds=$(awk -v gone=$(((back - began) / 1000)) '$1 == "cut" { cut = $2 } $1 == "in" { came = $2 }
    END { if (cut && came) printf "%.1f", (gone + came - cut) / 1000 }' <<<"$lockout_said")
}

lockout_recovered() {
  local fact facts=(in 'as it was' 'taken back') limit=$((lockout_window + lockout_promised + lockout_slack))
  lockout "$@"
  case ${3:-cut} in
    4) facts+=('locked out');;
    cut) facts+=(cut 'locked out')
      case $2 in
        # The run itself may still find a block that somebody gave back.
        disk) facts+=('refused without room' 'no room');;
        memory) facts+=('killed for memory' died);;
        reset) limit=$lockout_boot;;
        *) facts+=(died);;
      esac;;
  esac
  lockout_why=''
  for fact in "${facts[@]}"; do grep -qE "^$fact( [0-9]+)?\$" <<<"$lockout_said" || lockout_why+="${lockout_why:+, }not: $fact"; done
  if [ -n "$lockout_seconds" ] && awk "BEGIN { exit $lockout_seconds <= $limit }"; then lockout_why+="${lockout_why:+, }after $lockout_seconds s"; fi
  [ -z "$lockout_why" ]
}
