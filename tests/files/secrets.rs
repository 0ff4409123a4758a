//! Secrets are written, and never shown.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use lvs_reconcile::delta::Resource as _;
use lvs_reconcile::resources::file::{Content, File, Form, Piece};

use crate::room::*;

const HASH: &str = "$6$salt$AAAAAAAAAAAAAAAAAAAAAAcanary";
const OTHER_HASH: &str = "$6$salt$BBBBBBBBBBBBBBBBBBBBBBcanary";

fn kickstart(room: &Room) -> File {
    let content = Content(vec![
        Piece::Text("lang en\nrootpw --iscrypted ".into()),
        Piece::Secret(room.name("root.hash")),
        Piece::Text("\nreboot\n".into()),
    ]);
    file(&room.name("rs1.cfg"), Form::Whole, content)
}

/// All that may be printed of a difference.
fn printed(live: &File, wanted: &File) -> String {
    let delta = update(live, wanted);
    let error = refused(&create(&File {
        mode: Some(0),
        ..wanted.clone()
    }));
    format!(
        "{delta:?} {delta:#?} {} {} {error}",
        serde_json::to_string(&delta).unwrap(),
        live.content.shown()
    )
}

#[test]
fn secrets_are_written_and_never_shown() {
    let room = Room::new();
    room.secret("root.hash", HASH);
    let wanted = kickstart(&room);
    done(&[create(&wanted)]);
    assert_eq!(
        room.read("rs1.cfg"),
        format!("lang en\nrootpw --iscrypted {HASH}\nreboot\n")
    );
    assert_eq!(seen(&wanted), Some(wanted.clone()));

    room.secret("root.hash", OTHER_HASH);
    let live = seen(&wanted).unwrap();
    assert_ne!(live, wanted, "the secret changed");
    assert!(!printed(&live, &wanted).contains("canary"));
    let delta = update(&live, &wanted);
    done(std::slice::from_ref(&delta));
    assert!(room.read("rs1.cfg").contains(OTHER_HASH));
    done(&[delta.inverse()]);
    assert!(
        room.read("rs1.cfg").contains(HASH),
        "an undo writes the former secret back"
    );
}

#[test]
fn a_secret_is_hidden_in_a_file_that_is_no_longer_wanted() {
    let room = Room::new();
    room.secret("root.hash", HASH);
    let wanted = kickstart(&room);
    done(&[create(&wanted)]);
    let live = look(&[], &[wanted.key()])
        .unwrap()
        .get(&wanted.key())
        .cloned()
        .unwrap();
    assert!(!printed(&live, &wanted).contains("canary"));
    done(&[delete(&live)]);
    done(&[create(&live)]);
    assert!(
        room.read("rs1.cfg").contains(HASH),
        "and comes back with an undo"
    );
}

#[test]
fn a_secret_that_cannot_be_used_says_why_and_not_what_it_is() {
    let room = Room::new();
    let wanted = kickstart(&room);
    let why = || {
        let error = look(std::slice::from_ref(&wanted), &[]).err();
        room.write("rs1.cfg", "x");
        let error = error
            .or_else(|| look(std::slice::from_ref(&wanted), &[]).err())
            .unwrap()
            .to_string();
        assert!(
            error.contains("root.hash") && !error.contains("canary"),
            "{error}"
        );
        error
    };
    assert!(why().contains("lvs-reconcile hash-password"));
    room.secret("root.hash", "canary in clear");
    assert!(why().contains("not a password hash"));
    room.secret("root.hash", &format!("{HASH}\"; canary"));
    assert!(why().contains("not a password hash"));
    room.secret("root.hash", HASH);
    fs::set_permissions(room.path("root.hash"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(why().contains("0644"));
}

/// As sshd judges its own: the file, and every directory on the way to it.
#[test]
fn a_secret_that_others_can_change_is_refused() {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let room = Room::new();
    fs::create_dir(room.path("secrets")).unwrap();
    fs::create_dir(room.path("open")).unwrap();
    room.secret("secrets/root.hash", HASH);
    let (there, secret) = (room.path("secrets"), room.path("secrets/root.hash"));
    symlink(&secret, room.path("root.hash")).unwrap();
    let wanted = kickstart(&room);
    room.write("rs1.cfg", "x");
    let refused = |what: &str| {
        let error = look(std::slice::from_ref(&wanted), &[])
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("root.hash") && error.contains(what),
            "{error}"
        );
        assert!(!error.contains("canary"), "{error}");
    };
    let accepted = || drop(look(std::slice::from_ref(&wanted), &[]).unwrap());
    accepted();
    for bits in [0o620, 0o602, 0o660, 0o666] {
        mode(&secret, bits).unwrap();
        refused("can be written by others");
    }
    mode(&secret, 0o600).unwrap();
    for bits in [0o775, 0o777, 0o1777] {
        mode(&there, bits).unwrap();
        refused("secrets can be written by others");
    }
    mode(&there, 0o755).unwrap();
    fs::hard_link(&secret, room.path("again")).unwrap();
    refused("has 2 names");
    fs::remove_file(room.path("again")).unwrap();
    accepted();
    // A link that somebody else may have put there.
    mode(&room.path("open"), 0o777).unwrap();
    fs::remove_file(room.path("root.hash")).unwrap();
    symlink(room.path("open/link"), room.path("root.hash")).unwrap();
    symlink(&secret, room.path("open/link")).unwrap();
    refused("open can be written by others");
    fs::remove_file(room.path("root.hash")).unwrap();
    nix::unistd::mkfifo(&room.path("root.hash"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    refused("not a regular file");
}

#[test]
#[ignore = "needs root"]
fn a_secret_of_somebody_else_is_refused() {
    let room = Room::new();
    let wanted = kickstart(&room);
    room.write("rs1.cfg", "x");
    room.secret("root.hash", HASH);
    let error = |path: &str| {
        chown(room.path(path), Some(65534), None).unwrap();
        let error = look(std::slice::from_ref(&wanted), &[]).err().unwrap();
        chown(room.path(path), Some(0), None).unwrap();
        error.to_string()
    };
    assert!(error("root.hash").contains("root.hash belongs to user 65534"));
    assert!(error("").contains("belongs to user 65534"));
}

#[test]
fn what_was_printed_is_not_written_back_as_a_secret() {
    let room = Room::new();
    room.secret("root.hash", HASH);
    done(&[create(&kickstart(&room))]);
    room.secret("root.hash", OTHER_HASH);
    let live = seen(&kickstart(&room)).unwrap();
    let printed: File = serde_json::from_str(&serde_json::to_string(&live).unwrap()).unwrap();
    let error = refused(&update(&live, &printed));
    assert!(error.contains("former secret"), "{error}");
    assert!(room.read("rs1.cfg").contains(HASH));
}
