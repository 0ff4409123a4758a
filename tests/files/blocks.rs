//! Our lines in somebody else's file.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use crate::room::*;

#[test]
fn every_other_byte_of_a_shared_file_stays() {
    for before in [
        "",
        "127.0.0.1 localhost\n",
        "127.0.0.1 localhost",
        "a\r\n# Zürich\r\n",
        "a\r\nb",
    ] {
        let room = Room::new();
        room.write("hosts", before);
        fs::set_permissions(room.path("hosts"), fs::Permissions::from_mode(0o664)).unwrap();
        let (first, second) = (
            room.block("hosts", "172.16.0.2\trs1\n"),
            room.block("hosts", "172.16.0.3\trs2\n"),
        );
        done(&[create(&first)]);
        assert_eq!(seen(&second).unwrap(), first);
        assert!(room.read("hosts").starts_with(before));
        done(&[update(&first, &second)]);
        assert_eq!(seen(&second), Some(second.clone()));
        assert_eq!(
            fs::metadata(room.path("hosts")).unwrap().mode() & 0o7777,
            0o664
        );
        done(&[delete(&second)]);
        assert_eq!(room.read("hosts"), before);
        assert_eq!(seen(&second), None);
    }
}

#[test]
fn bytes_that_are_no_text_stay_too() {
    let room = Room::new();
    let before = b"# Z\xfcrich\r\n\0";
    room.write("hosts", before);
    let ours = room.block("hosts", "172.16.0.2\trs1");
    done(&[create(&ours)]);
    assert_eq!(
        seen(&ours),
        Some(ours.clone()),
        "a last line without newline is the same block"
    );
    done(&[delete(&ours)]);
    assert_eq!(fs::read(room.path("hosts")).unwrap(), before);
    let error = look(&[room.whole("hosts", "x")], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("not text"), "{error}");
}

#[test]
fn markers_out_of_balance_are_an_error() {
    let room = Room::new();
    let text = format!("a\n{}\nb\n", lvs_reconcile::resources::file::block::BEGIN);
    room.write("hosts", &text);
    let ours = room.block("hosts", "x\n");
    assert!(
        look(std::slice::from_ref(&ours), &[])
            .unwrap_err()
            .to_string()
            .contains("marker")
    );
    assert!(refused(&create(&ours)).contains("marker"));
    assert_eq!(room.read("hosts"), text);
}

#[test]
fn an_edit_of_the_rest_of_the_file_does_not_get_in_the_way() {
    let room = Room::new();
    room.write("hosts", "a\n");
    let (first, second) = (room.block("hosts", "1\n"), room.block("hosts", "2\n"));
    done(&[create(&first)]);
    room.write("hosts", room.read("hosts").replace("a\n", "b\n") + "c\n");
    done(&[update(&first, &second)]);
    assert!(room.read("hosts").starts_with("b\n#") && room.read("hosts").ends_with("end\nc\n"));
}

#[test]
#[ignore = "needs root"]
fn a_shared_file_keeps_its_owner_and_ours_is_roots() {
    assert!(root());
    let room = Room::new();
    for name in ["shared", "whole"] {
        room.write(name, "");
        std::os::unix::fs::chown(room.path(name), Some(1234), Some(4321)).unwrap();
    }
    done(&[
        create(&room.block("shared", "x\n")),
        update(&room.whole("whole", ""), &room.whole("whole", "x")),
    ]);
    let owner = |name| {
        fs::metadata(room.path(name))
            .map(|it| (it.uid(), it.gid()))
            .unwrap()
    };
    assert_eq!(owner("shared"), (1234, 4321));
    assert_eq!(owner("whole"), (0, 4321));
}

/// Markers on one side, doubled and reversed: nothing is written, whatever is wanted.
#[test]
fn no_unbalanced_marker_is_guessed_about() {
    use lvs_reconcile::resources::file::block::{BEGIN, END};
    for lines in [
        vec![BEGIN],
        vec![END],
        vec![END, BEGIN],
        vec![BEGIN, BEGIN, END],
        vec![BEGIN, END, END],
        vec![BEGIN, END, BEGIN, END],
    ] {
        let room = Room::new();
        let text = format!("127.0.0.1 localhost\n{}\nlast\n", lines.join("\nx\n"));
        room.write("hosts", &text);
        let (old, new) = (room.block("hosts", "1\n"), room.block("hosts", "2\n"));
        for delta in [create(&new), update(&old, &new), delete(&old)] {
            assert!(refused(&delta).contains("marker"), "{lines:?}");
        }
        assert!(look(std::slice::from_ref(&new), &[]).is_err());
        assert_eq!(room.read("hosts"), text);
    }
}

/// A machine without the file gets one with our lines alone; a second run does nothing.
#[test]
fn a_file_that_is_not_there_is_made() {
    let room = Room::new();
    let ours = room.block("hosts", "172.16.0.2\trs1\n");
    assert_eq!(seen(&ours), None);
    done(&[create(&ours)]);
    assert_eq!(seen(&ours), Some(ours.clone()));
    assert_eq!(
        fs::metadata(room.path("hosts")).unwrap().mode() & 0o7777,
        0o644
    );
    let outcomes = lvs_reconcile::resources::file::apply::perform(&[&create(&ours)]);
    assert!(matches!(
        outcomes[..],
        [lvs_reconcile::host::Outcome::AlreadySo]
    ));
}
