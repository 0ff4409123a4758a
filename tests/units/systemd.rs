//! The words exchanged with systemd.

use std::fs;
use std::process::Command;

use lvs_reconcile::resources::unit::OnChange;

use crate::stage::*;

/// Starts, restarts and stops by a file that says since when the unit is active; notes each call.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >> /run/calls
up=$(cut -d' ' -f1 /proc/uptime | tr -d .)0000
case "$*" in
  "--no-ask-password stop"*) rm -f /run/since ;;
  "--no-ask-password "*) [ ! -e /run/broken ] || { echo "Job for $4 failed." >&2; exit 1; }
    [ -e /run/dies ] || echo "$up" > /run/since ;;
  show*) echo LoadState=loaded
    if [ -e /run/since ]; then echo ActiveState=active; echo SubState=running
      echo "ExecMainStartTimestampMonotonic=$(cat /run/since)"
    else echo ActiveState=inactive; echo SubState=dead; echo ExecMainStartTimestampMonotonic=0; fi ;;
esac
"#;

fn machine_with_systemd(network: Network) {
    machine(network);
    fs::write("/run/systemctl", SYSTEMCTL).unwrap();
    fs::write("/run/journalctl", "#!/bin/sh\necho 'the last words'\n").unwrap();
    sh(
        "mkdir -p /run/systemd/system; chmod 755 /run/systemctl /run/journalctl
        for it in systemctl journalctl; do mount --bind /run/$it $(readlink -f /usr/bin/$it); done",
    );
}

fn commands() -> Vec<String> {
    let calls = fs::read_to_string("/run/calls").unwrap();
    calls
        .lines()
        .filter(|call| !call.starts_with("show"))
        .map(str::to_owned)
        .collect()
}

#[test]
#[ignore = "needs root"]
fn a_unit_is_started_restarted_and_stopped() {
    machine_with_systemd(Network::Shared);
    let first = file("/etc/dhcp/dhcpd.conf", "first");
    let unit = wanted("dhcpd", OnChange::Restart, &first);
    put("/etc/dhcp/dhcpd.conf", "first");
    assert_eq!(seen(&unit, &first), None);
    done(None, Some(&unit));
    assert_eq!(seen(&unit, &first), Some(unit.clone()));

    std::thread::sleep(std::time::Duration::from_millis(50));
    let second = file("/etc/dhcp/dhcpd.conf", "second");
    let changed = wanted("dhcpd", OnChange::Restart, &second);
    put("/etc/dhcp/dhcpd.conf", "second");
    let live = seen(&changed, &second).unwrap();
    assert_eq!(live.config, None);
    done(Some(&live), Some(&changed));
    assert_eq!(seen(&changed, &second), Some(changed.clone()));
    done(Some(&changed), None);
    assert_eq!(
        commands(),
        ["restart", "restart", "stop"]
            .map(|word| format!("--no-ask-password {word} -- dhcpd.service"))
    );
}

/// The signal is systemd's to send: our own unit may not.
#[test]
#[ignore = "needs root"]
fn reservations_of_dnsmasq_are_a_signal_by_systemd() {
    machine_with_systemd(Network::Shared);
    let config = file("/etc/dnsmasq.d/lvs-reconcile.conf", "dhcp-authoritative\n");
    let hosts = |text| file("/etc/dnsmasq.d/.lvs-reconcile.hosts", text);
    let unit = |hosts: &_| reading("dnsmasq", OnChange::Hangup, &[&config, hosts]);
    let (first, second) = (hosts("one\n"), hosts("two\n"));
    sh("echo 1000 > /run/since");
    done(Some(&unit(&first)), Some(&unit(&second)));
    assert_eq!(
        commands(),
        ["kill --kill-who=main --signal=HUP -- dnsmasq.service"]
    );
}

#[test]
#[ignore = "needs root"]
fn a_unit_that_fails_says_its_last_words() {
    machine_with_systemd(Network::Shared);
    let file = file("/etc/dhcp/dhcpd.conf", "x");
    let unit = wanted("dhcpd", OnChange::Restart, &file);
    sh("touch /run/broken");
    let error = refused(None, Some(&unit));
    assert_eq!(
        error,
        "cannot start dhcpd: it said: Job for dhcpd.service failed.; its log: the last words"
    );
    sh("rm /run/broken; touch /run/dies");
    assert!(
        refused(None, Some(&unit))
            .contains("does not run; it said: nothing (exit status: 0); its log: the last words")
    );
}

#[test]
#[ignore = "needs root"]
fn in_another_network_than_systemds_nothing_is_started() {
    if fs::read_link("/proc/1/ns/net").is_err() {
        return again_as_process_one(
            "systemd::in_another_network_than_systemds_nothing_is_started",
        );
    }
    machine_with_systemd(Network::Own);
    let file = file("/etc/dhcp/dhcpd.conf", "x");
    let error = refused(None, Some(&wanted("dhcpd", OnChange::Restart, &file)));
    assert!(error.contains("another network namespace"), "{error}");
}

/// Process 1 of a container may be closed to us. In process numbers of its own this test is process 1.
fn again_as_process_one(test: &str) {
    let this = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc"])
        .arg(this)
        .args(["--exact", test, "--include-ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
