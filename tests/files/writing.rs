//! Writing, replacing, removing, undoing.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::file::apply::perform;

use crate::room::*;

#[test]
fn what_is_written_is_what_is_seen() {
    let room = Room::new();
    let wanted = room.whole("a/b/rs1.cfg", "lang en\n");
    assert_eq!(seen(&wanted), None);
    done(&[create(&wanted)]);
    assert_eq!(seen(&wanted), Some(wanted.clone()));
    assert_eq!(room.names(), ["a", "a/b", "a/b/rs1.cfg"]);
    assert_eq!(
        fs::metadata(room.path("a/b")).unwrap().mode() & 0o7777,
        0o755
    );
    assert_eq!(
        fs::metadata(room.path("a/b/rs1.cfg")).unwrap().mode() & 0o7777,
        0o640
    );
    let changed = room.whole("a/b/rs1.cfg", "lang de\n");
    done(&[update(&wanted, &changed)]);
    assert_eq!(room.read("a/b/rs1.cfg"), "lang de\n");
    done(&[delete(&changed)]);
    assert_eq!(
        room.names(),
        [""; 0],
        "directories that we made go with the last file in them"
    );
}

#[test]
fn a_directory_that_was_there_stays() {
    let room = Room::new();
    fs::create_dir(room.path("theirs")).unwrap();
    let wanted = room.whole("theirs/ours/x", "x");
    let neighbour = room.whole("theirs/ours/y", "y");
    done(&[create(&wanted), create(&neighbour)]);
    done(&[delete(&wanted)]);
    assert_eq!(room.names(), ["theirs", "theirs/ours", "theirs/ours/y"]);
    done(&[delete(&neighbour)]);
    assert_eq!(room.names(), ["theirs"]);
}

#[test]
fn a_mode_that_differs_is_seen_and_set() {
    let room = Room::new();
    let wanted = room.whole("x", "x");
    done(&[create(&wanted)]);
    fs::set_permissions(room.path("x"), fs::Permissions::from_mode(0o666)).unwrap();
    let live = seen(&wanted).unwrap();
    assert_eq!(live.mode, Some(0o666));
    done(&[update(&live, &wanted)]);
    assert_eq!(seen(&wanted), Some(wanted));
}

#[test]
fn a_document_without_a_mode_leaves_it_alone() {
    let room = Room::new();
    let wanted = File {
        mode: None,
        ..room.whole("x", "x")
    };
    done(&[create(&wanted)]);
    assert_eq!(fs::metadata(room.path("x")).unwrap().mode() & 0o7777, 0o644);
    fs::set_permissions(room.path("x"), fs::Permissions::from_mode(0o604)).unwrap();
    assert_eq!(seen(&wanted), Some(wanted.clone()));
    let changed = File {
        mode: None,
        ..room.whole("x", "y")
    };
    done(&[update(&wanted, &changed)]);
    assert_eq!(fs::metadata(room.path("x")).unwrap().mode() & 0o7777, 0o604);
}

#[test]
fn undoing_gives_the_same_bytes_back() {
    let room = Room::new();
    room.write("x", "theirs\r\nno newline");
    let wanted = room.whole("x", "ours\n");
    let delta = update(&seen(&wanted).unwrap(), &wanted);
    done(std::slice::from_ref(&delta));
    done(&[delta.inverse()]);
    assert_eq!(room.read("x"), "theirs\r\nno newline");
}

#[test]
fn doing_it_twice_is_already_so() {
    let room = Room::new();
    let wanted = room.whole("x", "x");
    for delta in [create(&wanted), delete(&wanted)] {
        done(std::slice::from_ref(&delta));
        assert!(matches!(perform(&[&delta])[..], [Outcome::AlreadySo]));
    }
    assert!(matches!(
        perform(&[&delete(&room.whole("no/such", ""))])[..],
        [Outcome::AlreadySo]
    ));
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    let room = Room::new();
    let (before, wanted) = (room.whole("x", "before"), room.whole("x", "wanted"));
    room.write("x", "theirs");
    for delta in [update(&before, &wanted), create(&wanted), delete(&before)] {
        assert!(
            refused(&delta).contains("changed by somebody else"),
            "{delta:?}"
        );
    }
    assert_eq!(room.read("x"), "theirs");
    assert_eq!(room.names(), ["x"], "no temporary is left");
}

#[test]
fn nothing_is_live_when_one_of_a_run_cannot_be_written() {
    let room = Room::new();
    fs::create_dir(room.path("in-the-way")).unwrap();
    let deltas = ["new/a", "in-the-way", "b"].map(|name| create(&room.whole(name, "x")));
    let outcomes = perform(&deltas.iter().collect::<Vec<_>>());
    let [
        Outcome::NotAttempted,
        Outcome::Failed(error),
        Outcome::NotAttempted,
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    assert!(
        error.to_string().contains("in-the-way: it is a directory"),
        "{error}"
    );
    assert_eq!(room.names(), ["in-the-way"]);
}

#[test]
fn what_a_crash_left_behind_is_replaced() {
    let room = Room::new();
    room.write(".x.lvs-reconcile-new", "half");
    done(&[create(&room.whole("x", "whole"))]);
    assert_eq!(room.names(), ["x"]);
}

#[test]
fn a_thousand_files_take_no_fsync_each() {
    let room = Room::new();
    let wanted: Vec<_> = (0..1000)
        .map(|n| room.whole(&format!("ks/rs{n}.cfg"), &"x".repeat(2000)))
        .collect();
    let start = std::time::Instant::now();
    done(&wanted.iter().map(create).collect::<Vec<_>>());
    let written = start.elapsed();
    let live = look(&wanted, &[]).unwrap();
    let seen = start.elapsed() - written;
    assert_eq!(live, wanted.clone().into());
    println!("1000 files: written in {written:?}, seen in {seen:?}");
    assert!(
        written.as_secs() < 10 && seen.as_secs() < 5,
        "{written:?} {seen:?}"
    );
}
