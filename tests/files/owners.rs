//! Mode and owner: part of what a file is, like its content.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use lvs_reconcile::host::Outcome;
use lvs_reconcile::resources::file::apply::perform;
use lvs_reconcile::resources::file::check::check;
use lvs_reconcile::resources::file::{File, Owner};

use crate::room::*;

fn owned(room: &Room, name: &str, text: &str, (user, group): (&str, &str)) -> File {
    let owner = Owner {
        user: user.into(),
        group: group.into(),
    };
    File {
        owner: Some(Box::new(owner)),
        ..room.whole(name, text)
    }
}

/// Mode, user and group.
fn dress(room: &Room, name: &str) -> (u32, u32, u32) {
    let it = fs::metadata(room.path(name)).unwrap();
    (it.mode() & 0o7777, it.uid(), it.gid())
}

const DAEMON: u32 = 1;

#[test]
#[ignore = "needs root"]
fn who_owns_a_file_is_seen_set_and_undone() {
    assert!(root());
    let room = Room::new();
    let wanted = owned(&room, "x", "x\n", ("daemon", "root"));
    done(&[create(&wanted)]);
    assert_eq!(dress(&room, "x"), (0o640, DAEMON, 0));
    assert_eq!(seen(&wanted), Some(wanted.clone()));
    assert!(matches!(
        perform(&[&create(&wanted)])[..],
        [Outcome::AlreadySo]
    ));
    // Each alone is a difference, which goes away with one update and comes back with its undo.
    type Spoil = fn(&Room);
    let spoils: [Spoil; 4] = [
        |it| chown(it.path("x"), Some(0), None).unwrap(),
        |it| chown(it.path("x"), None, Some(54321)).unwrap(),
        |it| fs::set_permissions(it.path("x"), fs::Permissions::from_mode(0o644)).unwrap(),
        |it| it.write("x", "y\n"),
    ];
    for spoil in spoils {
        spoil(&room);
        let before = dress(&room, "x");
        let live = seen(&wanted).unwrap();
        assert_ne!(live, wanted);
        let delta = update(&live, &wanted);
        done(std::slice::from_ref(&delta));
        assert_eq!(seen(&wanted), Some(wanted.clone()));
        done(&[delta.inverse()]);
        assert_eq!(dress(&room, "x"), before);
        assert_eq!(seen(&wanted), Some(live.clone()));
        done(&[update(&live, &wanted)]);
    }
}

/// The document has another word for the same number, or the machine has none.
#[test]
#[ignore = "needs root"]
fn an_owner_is_a_number_and_not_a_word() {
    assert!(root());
    let room = Room::new();
    let wanted = owned(&room, "x", "x\n", ("0", "54321"));
    done(&[create(&wanted)]);
    assert_eq!(dress(&room, "x"), (0o640, 0, 54321));
    assert_eq!(seen(&wanted), Some(wanted));
    let other = owned(&room, "x", "x\n", ("daemon", "root"));
    let live = seen(&other).unwrap().owner.unwrap();
    assert_eq!(live.to_string(), "root:54321");
}

/// Nobody wants the file any more, and then somebody does again: whose it was is not lost.
#[test]
#[ignore = "needs root"]
fn a_removed_file_comes_back_with_its_owner() {
    assert!(root());
    let room = Room::new();
    let wanted = owned(&room, "x", "x\n", ("daemon", "daemon"));
    done(&[create(&wanted)]);
    let live = look(&[], std::slice::from_ref(&wanted.key)).unwrap();
    let removal = delete(live.get(&wanted.key).unwrap());
    done(std::slice::from_ref(&removal));
    assert!(!room.path("x").exists());
    done(&[removal.inverse()]);
    assert_eq!(dress(&room, "x"), (0o640, DAEMON, DAEMON));
}

/// Looking does not fail, for the machine that is to have the account may not be this one; writing does, before
/// anything is live.
#[test]
fn an_unknown_account_is_an_error_before_anything_is_written() {
    let room = Room::new();
    for (user, group, said) in [
        (
            "nobody-here",
            "root",
            "no user is called nobody-here; make it with useradd",
        ),
        (
            "root",
            "none-here",
            "no group is called none-here; make it with groupadd",
        ),
    ] {
        let wanted = owned(&room, "a/x", "x\n", (user, group));
        assert_eq!(seen(&wanted), None);
        let error = run(check(&[&create(&wanted)])).unwrap_err().to_string();
        assert!(
            error.contains("cannot use the new ") && error.contains(said),
            "{error}"
        );
        assert!(refused(&create(&wanted)).contains(said));
        assert_eq!(room.names(), [""; 0]);
        room.write("x", "x\n");
        let wanted = owned(&room, "x", "x\n", (user, group));
        assert_ne!(seen(&wanted), Some(wanted));
        fs::remove_file(room.path("x")).unwrap();
    }
}

/// A file that is called like a daemon's is its author's own: no daemon is asked about it.
#[test]
fn ones_own_file_is_no_daemons() {
    let room = Room::new();
    let me = fs::metadata(room.path("")).unwrap();
    let ids = (me.uid().to_string(), me.gid().to_string());
    for name in ["dhcpd.conf", "kea-dhcp4.conf", "nginx/x", "x.exports"] {
        let wanted = owned(&room, name, "} no daemon's language {\n", (&ids.0, &ids.1));
        run(check(&[&create(&wanted)])).unwrap();
        done(&[create(&wanted)]);
        assert_eq!(seen(&wanted), Some(wanted));
    }
}
