//! ISC dhcpd under Debian's init script.

use std::fs;

use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::unit::{OnChange, Unit};

use crate::stage::*;

const UNIT: &str = "isc-dhcp-server";
const CONF: &str = "/etc/dhcp/dhcpd.conf";

/// Stops what it started, also when a test fails half way.
struct Dhcpd;

impl Dhcpd {
    fn on_a_machine() -> Self {
        machine(Network::Own);
        sh("ip link add vs type veth peer name other; ip link set other up; ip addr add 172.16.0.1/16 dev vs; ip link set lo up; ip link set vs up
            echo 'INTERFACESv4=\"vs\"' > /etc/default/isc-dhcp-server");
        Self
    }
}

impl Drop for Dhcpd {
    fn drop(&mut self) {
        let _ = std::process::Command::new("service")
            .args([UNIT, "stop"])
            .output();
    }
}

fn pid() -> String {
    fs::read_to_string("/run/dhcpd.pid").unwrap()
}

fn conf(last: &str) -> (File, Unit) {
    let text = format!(
        "authoritative;\nsubnet 172.16.0.0 netmask 255.255.0.0 {{ range 172.16.0.200 172.16.0.{last}; }}\n"
    );
    let file = file(CONF, &text);
    let unit = wanted(UNIT, OnChange::Restart, &file);
    (file, unit)
}

fn on_disk(file: &File) {
    put(CONF, &file.content.shown());
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_daemon_is_started_told_of_new_files_and_stopped() {
    let _dhcpd = Dhcpd::on_a_machine();
    let (first, unit) = conf("210");
    on_disk(&first);
    assert_eq!(seen(&unit, &first), None);
    done(None, Some(&unit));
    assert_eq!(seen(&unit, &first), Some(unit.clone()));
    assert!(matches!(change(None, Some(&unit)), Outcome::AlreadySo));

    let before = pid();
    let (second, changed) = conf("220");
    on_disk(&second);
    let live = seen(&changed, &second).unwrap();
    assert_eq!(live.config, None, "it has read the older file");
    done(Some(&live), Some(&changed));
    assert_eq!(seen(&changed, &second), Some(changed.clone()));
    assert_ne!(pid(), before);

    let live = owned(UNIT).unwrap();
    done(Some(&live), None);
    assert_eq!(owned(UNIT), None);
    assert!(matches!(change(Some(&live), None), Outcome::AlreadySo));
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_reload_is_state() {
    let _dhcpd = Dhcpd::on_a_machine();
    let (first, unit) = conf("210");
    on_disk(&first);
    done(None, Some(&unit));

    on_disk(&first);
    assert_eq!(
        seen(&unit, &first),
        Some(unit.clone()),
        "rewritten, and says the same"
    );

    let (second, changed) = conf("220");
    on_disk(&second);
    sh("service isc-dhcp-server restart");
    assert_eq!(
        seen(&changed, &second),
        Some(changed.clone()),
        "restarted by hand"
    );

    fs::remove_dir_all("/run/lvs-reconcile").unwrap();
    assert_eq!(
        seen(&changed, &second),
        Some(changed.clone()),
        "the clock tells, without our record"
    );

    on_disk(&first);
    on_disk(&second);
    assert_eq!(
        seen(&changed, &second).unwrap().config,
        None,
        "it may have read what stood there in between"
    );
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_daemon_that_died_is_absent_whatever_its_script_says() {
    let _dhcpd = Dhcpd::on_a_machine();
    let (file, unit) = conf("210");
    on_disk(&file);
    done(None, Some(&unit));
    sh(
        "kill -9 $(cat /run/dhcpd.pid); sleep 0.3; echo > /etc/default/isc-dhcp-server; service isc-dhcp-server status",
    );
    assert_eq!(seen(&unit, &file), None);
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_daemon_that_cannot_start_says_why() {
    let _dhcpd = Dhcpd::on_a_machine();
    let (file, unit) = conf("210;");
    on_disk(&file);
    let error = refused(None, Some(&unit));
    assert!(
        error.starts_with("cannot start isc-dhcp-server: it said: /etc/dhcp/dhcpd.conf line 2: "),
        "{error}"
    );
    assert_eq!(seen(&unit, &file), None);
}

/// dhcpd ends at once when no subnet is that of its interface, which its own check of the file does not see.
#[test]
#[ignore = "needs root and the daemons"]
fn a_daemon_that_dies_after_its_start_has_failed() {
    let _dhcpd = Dhcpd::on_a_machine();
    let (file, unit) = conf("210");
    on_disk(&file);
    sh("ip addr flush dev vs");
    let error = refused(None, Some(&unit));
    assert!(error.contains("cannot start isc-dhcp-server"), "{error}");
}
