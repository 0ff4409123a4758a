//! The kernel's NFS server, as far as it goes without one: the table that it goes by.

use std::fs;

use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::unit::{OnChange, Unit};

use crate::stage::*;

const UNIT: &str = "nfs-kernel-server";
const EXPORTS: &str = "/etc/exports.d/lvs-reconcile.exports";
const ETAB: &str = "/var/lib/nfs/etab";

fn exports(line: &str) -> (File, Unit) {
    fs::create_dir_all("/etc/exports.d").unwrap();
    let file = file(EXPORTS, &format!("# written by lvs-reconcile\n{line}\n"));
    put(EXPORTS, &file.content.shown());
    let unit = wanted(UNIT, OnChange::Reexport, &file);
    (file, unit)
}

/// A machine on which eight threads seem to serve.
fn machine_that_serves() {
    machine(Network::Own);
    sh("mount -t tmpfs fs /proc/fs; mkdir /proc/fs/nfsd; echo 8 > /proc/fs/nfsd/threads; : > /var/lib/nfs/etab
        : > /etc/exports; mkdir -p /run/srv");
}

#[test]
#[ignore = "needs root and the daemons"]
fn exports_are_taken_up_and_followed() {
    machine_that_serves();
    let (file, unit) = exports("/run/srv 172.16.0.0/16(ro,sync,no_subtree_check,root_squash)");
    let live = seen(&unit, &file).unwrap();
    assert_eq!(live.config, None);
    done(Some(&live), Some(&unit));
    assert_eq!(seen(&unit, &file), Some(unit.clone()));
    assert!(
        fs::read_to_string(ETAB)
            .unwrap()
            .contains("172.16.0.0/16(ro")
    );

    sh("exportfs -u 172.16.0.0/16:/run/srv");
    assert_eq!(
        seen(&unit, &file).unwrap().config,
        None,
        "taken out by hand"
    );
    sh("exportfs -ra");
    assert_eq!(seen(&unit, &file), Some(unit), "put back by hand");

    let (file, unit) = exports("/run/srv 172.16.0.0/16(rw,sync,no_subtree_check,root_squash)");
    assert_eq!(
        seen(&unit, &file).unwrap().config,
        None,
        "an option changed"
    );
    sh("exportfs -ra; rm -r /run/lvs-reconcile");
    assert_eq!(
        seen(&unit, &file),
        Some(unit),
        "the table is newer than the file"
    );
}

#[test]
#[ignore = "needs root and the daemons"]
fn an_export_that_was_dropped_is_a_failure_though_exportfs_says_it_went_well() {
    machine_that_serves();
    let (file, unit) = exports("/run/srv rs1.nowhere.invalid(ro,sync,no_subtree_check)");
    let live = seen(&unit, &file).unwrap();
    let error = refused(Some(&live), Some(&unit));
    assert!(
        error.contains("exportfs left out /run/srv for rs1.nowhere.invalid"),
        "{error}"
    );
    assert!(error.contains("Failed to resolve"), "{error}");
}

#[test]
#[ignore = "needs root and the daemons"]
fn a_broken_file_is_a_failure() {
    machine_that_serves();
    let (file, unit) = exports("/run/srv 10.0.0.1(rot_squash)");
    let error = refused(Some(&seen(&unit, &file).unwrap()), Some(&unit));
    assert!(error.contains("unknown keyword \"rot_squash\""), "{error}");
}

/// Its init script ends with 0 where the kernel has no server.
#[test]
#[ignore = "needs root and the daemons"]
fn a_kernel_without_a_server_is_named_as_the_reason() {
    machine(Network::Own);
    sh("mkdir -p /run/srv; grep -v nfsd /proc/filesystems > /run/filesystems; mount --bind /run/filesystems /proc/filesystems
        mount --bind /bin/true /sbin/modprobe");
    let (file, unit) = exports("/run/srv 172.16.0.0/16(ro,sync,no_subtree_check)");
    assert_eq!(seen(&unit, &file), None);
    let error = refused(None, Some(&unit));
    assert!(
        error.starts_with("cannot start nfs-kernel-server: it was told to, and does not run"),
        "{error}"
    );
    assert!(
        error.contains("no support in current kernel")
            && error.contains("this kernel has no NFS server"),
        "{error}"
    );
}
