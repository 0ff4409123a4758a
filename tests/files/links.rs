//! What must not be followed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lvs_reconcile::delta::Resource as _;

use crate::room::*;

#[test]
fn only_plain_files_are_read_or_replaced() {
    let room = Room::new();
    room.write("victim", "precious");
    symlink(room.path("victim"), room.path("link")).unwrap();
    symlink(room.path("nowhere"), room.path("dangling")).unwrap();
    fs::hard_link(room.path("victim"), room.path("second-name")).unwrap();
    fs::create_dir(room.path("directory")).unwrap();
    nix::unistd::mkfifo(&room.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (name, why) in [
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("second-name", "2 names"),
        ("directory", "a directory"),
        ("fifo", "a FIFO"),
    ] {
        let wanted = room.whole(name, "x");
        let error = look(std::slice::from_ref(&wanted), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(why) && error.contains(&room.name(name)),
            "{error}"
        );
        assert!(refused(&create(&wanted)).contains(why), "{name}");
    }
    assert_eq!(room.read("victim"), "precious");
    assert!(!room.path("nowhere").exists());
}

#[test]
fn what_took_the_place_of_a_file_no_longer_wanted_is_not_ours() {
    let room = Room::new();
    fs::create_dir(room.path("x")).unwrap();
    let key = room.whole("x", "").key();
    assert!(look(&[], &[key]).unwrap().is_empty());
}

#[test]
fn a_planted_temporary_is_not_written_through() {
    let room = Room::new();
    room.write("victim", "precious");
    symlink(room.path("victim"), room.path(".x.lvs-reconcile-new")).unwrap();
    done(&[create(&room.whole("x", "ours"))]);
    assert_eq!(
        (room.read("victim").as_str(), room.read("x").as_str()),
        ("precious", "ours")
    );
}

#[test]
#[ignore = "needs root"]
fn a_link_among_the_directories_is_followed_only_when_it_is_roots() {
    assert!(root());
    for depth in 0..3 {
        let room = Room::new();
        fs::create_dir_all(room.path("real/a/b/c")).unwrap();
        let at = ["a", "a/b", "a/b/c"][depth];
        let parent = Path::new(at).parent().unwrap();
        fs::create_dir_all(room.path("way").join(parent)).unwrap();
        let link = room.path("way").join(at);
        symlink(room.path("real").join(at), &link).unwrap();
        let wanted = room.whole("way/a/b/c/x", "x");
        done(&[create(&wanted)]);
        assert_eq!(room.read("real/a/b/c/x"), "x");
        std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
        let error = look(std::slice::from_ref(&wanted), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("belongs to user 65534") && error.contains(at),
            "{error}"
        );
        assert!(refused(&delete(&wanted)).contains("belongs to user 65534"));
        assert_eq!(room.read("real/a/b/c/x"), "x");
    }
}
