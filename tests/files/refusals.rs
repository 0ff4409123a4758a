//! A file system that says no.

use std::fs;

use crate::room::*;

/// `x` holds `before`, the file system is made to refuse by `script`, and replacing `x` must fail, say `why`, and leave
/// everything as it was.
fn keeps_the_old(room: &Room, script: &str, why: &str) {
    room.write("x", "before");
    sh(&script.replace("ROOM", room.0.path().to_str().unwrap()));
    let names = room.names();
    let error = refused(&update(
        &room.whole("x", "before"),
        &room.whole("x", &"y".repeat(200_000)),
    ));
    assert!(
        error.contains(why) && error.contains("cannot replace"),
        "{error}"
    );
    assert_eq!(room.read("x"), "before");
    assert_eq!(room.names(), names, "no temporary is left");
}

#[test]
#[ignore = "needs root"]
fn a_full_file_system_keeps_the_old_file() {
    own_mounts();
    let room = Room::new();
    sh(&format!(
        "mount -t tmpfs -o size=64k small {}",
        room.name("")
    ));
    keeps_the_old(&room, "true", "no space left");
}

#[test]
#[ignore = "needs root"]
fn a_read_only_file_system_keeps_the_old_file() {
    own_mounts();
    keeps_the_old(
        &Room::new(),
        "mount --bind ROOM ROOM && mount -o remount,bind,ro ROOM",
        "read-only file system",
    );
}

/// The bind mount lies in the directory, so the write of the new file succeeds and only the rename does not.
#[test]
#[ignore = "needs root"]
fn a_bind_mounted_file_is_never_written_in_place() {
    own_mounts();
    let room = Room::new();
    room.write("outside", "before");
    keeps_the_old(&room, "mount --bind ROOM/outside ROOM/x", "mount point");
    assert_eq!(room.read("outside"), "before");
}

#[test]
#[ignore = "needs root"]
fn an_immutable_file_is_left_as_it_is() {
    own_mounts();
    let room = Room::new();
    keeps_the_old(&room, "chattr +i ROOM/x", "immutable");
    sh(&format!("chattr -i {}", room.name("x")));
}

#[test]
#[ignore = "needs root"]
fn an_immutable_directory_is_left_as_it_is() {
    own_mounts();
    let room = Room::new();
    fs::create_dir(room.path("d")).unwrap();
    sh(&format!("chattr +i {}", room.name("d")));
    let error = refused(&create(&room.whole("d/x", "x")));
    sh(&format!("chattr -i {}", room.name("d")));
    assert!(error.contains("immutable"), "{error}");
    assert_eq!(room.names(), ["d"]);
}
