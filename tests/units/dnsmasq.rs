//! dnsmasq, of whose two files a signal makes it read one again.

use std::fs;

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::HostError;
use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::file::check::check;
use lvs_reconcile::resources::unit::{OnChange, Unit};

use crate::stage::*;

const UNIT: &str = "dnsmasq";
const CONF: &str = "/etc/dnsmasq.d/lvs-reconcile.conf";
const HOSTS: &str = "/etc/dnsmasq.d/.lvs-reconcile.hosts";

/// Stops what it started, also when a test fails half way.
struct Dnsmasq;

impl Dnsmasq {
    fn on_a_machine() -> Self {
        machine(Network::Own);
        sh("mkdir -p /run/over/up /run/over/work
            mount -t overlay over -o lowerdir=/var/lib,upperdir=/run/over/up,workdir=/run/over/work /var/lib
            ip link add vs type veth peer name other; ip link set other up; ip addr add 172.16.0.1/16 dev vs
            ip link set lo up; ip link set vs up");
        Self
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let pid = fs::read_to_string("/run/dnsmasq/dnsmasq.pid").unwrap_or_default();
        let _ = std::process::Command::new("kill").arg(pid.trim()).output();
    }
}

fn pid() -> String {
    fs::read_to_string("/run/dnsmasq/dnsmasq.pid").unwrap()
}

fn conf(last: &str) -> File {
    let range = format!("dhcp-range=172.16.0.200,172.16.0.{last},255.255.0.0,12h");
    file(CONF, &format!("{range}\ndhcp-hostsfile={HOSTS}\n"))
}

fn hosts(address: &str) -> File {
    file(HOSTS, &format!("02:00:00:00:00:11,{address},rs1\n"))
}

fn unit(conf: &File, hosts: &File) -> Unit {
    reading(UNIT, OnChange::Hangup, &[conf, hosts])
}

fn checked(to: &File) -> Result<(), HostError> {
    run(check(&[&Delta::Create { to: to.clone() }]))
}

#[test]
#[ignore = "needs root and the daemons"]
fn reservations_are_a_signal_and_all_else_is_a_restart() {
    let _dnsmasq = Dnsmasq::on_a_machine();
    let (config, first, second) = (conf("210"), hosts("172.16.0.2"), hosts("172.16.0.3"));
    put(HOSTS, &first.content.shown());
    put(CONF, &config.content.shown());
    let started = unit(&config, &first);
    done(None, Some(&started));
    let before = pid();

    put(HOSTS, &second.content.shown());
    let signalled = unit(&config, &second);
    done(Some(&started), Some(&signalled));
    assert_eq!(pid(), before);

    let wider = conf("220");
    put(CONF, &wider.content.shown());
    done(Some(&signalled), Some(&unit(&wider, &second)));
    assert_ne!(pid(), before);
}

/// Its own check reads no reservations, and at a signal it would leave out the bad ones.
#[test]
#[ignore = "needs root and the daemons"]
fn broken_candidates_are_found_in_both_files() {
    let _dnsmasq = Dnsmasq::on_a_machine();
    put(HOSTS, &hosts("172.16.0.2").content.shown());
    put(CONF, &conf("210").content.shown());
    checked(&conf("220")).unwrap();
    checked(&hosts("172.16.0.3")).unwrap();
    for (broken, says) in [
        (
            conf("2x0"),
            "cannot use the new /etc/dnsmasq.d/lvs-reconcile.conf: ",
        ),
        (
            hosts("172.16.0.3,-rs"),
            "cannot use the new /etc/dnsmasq.d/.lvs-reconcile.hosts: dnsmasq: bad DHCP host name",
        ),
    ] {
        let error = checked(&broken).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error}");
    }
    let left = sh("ls -A /etc/dnsmasq.d");
    assert_eq!(left, ".lvs-reconcile.hosts\nREADME\nlvs-reconcile.conf\n");
}
