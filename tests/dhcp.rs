//! The program and the real DHCP servers: a director with a network of its own, and behind a cable a machine that asks
//! for its address.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[allow(dead_code, reason = "shared with programs that judge exit codes")]
mod machine;

use machine::on_the_machine_with;

const DOCUMENT: &str = r#"{
  "version": 1,
  "domain": "cluster.example",
  "directors": [{
    "name": "dir1",
    "interfaces": [
      { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] },
      { "name": "eth1", "role": "inside", "addresses": ["172.16.0.1/16"] }
    ]
  }],
  "realServers": [
    { "name": "rs1", "address": "172.16.0.2", "mac": "02:00:00:00:00:11" },
    { "name": "rs2", "address": "172.16.0.3", "mac": "02:00:00:00:00:22" }
  ],
  "netboot": { "dhcp": { "first": "172.16.0.200", "last": "172.16.0.254", "backend": "auto" } }
}"#;

/// Copies of what daemons and the program write to; the other end of the inside cable is another machine's. At the end
/// everything that runs on either goes.
const CLUSTER: &str = r#"
[ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/1/ns/net)" ] || exit 99
mount -t tmpfs run /run; mkdir /run/lock; mount -t sysfs sys /sys
for d in /etc /var/lib; do
  mkdir -p /mnt/over$d/up /mnt/over$d/work
  mount -t overlay over -o lowerdir=$d,upperdir=/mnt/over$d/up,workdir=/mnt/over$d/work $d || exit 99
done
unshare -n sleep 600 & client=$!
end() {
  local here it; here=$(readlink /proc/self/ns/net)
  for it in /proc/[0-9]*; do
    [ "$(readlink $it/ns/net)" != "$here" ] || [ ${it#/proc/} = $$ ] || [ ${it#/proc/} = $BASHPID ] || kill -9 ${it#/proc/}
  done 2>/dev/null
  kill $client
}
trap end EXIT
while [ "$(readlink /proc/$client/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
ip link set far1 netns $client
at_client() { nsenter -t $client -n "$@"; }
at_client ip link set lo up; at_client ip link set far1 up
cat > /run/hook <<'HOOK'
#!/bin/sh
[ "$1" != bound ] || echo "$ip/$mask $hostname $domain $router $serverid"
HOOK
chmod +x /run/hook
ask() {
  at_client ip link set far1 down; at_client ip link set far1 address $1; at_client ip link set far1 up
  at_client busybox udhcpc -i far1 -n -q -f -t 8 -T 1 ${named:+-x hostname:$named} -s /run/hook 2>/dev/null || echo none
}
gets() { local got; got=$(ask $1); case $got in $2) ;; *) echo "$1 got '$got', not '$2'"; exit 98;; esac; }
rs1=02:00:00:00:00:11 rs2=02:00:00:00:00:22 stranger=02:00:00:00:00:99
served() {
  gets $rs1 "172.16.0.2/16 rs1 cluster.example 172.16.0.1 172.16.0.1"
  gets $rs2 "172.16.0.3/16 rs2 cluster.example 172.16.0.1 172.16.0.1"
  gets $stranger "172.16.0.2??/16 * cluster.example 172.16.0.1 172.16.0.1"
}
carrier() { until [ "$(cat /sys/class/net/eth1/carrier)" = $1 ]; do sleep 0.05; done; }
edit() { jq "$1" /mnt/cluster.json >/mnt/next.json && mv /mnt/next.json /mnt/cluster.json; }
backend() { edit ".netboot.dhcp.backend = \"$1\""; }
must() { "$@" || { echo "failed: $*"; exit 97; }; }
ends() { local code=$1; shift; "$@"; local got=$?; [ $got = $code ] || { echo "ended with $got, not $code: $*"; exit 96; }; }
pid() { local it; for it in $(pgrep -x $1); do [ "$(readlink /proc/$it/ns/net)" != "$(readlink /proc/self/ns/net)" ] || echo $it; done; }
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; exit 95; }; }
"#;

/// Runs the script on the director; every failure in it ends it.
#[track_caller]
fn passes(script: &str) -> String {
    let (code, text) = on_the_machine_with(DOCUMENT, &format!("{CLUSTER}\n{script}\nexit 0"));
    assert_eq!(code, 0, "{text}");
    text
}

#[track_caller]
fn says(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "nothing says {words:?}:\n{text}");
    }
}

#[test]
#[ignore = "needs root and the daemons"]
fn dhcpd_serves_and_takes_up_a_changed_reservation() {
    let text = passes(
        r#"backend isc-dhcp-server
        must lvs apply --yes; served; must lvs plan --detailed-exitcode
        edit '.realServers[0].address = "172.16.0.9"'
        must lvs apply --yes; gets $rs1 "172.16.0.9/16 rs1 *"; gets $rs2 "172.16.0.3/16 rs2 *""#,
    );
    says(
        &text,
        &[
            "dhcp backend: isc-dhcp-server (installed; named)",
            "dhcp backend: isc-dhcp-server (ours already; named)",
            "< 1 s, leases kept",
        ],
    );
}

/// The same process, the same socket: nothing was restarted.
#[test]
#[ignore = "needs root and the daemons"]
fn kea_serves_and_takes_up_a_changed_reservation_without_a_restart() {
    let text = passes(
        r#"must lvs apply --yes; served; must lvs plan --detailed-exitcode
        before="$(pid kea-dhcp4) $(stat -c %i /run/kea/kea4-ctrl-socket)"
        edit '.realServers[0].address = "172.16.0.9"'
        must lvs apply --yes
        same "$(pid kea-dhcp4) $(stat -c %i /run/kea/kea4-ctrl-socket)" "$before"
        gets $rs1 "172.16.0.9/16 rs1 *"; gets $rs2 "172.16.0.3/16 rs2 *"
        must lvs plan --detailed-exitcode"#,
    );
    says(
        &text,
        &[
            "dhcp backend: kea (installed; auto)",
            "replaces the package's own",
            "dhcp backend: kea (ours already; auto)",
            "reload (its configuration changed)",
        ],
    );
    assert!(!text.contains("restart ("), "{text}");
}

/// It reads its file while the cable is out, and does not look again by itself.
#[test]
#[ignore = "needs root and the daemons"]
fn kea_hears_clients_once_their_cable_is_in() {
    passes(
        r#"at_client ip link set far1 down; ip link set eth1 up; carrier 0; must lvs apply --yes; must lvs plan --detailed-exitcode
        at_client ip link set far1 up; carrier 1; ends 2 lvs plan --detailed-exitcode
        must lvs apply --yes; served; must lvs plan --detailed-exitcode"#,
    );
}

/// A reservation is a signal to the same process; what it reads only when it starts needs a restart.
#[test]
#[ignore = "needs root and the daemons"]
fn dnsmasq_serves_and_takes_up_a_changed_reservation_by_a_signal() {
    let text = passes(
        r#"backend dnsmasq
        must lvs apply --yes; served; must lvs plan --detailed-exitcode
        before=$(pid dnsmasq)
        edit '.realServers[0].address = "172.16.0.9"'
        must lvs apply --yes; same "$(pid dnsmasq)" "$before"
        gets $rs1 "172.16.0.9/16 rs1 *"; gets $rs2 "172.16.0.3/16 rs2 *"
        must lvs plan --detailed-exitcode
        edit '.netboot.dhcp.router = "172.16.0.7"'
        must lvs apply --yes; [ "$(pid dnsmasq)" != "$before" ] || exit 94
        gets $rs1 "172.16.0.9/16 rs1 cluster.example 172.16.0.7 *"
        must lvs plan --detailed-exitcode"#,
    );
    says(
        &text,
        &[
            "dhcp backend: dnsmasq (installed; named)",
            "read again (its reservations changed)",
            "restart (its configuration changed)",
            "< 5 s, its DNS too; leases kept",
        ],
    );
}

/// It resolves names for this machine before, meanwhile and afterwards, and DHCP is served inside only.
#[test]
#[ignore = "needs root and the daemons"]
fn dns_of_the_administrator_stays() {
    let text = passes(
        r#"backend dnsmasq
        echo 'address=/kept.example/192.0.2.99' >/etc/dnsmasq.d/admin
        must service dnsmasq start
        resolves() { busybox nslookup -type=a kept.example $1 | grep -q 192.0.2.99; }
        must resolves 127.0.0.1
        must lvs apply --yes; served
        must resolves 127.0.0.1; must resolves 192.0.2.2; must at_client ip addr add 172.16.0.2/16 dev far1
        must at_client busybox nslookup -type=a kept.example 172.16.0.1
        ip link set far0 netns $client; at_client ip link set far0 up
        same "$(at_client busybox udhcpc -i far0 -n -q -f -t 4 -T 1 -s /run/hook 2>/dev/null)" ""
        server=$(pid dnsmasq); must lvs destroy --yes; same "$(pid dnsmasq)" "$server"; must resolves 127.0.0.1
        same "$(ls -A /etc/dnsmasq.d | tr '\n' ' ')" "README admin ""#,
    );
    says(
        &text,
        &[
            "dnsmasq was not started by us and goes on: it serves the leases that it has read until you restart it",
        ],
    );
}

#[test]
#[ignore = "needs root and the daemons"]
fn auto_keeps_whom_it_has_and_takes_who_runs() {
    let text = passes(
        r#"backend isc-dhcp-server; must lvs apply --yes >/dev/null
        must service isc-dhcp-server stop >/dev/null; backend auto; lvs plan
        edit 'del(.netboot)'; must lvs apply --yes >/dev/null
        echo 'dhcp-range=172.16.0.200,172.16.0.254' >/etc/dnsmasq.d/admin; must service dnsmasq start >/dev/null
        edit '.netboot.dhcp = { first: "172.16.0.200", last: "172.16.0.254" }'; lvs plan"#,
    );
    says(
        &text,
        &[
            "dhcp backend: isc-dhcp-server (ours already; auto)",
            "dhcp backend: dnsmasq (runs; auto)",
        ],
    );
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_backend_that_is_not_installed_is_a_problem() {
    let text = passes(
        r#"mount --bind /dev/null /usr/sbin/kea-dhcp4; backend kea; ends 1 lvs apply --yes; backend auto; lvs plan"#,
    );
    says(
        &text,
        &[
            "netboot.dhcp.backend: kea is not installed on dir1; install kea-dhcp4-server (Debian) or kea (Red Hat), \
             or name one that is: \"isc-dhcp-server\", \"dnsmasq\", \"auto\"",
            "dhcp backend: isc-dhcp-server (installed; auto)",
        ],
    );
}

/// The one stops before the other starts: both want one port.
#[test]
#[ignore = "needs root and the daemons"]
fn a_backend_gives_way_to_the_one_that_is_named() {
    passes(
        r#"shipped=$(md5sum /etc/kea/kea-dhcp4.conf)
        for it in kea isc-dhcp-server dnsmasq kea; do
          backend $it; must lvs apply --yes; served; must lvs plan --detailed-exitcode
        done
        same "$(pid dnsmasq)$(pid dhcpd)" ""
        edit 'del(.netboot)'; must lvs apply --yes
        same "$(pid kea-dhcp4)" ""; same "$(md5sum /etc/kea/kea-dhcp4.conf)" "$shipped"
        same "$(ls -A /etc/dnsmasq.d)" README"#,
    );
}

/// The new one ends at its start, when the old one has been stopped already.
#[test]
#[ignore = "needs root and the daemons"]
fn a_backend_that_gave_way_in_vain_serves_again() {
    let text = passes(
        r#"backend isc-dhcp-server; must lvs apply --yes >/dev/null
        touch /var/lib/kea; backend kea; ends 3 lvs apply --yes
        same "$(pid kea-dhcp4)" ""; served
        backend isc-dhcp-server; must lvs plan --detailed-exitcode"#,
    );
    says(&text, &["cannot start kea-dhcp4-server"]);
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_rollback_gives_the_former_reservations_back() {
    passes(
        r#"for it in kea dnsmasq; do
          backend $it; must lvs apply --yes >/dev/null; served; cp /mnt/cluster.json /mnt/before.json
          edit '.realServers[0].address = "172.16.0.9"'; must lvs apply --yes; gets $rs1 "172.16.0.9/16 rs1 *"
          must lvs rollback --yes; served
          cp /mnt/before.json /mnt/cluster.json; must lvs plan --detailed-exitcode
        done"#,
    );
}

/// A Kea that its package started runs with nothing of anybody: what we gave it does not outlive us.
#[test]
#[ignore = "needs root and the daemons"]
fn a_server_that_ran_before_goes_with_our_configuration() {
    let text = passes(
        r#"mkdir -m 750 /run/kea /var/lib/kea; must service kea-dhcp4-server start; sleep 1; before=$(pid kea-dhcp4)
        must lvs apply --yes; served; same "$(pid kea-dhcp4)" "$before"
        must lvs destroy --yes; same "$(pid kea-dhcp4)" """#,
    );
    says(&text, &["reload (its configuration changed)"]);
}

/// It ran with its package's file before, and does so again.
#[test]
#[ignore = "needs root and the daemons"]
fn a_package_s_own_configuration_comes_back_when_ours_fails() {
    let text = passes(
        r#"mkdir -m 750 /run/kea /var/lib/kea; cp /etc/kea/kea-dhcp4.conf /run/other.conf
        (exec kea-dhcp4 -c /run/other.conf >/dev/null 2>&1 &); sleep 1
        shipped=$(md5sum /etc/kea/kea-dhcp4.conf); server=$(pid kea-dhcp4)
        ends 3 lvs apply --yes
        same "$(md5sum /etc/kea/kea-dhcp4.conf)" "$shipped"; same "$(pid kea-dhcp4)" "$server"
        same "$(ls -A /etc/kea)" kea-dhcp4.conf"#,
    );
    says(&text, &["it does not run with what stands in"]);
}

/// Kea is given another file than ours: it takes up what stands there, and that is not what was asked for.
#[test]
#[ignore = "needs root and the daemons"]
fn a_server_that_does_not_run_with_the_new_configuration_is_a_failure_and_all_is_undone() {
    let text = passes(
        r#"must lvs apply --yes >/dev/null; served
        cp /etc/kea/kea-dhcp4.conf /run/other.conf; before=$(md5sum /etc/kea/kea-dhcp4.conf)
        kill $(pid kea-dhcp4); sleep 1; (exec kea-dhcp4 -c /run/other.conf >/dev/null 2>&1 &); sleep 1
        must lvs plan --detailed-exitcode; server=$(pid kea-dhcp4)
        edit '.realServers[0].address = "172.16.0.9"'
        ends 3 lvs apply --yes
        same "$(md5sum /etc/kea/kea-dhcp4.conf)" "$before"; same "$(pid kea-dhcp4)" "$server"; served"#,
    );
    says(
        &text,
        &[
            "cannot reload kea-dhcp4-server: it does not run with what stands in /etc/kea/kea-dhcp4.conf",
        ],
    );
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_dnsmasq_that_does_not_read_our_file_is_a_failure_and_all_is_undone() {
    let text = passes(
        r#"sed -i 's/^CONFIG_DIR/#&/' /etc/default/dnsmasq; backend dnsmasq
        ends 3 lvs apply --yes; same "$(ls -A /etc/dnsmasq.d)" README; same "$(pid dnsmasq)" """#,
    );
    says(
        &text,
        &["it runs, and does not serve DHCP: does it read /etc/dnsmasq.d"],
    );
}

/// The administrator has given the address away: dnsmasq would not start again.
#[test]
#[ignore = "needs root and the daemons"]
fn what_dnsmasq_refuses_never_reaches_it() {
    let text = passes(
        r#"backend dnsmasq; must lvs apply --yes >/dev/null; before="$(pid dnsmasq) $(cat /etc/dnsmasq.d/.lvs* | md5sum)"
        echo 'dhcp-host=02:00:00:00:00:77,172.16.0.9' >/etc/dnsmasq.d/admin
        edit '.realServers[0].address = "172.16.0.9"'; ends 1 lvs apply --yes
        same "$(pid dnsmasq) $(cat /etc/dnsmasq.d/.lvs* | md5sum)" "$before"; served"#,
    );
    says(&text, &["duplicate dhcp-host IP address 172.16.0.9"]);
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_configuration_of_somebody_else_is_a_conflict() {
    let text = passes(
        r#"backend kea; echo '// mine' >>/etc/kea/kea-dhcp4.conf; ends 6 lvs apply --yes
        must lvs apply --yes --adopt 'file /etc/kea/kea-dhcp4.conf'; served"#,
    );
    says(&text, &["/etc/kea/kea-dhcp4.conf", "adopt"]);
}

/// Each server gives an address to a machine that nobody knows. The line that lists it is what is typed; then it gets the
/// address that is reserved for it.
#[test]
#[ignore = "needs root and the daemons"]
fn a_stranger_is_listed_and_what_is_typed_then_brings_it_in() {
    let text = passes(
        r#"lvs-reconcile() { "$LVS" "$@"; }
        lines() { lvs discover | grep -c adopt-machine; }
        number=2
        for it in isc-dhcp-server kea dnsmasq; do
          number=$((number + 1)); newcomer=02:00:00:00:01:0$number
          backend $it; must lvs apply --yes >/dev/null; gets $rs1 "172.16.0.2/16 rs1 *"; same "$(lines)" 0
          named=pc$number; gets $newcomer "172.16.0.2??/16 *"; got=$(ask $newcomer | cut -d/ -f1); named=
          sleep 1; lvs discover >/run/found; cat /run/found; same "$(grep -c adopt-machine /run/found)" 1
          grep -Eq "^$newcomer +$got +pc$number +.*ends in [0-9]+ h" /run/found || exit 93
          typed=$(grep -o 'lvs-reconcile adopt-machine.*' /run/found); echo "$typed"; must eval "$typed"
          same "$(lines)" 0; ends 1 eval "$typed"
          must lvs apply --yes >/dev/null; gets $newcomer "172.16.0.$((number + 1))/16 rs$number *"
          same "$(lines)" 0; must lvs plan --detailed-exitcode >/dev/null
        done"#,
    );
    says(
        &text,
        &[
            "adopt-machine 02:00:00:00:01:03 --name rs3 /mnt/cluster.json",
            "adopt-machine 02:00:00:00:01:04 --name rs4 /mnt/cluster.json",
            "adopt-machine 02:00:00:00:01:05 --name rs5 /mnt/cluster.json",
            "is rs5's already, and nothing is to be done",
        ],
    );
}
