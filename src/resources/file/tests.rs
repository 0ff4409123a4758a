//! Every call to the file system fails once, in every way a disk fails.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::errno::Errno;

use super::apply::{ORIGINAL, perform};
use super::attempt::fault;
use super::rewrite::rewrite;
use super::{Content, File, FileKey, Form};
use crate::delta::{Delta, Resource as _};
use crate::host::Outcome;

const ERRNOS: [Errno; 3] = [Errno::ENOSPC, Errno::EIO, Errno::EROFS];

/// Every file below a directory, by its path relative to it: what it says, and its mode.
type Files = BTreeMap<String, (String, u32)>;

/// A room as it is before a run, and the run.
struct Case {
    name: &'static str,
    before: fn(&Path),
    deltas: fn(&Path) -> Vec<Delta<File>>,
}

const CASES: [Case; 8] = [
    Case {
        name: "a new file in new directories",
        before: |_| {},
        deltas: |room| vec![create(room, "a/b/x")],
    },
    Case {
        name: "a replaced file",
        before: |room| write(room, "x", "old"),
        deltas: |room| vec![update(room, "x")],
    },
    Case {
        name: "a removed file",
        before: |room| write(room, "x", "old"),
        deltas: |room| vec![delete(room, "x")],
    },
    Case {
        name: "a block in somebody's file",
        before: |room| write(room, "x", "theirs\n"),
        deltas: |room| {
            vec![Delta::Create {
                to: block(room, "x"),
            }]
        },
    },
    Case {
        name: "a block taken out again",
        before: |room| {
            write(room, "x", "theirs\n");
            undisturbed(&[Delta::Create {
                to: block(room, "x"),
            }]);
        },
        deltas: |room| {
            vec![Delta::Delete {
                from: block(room, "x"),
            }]
        },
    },
    Case {
        name: "a package's file taken over",
        before: |room| write(room, "x", "old"),
        deltas: |room| vec![take_over(room, "x")],
    },
    Case {
        name: "a package's file put back",
        before: |room| {
            write(room, "x", "old");
            undisturbed(&[take_over(room, "x")]);
        },
        deltas: |room| vec![take_over(room, "x").inverse()],
    },
    Case {
        name: "some of each",
        before: |room| {
            write(room, "x", "old");
            write(room, "y", "old");
        },
        deltas: |room| vec![create(room, "a/n"), update(room, "x"), delete(room, "y")],
    },
];

/// More than are synced one by one.
const MANY: Case = Case {
    name: "many at once",
    before: |room| (0..33).for_each(|it| write(room, &format!("x{it}"), "old")),
    deltas: |room| (0..33).map(|it| update(room, &format!("x{it}"))).collect(),
};

/// A directory in memory, where to sync costs nothing.
fn room() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let found = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    found.unwrap()
}

fn file(room: &Path, name: &str, text: &str) -> File {
    File {
        key: FileKey {
            path: room.join(name).to_string_lossy().into_owned(),
            form: Form::Whole,
        },
        content: Content::text(text),
        mode: Some(0o640),
        owner: None,
        untouched_default: false,
    }
}

fn block(room: &Path, name: &str) -> File {
    let mut file = file(room, name, "ours\n");
    file.key.form = Form::Block;
    file.mode = None;
    file
}

fn create(room: &Path, name: &str) -> Delta<File> {
    let to = file(room, name, "new");
    Delta::Create { to }
}

fn update(room: &Path, name: &str) -> Delta<File> {
    Delta::Update {
        from: Box::new(file(room, name, "old")),
        to: file(room, name, "new"),
    }
}

fn delete(room: &Path, name: &str) -> Delta<File> {
    let from = file(room, name, "old");
    Delta::Delete { from }
}

fn take_over(room: &Path, name: &str) -> Delta<File> {
    let shipped = File {
        untouched_default: true,
        ..file(room, name, "old")
    };
    Delta::Update {
        from: Box::new(shipped),
        to: file(room, name, "new"),
    }
}

fn write(room: &Path, name: &str, text: &str) {
    fs::write(room.join(name), text).unwrap();
    fs::set_permissions(room.join(name), fs::Permissions::from_mode(0o640)).unwrap();
}

fn undisturbed(deltas: &[Delta<File>]) {
    fault::arm(None);
    for outcome in perform(&deltas.iter().collect::<Vec<_>>()) {
        assert!(is_so(&outcome), "{outcome:?}");
    }
}

fn is_so(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done | Outcome::AlreadySo)
}

fn files(room: &Path) -> Files {
    let mut found = Files::new();
    let mut left = vec![room.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let name = path.strip_prefix(room).unwrap().to_string_lossy();
            let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
            found.insert(
                name.into_owned(),
                (fs::read_to_string(&path).unwrap(), mode),
            );
        }
    }
    found
}

/// The files before and after an undisturbed run, and how many calls it takes.
fn undisturbed_run(case: &Case) -> (Files, Files, usize) {
    let room = room();
    (case.before)(room.path());
    let before = files(room.path());
    undisturbed(&(case.deltas)(room.path()));
    (before, files(room.path()), fault::calls())
}

/// Lets one call fail, and then has the run made again.
fn disturbed(case: &Case, call: usize, errno: Errno, (old, new): (&Files, &Files)) {
    let at = format!("{}, call {call}, {errno}", case.name);
    let room = room();
    (case.before)(room.path());
    let deltas = (case.deltas)(room.path());
    fault::arm(Some((call, errno)));
    let outcomes = perform(&deltas.iter().collect::<Vec<_>>());
    fault::arm(None);
    is_named(&at, &deltas, &outcomes);
    for (name, seen) in &files(room.path()) {
        let whole = old.get(name) == Some(seen) || new.get(name) == Some(seen);
        assert!(whole, "{at}: {name} is {seen:?}");
    }
    let gone = old.keys().filter(|it| !room.path().join(it).exists());
    for name in gone {
        assert!(!new.contains_key(name), "{at}: {name} is gone");
    }
    let nothing = files(room.path()) == *old;
    assert!(
        !nothing || !room.path().join("a").exists(),
        "{at}: a directory is left"
    );
    again(&at, room.path(), &deltas);
    assert_eq!(&files(room.path()), new, "{at}: the next run");
}

/// One of them failed, and each that did says which it is.
fn is_named(at: &str, deltas: &[Delta<File>], outcomes: &[Outcome]) {
    for (delta, outcome) in deltas.iter().zip(outcomes) {
        if let Outcome::Failed(error) = outcome {
            let path = delta.subject().key().to_string();
            assert!(error.to_string().contains(&path), "{at}: {error}");
        }
    }
    let failed = outcomes.iter().any(|it| matches!(it, Outcome::Failed(_)));
    assert!(failed, "{at}: nobody says so: {outcomes:?}");
}

/// The next run looks first: what is as wanted is not in its plan.
fn again(at: &str, room: &Path, deltas: &[Delta<File>]) {
    let deltas: Vec<_> = deltas.iter().collect();
    for outcome in perform(&deltas) {
        assert!(
            is_so(&outcome),
            "{at}: again in {}: {outcome:?}",
            room.display()
        );
    }
}

#[test]
fn a_file_is_old_or_new_whatever_call_fails() {
    let mut points = 0;
    let small = CASES.iter().map(|case| (case, &ERRNOS[..]));
    for (case, errnos) in small.chain([(&MANY, &ERRNOS[..1])]) {
        let (old, new, calls) = undisturbed_run(case);
        assert_ne!(old, new, "{}", case.name);
        for (call, errno) in (0..calls).flat_map(|call| errnos.iter().map(move |it| (call, *it))) {
            disturbed(case, call, errno, (&old, &new));
            points += 1;
        }
    }
    eprintln!("faults: files: {points} points, 0 divergences");
}

#[test]
fn what_was_kept_of_a_package_goes_with_the_run_that_failed() {
    let case = &CASES[5];
    let (old, _, calls) = undisturbed_run(case);
    for call in 0..calls {
        let room = room();
        (case.before)(room.path());
        fault::arm(Some((call, Errno::EIO)));
        perform(&(case.deltas)(room.path()).iter().collect::<Vec<_>>());
        fault::arm(None);
        let left = files(room.path());
        let kept = left.contains_key(&format!("x{ORIGINAL}"));
        assert!(!kept || left["x"] != old["x"], "call {call}: {left:?}");
    }
}

/// What somebody else wrote is old or new, and nothing is left beside it.
#[test]
fn a_rewritten_file_is_whole_whatever_fails() {
    for errno in ERRNOS {
        for failing in 0.. {
            let room = room();
            write(room.path(), "x", "old");
            fault::arm(Some((failing, errno)));
            let rewritten = rewrite(&room.path().join("x"), b"old", b"new");
            let calls = fault::calls();
            fault::arm(None);
            let is_new = match &rewritten {
                Ok(()) => true,
                Err(error) => error
                    .to_string()
                    .contains("it is rewritten, but a power cut"),
            };
            let text = if is_new { "new" } else { "old" };
            let expected = Files::from([("x".to_owned(), (text.to_owned(), 0o640))]);
            assert_eq!(
                files(room.path()),
                expected,
                "{errno} at {failing}: {rewritten:?}"
            );
            if rewritten.is_ok() {
                assert!(failing >= calls && calls > 8, "only {calls} calls");
                break;
            }
        }
    }
}

#[test]
fn what_somebody_else_has_changed_meanwhile_is_not_rewritten() {
    let room = room();
    write(room.path(), "x", "theirs");
    let refused = rewrite(&room.path().join("x"), b"old", b"new").unwrap_err();
    assert!(
        refused.to_string().contains("changed by somebody else"),
        "{refused}"
    );
    assert_eq!(files(room.path())["x"].0, "theirs");
}
