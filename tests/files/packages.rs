//! Files of packages, and the checks of daemons.

use std::fs;
use std::path::Path;

use lvs_reconcile::delta::Resource as _;
use lvs_reconcile::resources::file::apply::ORIGINAL;
use lvs_reconcile::resources::file::check::check;
use lvs_reconcile::resources::file::{Content, File, Form};

use crate::room::*;

const DHCPD: &str = "/etc/dhcp/dhcpd.conf";

/// `/etc` of our own, with what the packages shipped in it.
fn own_etc() {
    assert!(
        Path::new(DHCPD).exists(),
        "needs the package isc-dhcp-server"
    );
    own_mounts();
    let copy = tempfile::tempdir().unwrap();
    let at = copy.path().display();
    sh(&format!(
        "mount -t tmpfs etc {at} && cp -a /etc/. {at}/ && mount --bind {at} /etc && umount {at}"
    ));
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_packages_file_is_taken_over_and_put_back() {
    own_etc();
    let shipped = fs::read_to_string(DHCPD).unwrap();
    let wanted = file(DHCPD, Form::Whole, Content::text("authoritative;\n"));
    let live = seen(&wanted).unwrap();
    assert!(live.may_be_taken_over(), "{live:?}");

    let delta = update(&live, &wanted);
    done(std::slice::from_ref(&delta));
    assert_eq!(
        fs::read_to_string(format!("{DHCPD}{ORIGINAL}")).unwrap(),
        shipped
    );
    done(&[delta.inverse()]);
    assert_eq!(fs::read_to_string(DHCPD).unwrap(), shipped);
    assert!(!Path::new(&format!("{DHCPD}{ORIGINAL}")).exists());

    done(&[update(&live, &wanted)]);
    let ours = look(&[], &[wanted.key()])
        .unwrap()
        .get(&wanted.key())
        .cloned()
        .unwrap();
    done(&[delete(&ours)]);
    assert_eq!(fs::read_to_string(DHCPD).unwrap(), shipped);
    assert!(
        look(&[], &[wanted.key()]).unwrap().is_empty(),
        "what was put back is not ours to remove"
    );
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_packages_file_that_was_edited_is_not_taken_over() {
    own_etc();
    fs::write(DHCPD, "# mine\n").unwrap();
    let live = seen(&file(DHCPD, Form::Whole, Content::text("authoritative;\n"))).unwrap();
    assert!(!live.may_be_taken_over());
}

fn judged(file: &File) -> Result<(), String> {
    run(check(&[&create(file)])).map_err(|error| error.to_string())
}

#[test]
#[ignore = "needs root and the daemons"]
fn dhcpd_judges_its_new_file_beside_the_old_one() {
    let room = Room::new();
    let good =
        "authoritative;\nsubnet 172.16.0.0 netmask 255.255.0.0 { range 172.16.0.9 172.16.0.20; }\n";
    judged(&room.whole("dhcpd.conf", good)).unwrap();
    let error = judged(&room.whole("dhcpd.conf", &good.replace(".20;", ".20"))).unwrap_err();
    assert!(
        error.contains("dhcpd.conf: ") && error.contains("line 2: semicolon expected"),
        "{error}"
    );
    assert_eq!(room.names(), [""; 0], "no candidate is left");
}

#[test]
#[ignore = "needs root and the daemons"]
fn exports_are_parsed_where_they_can_do_no_harm() {
    own_mounts();
    let room = Room::new();
    let path = room.0.path().to_str().unwrap();
    let table = fs::read("/var/lib/nfs/etab").unwrap();
    let good = format!("{path} 172.16.0.0/16(ro,sync,no_subtree_check,root_squash)\n");
    let judge = |text: &str| {
        judged(&file(
            "/etc/exports.d/lvs-reconcile.exports",
            Form::Whole,
            Content::text(text),
        ))
    };
    judge(&good).unwrap();
    assert!(
        judge(&good.replace("root_squash", "rot_squash"))
            .unwrap_err()
            .contains("rot_squash")
    );
    assert!(
        judge(&good.replace("172.16.0.0/16", "172.16.0.300"))
            .unwrap_err()
            .contains("172.16.0.300")
    );
    let absent = good.replace(path, &room.name("kickstart"));
    assert!(judge(&absent).unwrap_err().contains("No such file"));
    let with_its_files = [
        create(&file(
            "/etc/exports.d/lvs-reconcile.exports",
            Form::Whole,
            Content::text(absent),
        )),
        create(&room.whole("kickstart/rs1.cfg", "")),
    ];
    run(check(&with_its_files.iter().collect::<Vec<_>>())).unwrap();
    assert_eq!(fs::read("/var/lib/nfs/etab").unwrap(), table);
}
