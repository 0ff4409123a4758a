//! The state directory fails: before the first step, or behind the last one.

use std::fs;

use crate::machine::{Machine, room};
use crate::setting::{Setting, settings};
use crate::{Reference, ensure};

/// Puts a directory where a file of the store is to be, for the length of one run.
fn with_a_directory_at(name: &str, judge: impl Fn(&Setting, &Machine) -> Result<(), String>) {
    let files = room();
    let mut points = 0;
    for setting in settings(files.path()) {
        let reference = Reference::of(&setting);
        let mut machine = Machine::at(&setting);
        let turn = machine.plan(&setting).unwrap();
        let path = machine.store().dir().join(name);
        let before = fs::read(&path).ok();
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).unwrap();
        let ran = machine.make(turn);
        assert!(ran.is_err(), "{}: nobody says so: {ran:?}", setting.name);
        fs::remove_dir(&path).unwrap();
        if let Some(bytes) = before {
            fs::write(&path, bytes).unwrap();
        }
        judge(&setting, &machine)
            .and_then(|()| reference.is_reached(&mut machine, &setting, &setting.foreign))
            .unwrap_or_else(|problem| panic!("{}: {problem}", setting.name));
        points += 1;
    }
    eprintln!("faults: no {name}: {points} points, 0 divergences");
}

#[test]
fn what_cannot_be_journalled_is_not_begun() {
    let files = room();
    for setting in settings(files.path()) {
        let mut machine = Machine::at(&setting);
        let turn = machine.plan(&setting).unwrap();
        fs::write(machine.store().dir().join("pending"), "").unwrap();
        assert!(machine.make(turn).is_err());
        assert_eq!(machine.host.taken, 0, "{}", setting.name);
        assert_eq!(machine.host.state, setting.start, "{}", setting.name);
    }
}

#[test]
fn an_inventory_that_cannot_be_written_is_settled_by_the_next_run() {
    with_a_directory_at("owned.json", |_, machine| {
        ensure(machine.has_journal(), "the journal is gone", &())
    });
}

#[test]
fn drains_that_cannot_be_written_lose_nothing() {
    with_a_directory_at("drains.json", |_, machine| {
        ensure(machine.has_journal(), "the journal is gone", &())
    });
}
