//! An undo whose steps change nothing: it ends, and tells what it left.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use lvs_reconcile::apply::{End, Report, take_back};
use lvs_reconcile::host::memory::Fault;

use crate::machine::{Machine, room};
use crate::setting::settings;

/// Enough for any undo that does not end by itself.
const MANY: usize = 10_000;

fn deaf(from: usize) -> impl Iterator<Item = (usize, Fault)> {
    (from..from + MANY).map(|step| (step, Fault::LoseRequest))
}

/// What an undo that undid nothing left.
fn left(report: &Report) -> usize {
    match &report.end {
        End::Undone {
            undone: 0, left, ..
        } => left.len(),
        end => panic!("{end:?}"),
    }
}

/// What was lost once is sent once more, and not a third time.
#[test]
fn taking_back_on_a_deaf_machine_ends_after_the_second_round() {
    let files = room();
    for setting in settings(files.path()) {
        let mut machine = Machine::with(&setting, deaf(0).collect::<BTreeMap<_, _>>());
        let turn = machine.plan(&setting).unwrap();
        let steps = turn.plan.steps.len();
        let report = take_back(&turn.plan, &turn.goal, &mut machine.host);
        let report = report.now_or_never().unwrap();
        assert!(left(&report) > 0, "{}", setting.name);
        assert_eq!(machine.host.taken, 2 * steps, "{}", setting.name);
    }
}

/// The last step is refused; of the undo nothing arrives.
#[test]
fn an_undo_on_a_deaf_machine_ends_after_the_first_round() {
    let files = room();
    for setting in settings(files.path()) {
        let mut machine = Machine::at(&setting);
        let turn = machine.plan(&setting).unwrap();
        let last = turn.plan.steps.len() - 1;
        machine.host.faults = deaf(last + 1).chain([(last, Fault::Refuse)]).collect();
        let ran = machine.make(turn).unwrap();
        let undo = left(ran.report().unwrap());
        let sent = machine.host.taken - (last + 1);
        // What is replaced takes two steps.
        assert!(
            (undo..=2 * undo).contains(&sent),
            "{}: {sent} for {undo}",
            setting.name
        );
    }
}
