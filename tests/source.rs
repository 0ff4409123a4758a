//! Files that hold a document: which are trusted, and how a change is noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

use lvs_reconcile::source::{FileSource, Source, Trust};
use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A directory that nobody else can write to, unlike `/tmp`.
fn place() -> TempDir {
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    mode(place.path(), 0o755);
    fs::write(place.path().join("cluster.json"), "{}").unwrap();
    mode(&place.path().join("cluster.json"), 0o644);
    place
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What is said about a file, with the directory of the test left out.
fn said(place: &TempDir, path: &Path, trust: Trust) -> String {
    match FileSource::new(path, trust).load() {
        Ok(content) => String::from_utf8(content.bytes).unwrap(),
        Err(error) => error
            .to_string()
            .replace(&*place.path().to_string_lossy(), "PLACE"),
    }
}

fn strict(place: &TempDir, name: &str) -> String {
    said(place, &place.path().join(name), Trust::Strict)
}

fn loose(place: &TempDir, name: &str) -> String {
    said(place, &place.path().join(name), Trust::Any)
}

#[test]
fn b48_a_file_of_our_own_is_trusted() {
    let place = place();
    assert_eq!(strict(&place, "cluster.json"), "{}");
    let missing = "cannot read PLACE/missing.json: No such file or directory (os error 2)";
    assert_eq!(strict(&place, "missing.json"), missing);
}

#[test]
fn b48_a_file_that_others_can_write_is_refused() {
    let place = place();
    for bits in [0o664, 0o646, 0o666, 0o620] {
        mode(&place.path().join("cluster.json"), bits);
        let refused = format!(
            "refuse to read PLACE/cluster.json: PLACE/cluster.json can be written by others (mode {bits:o}); run chmod go-w"
        );
        assert_eq!(strict(&place, "cluster.json"), refused);
        assert_eq!(loose(&place, "cluster.json"), "{}");
    }
}

#[test]
fn b48_a_directory_that_others_can_write_is_refused() {
    let place = place();
    fs::create_dir(place.path().join("etc")).unwrap();
    fs::write(place.path().join("etc/cluster.json"), "{}").unwrap();
    for bits in [0o775, 0o757, 0o1777] {
        mode(&place.path().join("etc"), bits);
        let refused = format!(
            "refuse to read PLACE/etc/cluster.json: PLACE/etc can be written by others (mode {bits:o}); run chmod go-w"
        );
        assert_eq!(strict(&place, "etc/cluster.json"), refused);
        assert_eq!(loose(&place, "etc/cluster.json"), "{}");
    }
    // Not the directory alone: whoever can rename it can put another in its place.
    mode(&place.path().join("etc"), 0o755);
    mode(place.path(), 0o777);
    assert!(
        strict(&place, "etc/cluster.json").contains("PLACE can be written by others (mode 777)")
    );
}

#[test]
#[ignore = "needs root: gives files away"]
fn b48_what_belongs_to_somebody_else_is_refused() {
    let place = place();
    chown(place.path().join("cluster.json"), Some(65534), None).unwrap();
    let refused = "belongs to user 65534, who could change it at any time; run chown root";
    assert!(strict(&place, "cluster.json").ends_with(refused));
    assert_eq!(loose(&place, "cluster.json"), "{}");
    chown(place.path().join("cluster.json"), Some(0), None).unwrap();
    chown(place.path(), Some(65534), None).unwrap();
    assert!(strict(&place, "cluster.json").ends_with(&format!("PLACE {refused}")));
}

#[test]
fn b48_a_second_name_is_refused() {
    let place = place();
    fs::hard_link(
        place.path().join("cluster.json"),
        place.path().join("other.json"),
    )
    .unwrap();
    let refused =
        "refuse to read PLACE/cluster.json: PLACE/cluster.json has 2 names (hard links); keep one";
    assert_eq!(strict(&place, "cluster.json"), refused);
    assert_eq!(loose(&place, "cluster.json"), "{}");
}

#[test]
fn b48_what_is_no_file_is_refused_at_once() {
    let place = place();
    let pipe = place.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("/dev/zero", place.path().join("device")).unwrap();
    fs::create_dir(place.path().join("directory")).unwrap();
    let start = Instant::now();
    for trust in [Trust::Strict, Trust::Any] {
        for (name, kind) in [("pipe", "a named pipe"), ("directory", "a directory")] {
            let refused = format!(
                "refuse to read PLACE/{name}: PLACE/{name} is {kind}, and not a regular file"
            );
            assert_eq!(said(&place, &place.path().join(name), trust), refused);
        }
        let device = said(&place, &place.path().join("device"), trust);
        assert_eq!(
            device,
            "refuse to read PLACE/device: /dev/zero is a device, and not a regular file"
        );
    }
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "it waited for a writer"
    );
}

#[test]
fn b48_links_are_followed_through_directories_that_only_we_can_write() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    fs::create_dir(path("real")).unwrap();
    fs::write(path("real/cluster.json"), "real").unwrap();
    symlink("real/cluster.json", path("link.json")).unwrap();
    symlink("link.json", path("chain.json")).unwrap();
    symlink(path("real"), path("directory")).unwrap();
    symlink("loop.json", path("loop.json")).unwrap();
    for name in [
        "link.json",
        "chain.json",
        "directory/cluster.json",
        "real/../link.json",
    ] {
        assert_eq!(strict(&place, name), "real", "{name}");
    }
    assert!(strict(&place, "loop.json").ends_with("leads through too many symbolic links"));
    mode(&path("real"), 0o777);
    for name in ["link.json", "chain.json", "directory/cluster.json"] {
        assert!(
            strict(&place, name).contains("PLACE/real can be written by others"),
            "{name}"
        );
        assert_eq!(loose(&place, name), "real", "{name}");
    }
}

#[test]
fn b04_a_file_that_is_too_large_is_not_read() {
    let place = place();
    let file = File::create(place.path().join("large.json")).unwrap();
    file.set_len(64 << 20).unwrap();
    let start = Instant::now();
    let refused = "refuse to read PLACE/large.json: PLACE/large.json has 67108864 bytes; the limit is 16777216";
    assert_eq!(loose(&place, "large.json"), refused);
    assert!(start.elapsed() < Duration::from_millis(10));
}

fn write_and_rename(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// A file source that handed over its document once, as `watch` does at its start.
fn watched(path: PathBuf) -> FileSource {
    let mut source = FileSource::new(path, Trust::Any);
    let _ = source.load();
    source
}

/// What arrives next, or that nothing does.
async fn next(source: &mut FileSource) -> String {
    match tokio::time::timeout(Duration::from_secs(1), source.changed()).await {
        Err(_) => "nothing".to_owned(),
        Ok(Err(error)) => format!("{:?}", error.reason),
        Ok(Ok(content)) => String::from_utf8(content.bytes).unwrap(),
    }
}

#[tokio::test]
async fn every_way_of_saving_a_file_is_noticed_once() {
    let place = place();
    let path = place.path().join("cluster.json");
    let mut source = watched(path.clone());
    assert_eq!(next(&mut source).await, "nothing");
    fs::write(&path, "in place").unwrap();
    assert_eq!(next(&mut source).await, "in place");
    for text in ["renamed over", "renamed over again"] {
        write_and_rename(&path, text);
        assert_eq!(next(&mut source).await, text);
    }
    fs::rename(&path, place.path().join("cluster.json~")).unwrap();
    fs::write(&path, "backup and create").unwrap();
    assert_eq!(next(&mut source).await, "backup and create");
    fs::write(&path, "backup and create").unwrap();
    assert_eq!(next(&mut source).await, "nothing");
    for number in 0..20 {
        fs::write(&path, format!("burst {number}")).unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(next(&mut source).await, "burst 19");
    assert_eq!(next(&mut source).await, "nothing");
}

#[tokio::test]
async fn a_missing_file_is_said_once_and_its_return_is_noticed() {
    let place = place();
    let path = place.path().join("cluster.json");
    let mut source = watched(path.clone());
    assert_eq!(next(&mut source).await, "nothing");
    fs::remove_file(&path).unwrap();
    assert!(next(&mut source).await.contains("NotFound"));
    assert_eq!(next(&mut source).await, "nothing");
    fs::write(&path, "back").unwrap();
    assert_eq!(next(&mut source).await, "back");
}

#[tokio::test]
async fn links_and_directories_that_are_swapped_are_noticed() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    for version in ["..v1", "..v2"] {
        fs::create_dir(path(version)).unwrap();
        fs::write(path(version).join("cluster.json"), version).unwrap();
    }
    symlink("..v1", path("..data")).unwrap();
    symlink("..data/cluster.json", path("mapped.json")).unwrap();
    let mut source = watched(path("mapped.json"));
    assert_eq!(next(&mut source).await, "nothing");
    symlink("..v2", path("..new")).unwrap();
    fs::rename(path("..new"), path("..data")).unwrap();
    assert_eq!(next(&mut source).await, "..v2");
    write_and_rename(&path("..v2").join("cluster.json"), "behind the link");
    assert_eq!(next(&mut source).await, "behind the link");
    fs::rename(path("..v2"), path("old")).unwrap();
    fs::create_dir(path("..v2")).unwrap();
    fs::write(path("..v2").join("cluster.json"), "directory swapped").unwrap();
    assert_eq!(next(&mut source).await, "directory swapped");
    fs::write(path("..v2").join("cluster.json"), "after the swap").unwrap();
    assert_eq!(next(&mut source).await, "after the swap");
}

/// A watch waits for many things at once, and drops this wait whenever another comes first.
#[tokio::test]
async fn a_wait_that_was_dropped_loses_no_change() {
    let place = place();
    let path = place.path().join("cluster.json");
    let mut source = watched(path.clone());
    assert_eq!(next(&mut source).await, "nothing");
    fs::write(&path, "dropped").unwrap();
    for _ in 0..10 {
        let short = tokio::time::timeout(Duration::from_millis(20), source.changed());
        assert!(short.await.is_err(), "it must settle first");
    }
    assert_eq!(next(&mut source).await, "dropped");
}

#[tokio::test]
async fn a_change_before_the_first_wait_is_noticed() {
    let place = place();
    let path = place.path().join("cluster.json");
    let mut source = watched(path.clone());
    fs::write(&path, "early").unwrap();
    assert_eq!(next(&mut source).await, "early");
}
