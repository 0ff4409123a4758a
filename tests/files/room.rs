//! A directory to try things in, and short words for what is tried.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use lvs_reconcile::delta::{Delta, Resource as _, Set};
use lvs_reconcile::host::{HostError, Outcome, Scope};
use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::resources::State;
use lvs_reconcile::resources::file::apply::perform;
use lvs_reconcile::resources::file::observe::files;
use lvs_reconcile::resources::file::{Content, File, FileKey, Form};

/// A directory of its own for each test, on a way that nobody else can write, unlike `/tmp`.
pub struct Room(pub tempfile::TempDir);

impl Room {
    pub fn new() -> Self {
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(place)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn whole(&self, name: &str, text: &str) -> File {
        file(&self.name(name), Form::Whole, Content::text(text))
    }

    pub fn block(&self, name: &str, text: &str) -> File {
        File {
            mode: None,
            ..file(&self.name(name), Form::Block, Content::text(text))
        }
    }

    pub fn secret(&self, name: &str, line: &str) {
        self.write(name, format!("{line}\nwhat follows is not the secret\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Every name in it, relative and sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut left = vec![self.0.path().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    left.push(entry.path());
                }
                let path = entry.path();
                names.push(
                    path.strip_prefix(self.0.path())
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
        names.sort();
        names
    }
}

pub fn file(path: &str, form: Form, content: Content) -> File {
    File {
        key: FileKey {
            path: path.to_owned(),
            form,
        },
        content,
        mode: Some(0o640),
        owner: None,
        untouched_default: false,
    }
}

pub fn create(to: &File) -> Delta<File> {
    Delta::Create { to: to.clone() }
}

pub fn update(from: &File, to: &File) -> Delta<File> {
    Delta::Update {
        from: Box::new(from.clone()),
        to: to.clone(),
    }
}

pub fn delete(from: &File) -> Delta<File> {
    Delta::Delete { from: from.clone() }
}

/// Performs a run that must succeed.
pub fn done(deltas: &[Delta<File>]) {
    for outcome in perform(&deltas.iter().collect::<Vec<_>>()) {
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    }
}

/// Performs one that must fail, and returns why.
pub fn refused(delta: &Delta<File>) -> String {
    match &perform(&[delta])[..] {
        [Outcome::Failed(error)] => error.to_string(),
        other => panic!("{other:?}"),
    }
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

pub fn look(desired: &[File], owned: &[FileKey]) -> Result<Set<File>, HostError> {
    let desired = State {
        files: desired.to_vec().into(),
        ..State::default()
    };
    let mut inventory = Inventory::default();
    inventory.owned.files = owned.iter().cloned().collect();
    run(files(&Scope {
        desired: &desired,
        inventory: &inventory,
        since: None,
    }))
}

/// The one file, as it is now in words of `desired`.
pub fn seen(desired: &File) -> Option<File> {
    look(std::slice::from_ref(desired), &[])
        .unwrap()
        .get(&desired.key())
        .cloned()
}

pub fn root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Gives this thread mounts of its own; they end with it.
pub fn own_mounts() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    sh("mount --make-rprivate /");
}

pub fn sh(script: &str) {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
}
