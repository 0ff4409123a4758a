//! A machine for one test: mounts, and if asked a network, that end with its thread.

use std::fs;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

use lvs_reconcile::delta::{Delta, Resource as _};
use lvs_reconcile::host::{Outcome, Scope};
use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::resources::State;
use lvs_reconcile::resources::file::{Content, File, FileKey, Form};
use lvs_reconcile::resources::unit::apply::perform;
use lvs_reconcile::resources::unit::observe::units;
use lvs_reconcile::resources::unit::{OnChange, Unit};

/// Whether the machine has a network of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Own,
    Shared,
}

/// Gives this thread a machine with an empty `/run`, and copies of what daemons write to.
pub fn machine(network: Network) {
    assert!(nix::unistd::geteuid().is_root(), "needs root");
    let flags = match network {
        Network::Own => CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET,
        Network::Shared => CloneFlags::CLONE_NEWNS,
    };
    unshare(flags).unwrap();
    let copies = tempfile::tempdir().unwrap();
    let at = copies.path().display();
    sh(&format!(
        "mount --make-rprivate /; mount -t tmpfs copies {at}
         for d in /etc /var/lib/dhcp /var/lib/nfs; do
           mkdir -p {at}$d; cp -a $d/. {at}$d/; mount --bind {at}$d $d
         done
         umount -l {at}; mount -t tmpfs run /run; mkdir /run/lock"
    ));
}

/// Runs a script that must succeed, and returns what it said.
pub fn sh(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn file(path: &str, text: &str) -> File {
    File {
        key: FileKey {
            path: path.to_owned(),
            form: Form::Whole,
        },
        content: Content::text(text),
        mode: None,
        owner: None,
        untouched_default: false,
    }
}

/// Writes a file as the file kind would, by rename.
pub fn put(path: &str, text: &str) {
    fs::write(format!("{path}.new"), text).unwrap();
    fs::rename(format!("{path}.new"), path).unwrap();
}

/// The unit that reads this one file, as it should be.
pub fn wanted(name: &str, on_change: OnChange, file: &File) -> Unit {
    reading(name, on_change, &[file])
}

/// The unit that reads these files, as it should be.
pub fn reading(name: &str, on_change: OnChange, files: &[&File]) -> Unit {
    let texts: Vec<_> = files.iter().map(|it| it.content.shown()).collect();
    let paths = files.iter().map(|it| it.key.path.as_str());
    let mut unit = Unit {
        name: name.to_owned(),
        reads: paths.clone().map(str::to_owned).collect(),
        on_change,
        config: None,
    };
    unit.config = Some(unit.digest(paths.zip(texts.iter().map(String::as_str))));
    unit
}

/// The unit as it is, looked at on behalf of a document that wants these.
pub fn seen(unit: &Unit, file: &File) -> Option<Unit> {
    let desired = State {
        files: vec![file.clone()].into(),
        units: vec![unit.clone()].into(),
        ..State::default()
    };
    let inventory = Inventory::default();
    let live = run(units(&Scope {
        desired: &desired,
        inventory: &inventory,
        since: None,
    }))
    .unwrap();
    live.get(&unit.key()).cloned()
}

/// What a look at an owned unit finds that no document wants any more.
pub fn owned(name: &str) -> Option<Unit> {
    let mut inventory = Inventory::default();
    inventory.owned.units.insert(name.to_owned());
    let live = run(units(&Scope {
        desired: &State::default(),
        inventory: &inventory,
        since: None,
    }))
    .unwrap();
    live.get(&name.to_owned()).cloned()
}

/// Performs what makes `from` into `to`.
pub fn change(from: Option<&Unit>, to: Option<&Unit>) -> Outcome {
    let delta = match (from.cloned(), to.cloned()) {
        (None, Some(to)) => Delta::Create { to },
        (Some(from), Some(to)) => Delta::Update {
            from: Box::new(from),
            to,
        },
        (Some(from), None) => Delta::Delete { from },
        (None, None) => panic!("nothing to change"),
    };
    run(perform(&[&delta])).pop().unwrap()
}

/// The same, and it must succeed.
pub fn done(from: Option<&Unit>, to: Option<&Unit>) {
    let outcome = change(from, to);
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}

/// The same, and it must fail; returns why.
pub fn refused(from: Option<&Unit>, to: Option<&Unit>) -> String {
    match change(from, to) {
        Outcome::Failed(error) => error.to_string(),
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
