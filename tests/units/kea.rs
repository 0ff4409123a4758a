//! Kea, which is told of a file while it runs.

use std::fs;

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::linux::kea::ask;
use lvs_reconcile::host::{HostError, Outcome};
use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::file::check::check;
use lvs_reconcile::resources::unit::{OnChange, Unit};
use serde_json::{Value, json};

use crate::stage::*;

const UNIT: &str = "kea-dhcp4-server";
const CONF: &str = "/etc/kea/kea-dhcp4.conf";

/// Stops what it started, also when a test fails half way.
struct Kea;

impl Kea {
    fn on_a_machine() -> Self {
        machine(Network::Own);
        sh("mkdir -p /run/over/up /run/over/work
            mount -t overlay over -o lowerdir=/var/lib,upperdir=/run/over/up,workdir=/run/over/work /var/lib
            ip link add vs type veth peer name other; ip link set other up; ip addr add 172.16.0.1/16 dev vs
            ip link set lo up; ip link set vs up; mount -t sysfs sys /sys");
        Self
    }
}

impl Drop for Kea {
    fn drop(&mut self) {
        let pid = fs::read_to_string("/run/kea/kea-dhcp4.kea-dhcp4.pid").unwrap_or_default();
        let _ = std::process::Command::new("kill").arg(pid.trim()).output();
    }
}

fn pid() -> String {
    fs::read_to_string("/run/kea/kea-dhcp4.kea-dhcp4.pid").unwrap()
}

fn config(last: &str) -> Value {
    json!({ "Dhcp4": {
        "user-context": { "written-by": "lvs-reconcile" },
        "interfaces-config": { "interfaces": ["vs/172.16.0.1"] },
        "control-socket": { "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" },
        "lease-database": { "type": "memfile", "name": "/var/lib/kea/kea-leases4.csv" },
        "subnet4": [{
            "id": 1,
            "subnet": "172.16.0.0/16",
            "pools": [{ "pool": format!("172.16.0.200 - 172.16.0.{last}") }],
        }],
    }})
}

fn conf(last: &str) -> (File, Unit) {
    let file = file(CONF, &format!("{:#}\n", config(last)));
    let unit = wanted(UNIT, OnChange::Reload, &file);
    (file, unit)
}

fn on_disk(file: &File) {
    put(CONF, &file.content.shown());
}

fn checked(from: &File, to: &File) -> Result<(), HostError> {
    let (from, to) = (from.clone(), to.clone());
    run(check(&[&Delta::Update {
        from: Box::new(from),
        to,
    }]))
}

/// What stands in its directory beside the file.
fn beside() -> Vec<String> {
    let entries = fs::read_dir("/etc/kea").unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|it| it != "kea-dhcp4.conf").collect()
}

#[test]
#[ignore = "needs root and the daemons"]
fn it_is_started_told_of_new_files_and_stopped() {
    let _kea = Kea::on_a_machine();
    let (first, unit) = conf("210");
    on_disk(&first);
    assert_eq!(seen(&unit, &first), None);
    done(None, Some(&unit));
    assert_eq!(seen(&unit, &first), Some(unit.clone()));

    let before = pid();
    let (second, changed) = conf("220");
    on_disk(&second);
    let live = seen(&changed, &second).unwrap();
    assert_eq!(live.config, None, "it runs with the older file");
    done(Some(&live), Some(&changed));
    assert_eq!(seen(&changed, &second), Some(changed.clone()));
    assert_eq!(pid(), before);

    let live = owned(UNIT).unwrap();
    let started = std::time::Instant::now();
    done(Some(&live), None);
    assert_eq!(owned(UNIT), None);
    assert!(
        started.elapsed().as_secs() < 20,
        "its script waits for half a minute"
    );
    assert!(matches!(change(Some(&live), None), Outcome::AlreadySo));
}

/// Neither our record nor a clock is asked: it says itself what it runs with.
#[test]
#[ignore = "needs root and the daemons"]
fn what_it_runs_with_is_its_own_word() {
    let _kea = Kea::on_a_machine();
    let (first, unit) = conf("210");
    on_disk(&first);
    done(None, Some(&unit));

    sh("rm -r /run/lvs-reconcile");
    on_disk(&first);
    assert_eq!(
        seen(&unit, &first),
        Some(unit.clone()),
        "rewritten, and says the same"
    );
    run(ask("config-set", Some(&config("230")))).unwrap();
    let live = seen(&unit, &first).unwrap();
    assert_eq!(live.config, None, "somebody gave it another one");
    done(Some(&live), Some(&unit));
    assert_eq!(seen(&unit, &first), Some(unit));
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_broken_candidate_never_reaches_it() {
    let _kea = Kea::on_a_machine();
    let (first, unit) = conf("210");
    let (broken, _) = conf("999");
    on_disk(&first);
    // Its program judges while it does not run, and it judges itself when it does.
    for says in ["172.16.0.999", "172.16.0.999"] {
        let error = checked(&first, &broken).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot use the new /etc/kea/kea-dhcp4.conf: ")
                && error.contains(says),
            "{error}"
        );
        assert!(beside().is_empty(), "{:?}", beside());
        if seen(&unit, &first).is_none() {
            done(None, Some(&unit));
        }
    }
    let before = pid();
    on_disk(&broken);
    let (_, changed) = conf("999");
    let error = refused(Some(&unit), Some(&changed));
    assert!(
        error.starts_with("cannot reload kea-dhcp4-server: ") && error.contains("172.16.0.999"),
        "{error}"
    );
    on_disk(&first);
    assert_eq!(
        seen(&unit, &first),
        Some(unit.clone()),
        "it has kept what it had"
    );
    assert_eq!(pid(), before);

    on_disk(&broken);
    run(ask("config-reload", None)).unwrap_err();
    on_disk(&first);
    let live = seen(&unit, &first).unwrap();
    assert_eq!(live.config, None, "asked by hand it has closed its port");
    done(Some(&live), Some(&unit));
    assert_eq!(seen(&unit, &first), Some(unit));
}

/// The very plan that brings the file may make the interface, or give it its address.
#[test]
#[ignore = "needs root and the daemons"]
fn an_interface_may_come_later() {
    let _kea = Kea::on_a_machine();
    let (first, unit) = conf("210");
    on_disk(&first);
    let moved = |config: &Value| {
        let text = config
            .to_string()
            .replace("vs/172.16.0.1", "later/172.16.0.7");
        file(CONF, &text)
    };
    checked(&first, &moved(&config("210"))).unwrap();
    done(None, Some(&unit));
    checked(&first, &moved(&config("210"))).unwrap();
    assert!(checked(&first, &moved(&config("999"))).is_err());
}
