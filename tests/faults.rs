//! What goes wrong at any single step, and what the run after it makes of that: every example, every step, every fault.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use lvs_reconcile::host::memory::Fault;
use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::resources::{Keys, State};
use proptest::prelude::*;

#[allow(dead_code, reason = "shared with programs that count their cases")]
mod figures;
#[path = "faults/machine.rs"]
mod machine;
#[path = "faults/others.rs"]
mod others;
#[path = "faults/rounds.rs"]
mod rounds;
#[path = "faults/setting.rs"]
mod setting;
#[path = "faults/store.rs"]
mod store;
#[allow(dead_code, reason = "each test program draws from it what it needs")]
mod world;

use figures::figure;
use machine::{Machine, Ran, differences, disagreements, lost, room};
use setting::{Setting, settings};

/// What an undisturbed run makes of a setting.
pub struct Reference {
    steps: usize,
    made: State,
    inventory: Inventory,
}

impl Reference {
    pub fn of(setting: &Setting) -> Self {
        let mut machine = Machine::at(setting);
        let ran = machine.run(setting).unwrap();
        assert!(ran.is_converged(), "{}: {ran:?}", setting.name);
        let lost = lost(&setting.foreign, &machine.host.state);
        assert!(lost.is_empty(), "{}: {lost:?}", setting.name);
        Self {
            steps: machine.host.taken,
            inventory: machine.inventory(),
            made: machine.host.state,
        }
    }

    /// Runs once more, undisturbed: everything must be as if nothing had ever gone wrong, what is not ours included.
    pub fn is_reached(
        &self,
        machine: &mut Machine,
        setting: &Setting,
        foreign: &State,
    ) -> Result<(), String> {
        machine.host.faults.clear();
        let ran = machine.run(setting)?;
        ensure(ran.is_converged(), "the next run does not converge", &ran)?;
        let left = differences(&machine.host.state, &self.made);
        let ours: Vec<_> = left
            .iter()
            .filter(|it| setting.foreign.value_of(it).is_none())
            .collect();
        ensure(ours.is_empty(), "it ends elsewhere", &ours)?;
        let lost = lost(foreign, &machine.host.state);
        ensure(lost.is_empty(), "it lost what is not ours", &lost)?;
        let owned = |it: &Inventory| Inventory {
            owned: it.owned.clone(),
            ..Inventory::default()
        };
        let wrong = disagreements(&owned(&self.inventory), &owned(&machine.inventory()));
        ensure(wrong.is_empty(), "the inventory", &wrong)?;
        ensure(!machine.has_journal(), "a journal is left", &())?;
        let planned = machine.plan(setting)?.changes;
        ensure(planned.is_empty(), "the run after that plans", &planned)
    }

    /// What was before we came is known, and nothing else.
    pub fn is_remembered(&self, machine: &Machine) -> Result<(), String> {
        let wrong = disagreements(&self.inventory, &machine.inventory());
        ensure(wrong.is_empty(), "former values", &wrong)
    }
}

pub fn ensure(holds: bool, what: &str, shown: &impl std::fmt::Debug) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(format!("{what}: {shown:?}")),
    }
}

/// Tries `fault` at every step of every setting; `judge` says what must hold.
pub fn everywhere(
    word: &str,
    fault: Fault,
    judge: impl Fn(&Setting, &Reference, Machine, Ran) -> Result<(), String>,
) {
    let files = room();
    let (mut points, mut wrong) = (0, Vec::new());
    for setting in settings(files.path()) {
        let reference = Reference::of(&setting);
        // One may also be killed when all is done.
        let last = usize::from(matches!(fault, Fault::Die));
        for step in 0..reference.steps + last {
            points += 1;
            let mut machine = Machine::with(&setting, [(step, fault)]);
            let judged = machine
                .run(&setting)
                .and_then(|ran| judge(&setting, &reference, machine, ran));
            if let Err(problem) = judged {
                wrong.push(format!("{} at step {step}: {problem}", setting.name));
            }
        }
    }
    eprintln!(
        "faults: {word}: {points} points, {} divergences",
        wrong.len()
    );
    wrong.truncate(10);
    assert!(wrong.is_empty() && points > 0, "{}", wrong.join("\n"));
    let place = format!("model, {word}");
    figure("P8", &place, &format!("at {points} points, 0 divergences"));
    figure(
        "P3",
        &place,
        &format!("{points} runs with a fault, 0 false successes"),
    );
}

/// Everything was taken back, and is known to be.
fn is_undone(setting: &Setting, machine: &Machine, ran: &Ran) -> Result<(), String> {
    ensure(ran.is_restored(), "it is not undone", ran)?;
    let left = differences(&machine.host.state, &setting.start);
    ensure(left.is_empty(), "the undo left", &left)?;
    ensure(!machine.has_journal(), "a journal is left", &())?;
    let before = setting.inventory.clone();
    let before = before.settled(&setting.start, &Keys::default());
    let wrong = disagreements(&before, &machine.inventory());
    ensure(wrong.is_empty(), "the inventory", &wrong)
}

fn undone_everywhere(word: &str, fault: Fault) {
    everywhere(word, fault, |setting, reference, mut machine, ran| {
        is_undone(setting, &machine, &ran)?;
        reference.is_reached(&mut machine, setting, &setting.foreign)?;
        reference.is_remembered(&machine)
    });
}

#[test]
fn killed_at_any_step_the_next_run_finishes() {
    everywhere("die", Fault::Die, |setting, reference, mut machine, ran| {
        ensure(matches!(ran, Ran::Died), "it did not die", &ran)?;
        reference.is_reached(&mut machine, setting, &setting.foreign)
    });
}

#[test]
fn killed_at_any_step_former_values_are_not_forgotten() {
    everywhere(
        "die, former values",
        Fault::Die,
        |setting, reference, mut machine, _| {
            reference.is_reached(&mut machine, setting, &setting.foreign)?;
            reference.is_remembered(&machine)
        },
    );
}

#[test]
fn a_refused_step_is_undone() {
    undone_everywhere("refuse", Fault::Refuse);
}

#[test]
fn a_refused_step_is_undone_with_what_was_on_its_way() {
    undone_everywhere("refuse amidst", Fault::RefuseAmidst);
}

#[test]
fn a_connection_that_ends_is_undone() {
    undone_everywhere("stop", Fault::Stop);
}

#[test]
fn a_lost_answer_changes_nothing() {
    everywhere(
        "lose answer",
        Fault::LoseAnswer,
        |setting, reference, mut machine, ran| {
            ensure(ran.is_converged(), "it does not converge", &ran)?;
            reference.is_reached(&mut machine, setting, &setting.foreign)
        },
    );
}

/// What depends on a step that never arrived is refused: then everything is undone.
#[test]
fn a_lost_request_is_repeated_or_undone() {
    everywhere(
        "lose request",
        Fault::LoseRequest,
        |setting, reference, mut machine, ran| {
            if !ran.is_converged() {
                is_undone(setting, &machine, &ran)?;
            }
            reference.is_reached(&mut machine, setting, &setting.foreign)
        },
    );
}

#[test]
fn what_could_not_be_looked_at_is_settled_by_the_next_run() {
    everywhere(
        "go blind",
        Fault::GoBlind,
        |setting, reference, mut machine, ran| {
            ensure(
                !ran.is_converged() && !ran.is_restored(),
                "it judges blindly",
                &ran,
            )?;
            reference.is_reached(&mut machine, setting, &setting.foreign)
        },
    );
}

fn a_fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![
        Fault::Refuse,
        Fault::RefuseAmidst,
        Fault::Stop,
        Fault::Die,
        Fault::LoseAnswer,
        Fault::LoseRequest,
        Fault::GoBlind,
    ])
}

/// Two faults: the second in what the first one caused, be that an undo or the next run.
#[test]
fn a_second_fault_is_no_worse() {
    let files = room();
    let settings = settings(files.path());
    let references: Vec<_> = settings.iter().map(Reference::of).collect();
    let points = std::cell::Cell::new(0);
    let two = (
        any::<prop::sample::Index>(),
        any::<[prop::sample::Index; 2]>(),
        a_fault(),
        a_fault(),
    );
    proptest!(|((which, [first, second], one, other) in two)| {
        let which = which.index(settings.len());
        let (setting, reference) = (&settings[which], &references[which]);
        let steps = reference.steps;
        let first = first.index(steps);
        let mut machine = Machine::with(setting, [(first, one)]);
        machine.host.faults.insert(first + 1 + second.index(steps), other);
        let ran = machine.run(setting).map_err(TestCaseError::fail)?;
        machine.host.faults.retain(|at, it| *at > first || !matches!(it, Fault::GoBlind | Fault::Die));
        if !ran.is_converged() {
            let _ = machine.run(setting);
        }
        points.set(points.get() + 1);
        reference.is_reached(&mut machine, setting, &setting.foreign).map_err(TestCaseError::fail)?;
    });
    eprintln!("faults: two of them: {} cases, 0 divergences", points.get());
}
