//! Performs a plan and, when a step fails, takes back what was done. The undo is the same engine with the prior
//! values as its goal.

use crate::delta::{Nature, Verb};
use crate::host::{Host, HostError, Outcome, Since};
use crate::plan::{Plan, Step};
use crate::resources::{Change, Keys, State};
use crate::verify::{Goal, Look};

/// How often what the kernel took away by the way (routes of an address, addresses of a link) is put back before
/// the difference counts as a failure.
const EXTRA_ROUNDS: usize = 2;

/// How often an undo goes on past something that cannot be taken back.
const UNDO_ROUNDS: usize = 24;

/// What became of an apply.
#[derive(Debug)]
pub struct Report {
    /// Steps that were made, those that put back what others took away included.
    pub done: usize,
    /// What the last look saw; `None` when the machine could not be looked at.
    pub live: Option<State>,
    /// What others had made, the kernel took along, and cannot be without what is gone.
    pub lost: Vec<Change>,
    pub end: End,
}

/// How an apply ended.
#[derive(Debug)]
pub enum End {
    /// The machine is as it was asked to be.
    Converged,
    /// Something failed; `undone` steps took it back, and `left` are the differences from before that remain.
    Undone {
        why: Failure,
        undone: usize,
        left: Vec<Change>,
    },
}

/// Why an apply was given up.
#[derive(Debug)]
pub enum Failure {
    /// The machine refused a step.
    Step { step: Box<Step>, error: HostError },
    /// Every step was made, and still the machine differs.
    Differs(Vec<Change>),
    /// The machine could not be looked at afterwards.
    Blind(HostError),
}

/// Makes `plan`, which came out of `before`, and looks again until nothing is left to do.
pub async fn apply<H: Host>(plan: &Plan, before: &State, goal: &Goal, host: &mut H) -> Report {
    let mut done = 0;
    let beside = bystanders(plan, before);
    let mut again: Vec<Plan> = Vec::new();
    let mut last: Option<State> = None;
    let why = loop {
        let next = again.last().unwrap_or(plan);
        let (made, failed) = perform(next, host).await;
        done += made;
        if let Some((step, error)) = failed {
            break Failure::Step { step, error };
        }
        let since = Since {
            state: last.as_ref().unwrap_or(before),
            steps: &next.steps,
        };
        match goal.look_since(Some(since), host).await {
            Err(error) => break Failure::Blind(error),
            Ok(look) if look.judged.changes.is_empty() && look.judged.conflicts.is_empty() => {
                let (given_back, look, lost) = give_back(&beside, look, goal, host).await;
                return converged(done + given_back, look, lost);
            }
            Ok(look) => {
                last = Some(look.seen.state);
                again.push(Plan::of(look.judged.changes));
            }
        }
        if again.len() > EXTRA_ROUNDS {
            let left = again.pop().unwrap_or_default().steps;
            break Failure::Differs(left.into_iter().map(|step| step.change).collect());
        }
    };
    let made = std::iter::once(plan).chain(&again);
    let reach = Reach {
        touched: Keys::of(made.flat_map(|it| it.steps.iter().map(|step| &step.change))),
        beside: beside.all_keys(),
    };
    undo(done, before, &reach, goal, why, host).await
}

/// What stands beside the plan and may be taken along by it, whosever it is.
fn bystanders(plan: &Plan, before: &State) -> State {
    let changes = || plan.steps.iter().map(|step| &step.change);
    if !changes().any(Change::takes_others_along) {
        return State::default();
    }
    let mut beside = before.network();
    beside.remove_all(&Keys::of(changes()));
    beside
}

/// Gives back what was taken along: by itself, for what cannot be any more must not keep the rest from being there. How
/// many were given back, and which are lost.
async fn give_back<H: Host>(
    beside: &State,
    look: Look,
    goal: &Goal,
    host: &mut H,
) -> (usize, Look, Vec<Change>) {
    let lost = missing(beside, &look.seen.state);
    if lost.is_empty() {
        return (0, look, lost);
    }
    let mut done = 0;
    for step in Plan::of(lost.clone()).steps {
        done += perform(&Plan { steps: vec![step] }, host).await.0;
    }
    match goal.look(host).await {
        Ok(again) => {
            let lost = missing(beside, &again.seen.state);
            (done, again, lost)
        }
        Err(_) => (done, look, lost),
    }
}

/// What an undo tries again, and what not.
#[derive(Default)]
struct Rounds {
    /// Was refused.
    given_up: Keys,
    /// What the last round made.
    last: Vec<Change>,
}

impl Rounds {
    /// The next round, of what still differs. None when nothing is left to try, or trying it has changed nothing.
    fn next(&mut self, mut changes: Vec<Change>) -> Option<Plan> {
        changes.retain(|it| !self.given_up.contains(it));
        if changes.is_empty() || changes == self.last {
            return None;
        }
        self.last.clone_from(&changes);
        Some(Plan::of(changes))
    }
}

/// Makes `plan`, which takes others back. What cannot be done is left, and keeps nothing else from being done: a file
/// for which there is no room must not keep the address by which somebody could make some.
pub async fn take_back<H: Host>(plan: &Plan, goal: &Goal, host: &mut H) -> Report {
    let (mut next, mut done) = (plan.clone(), 0);
    let (mut why, mut rounds) = (None, Rounds::default());
    for _ in 0..UNDO_ROUNDS {
        let (made, refused) = perform(&next, host).await;
        done += made;
        if let Some((step, error)) = refused {
            rounds.given_up.insert(&step.change);
            why.get_or_insert(Failure::Step { step, error });
        }
        let look = match goal.look(host).await {
            Ok(look) => look,
            Err(error) => return ended(done, None, Failure::Blind(error), Vec::new()),
        };
        let mut left = look.judged.changes.clone();
        left.extend(look.judged.conflicts.iter().cloned());
        if left.is_empty() {
            return converged(done, look, Vec::new());
        }
        let Some(again) = rounds.next(look.judged.changes) else {
            let why = why.unwrap_or_else(|| Failure::Differs(left.clone()));
            return ended(done, Some(look.seen.state), why, left);
        };
        next = again;
    }
    let left: Vec<Change> = next.steps.into_iter().map(|step| step.change).collect();
    ended(done, None, Failure::Differs(left.clone()), left)
}

/// Nothing of what was done is undone.
fn ended(done: usize, live: Option<State>, why: Failure, left: Vec<Change>) -> Report {
    let end = End::Undone {
        why,
        undone: 0,
        left,
    };
    Report {
        done,
        live,
        lost: Vec::new(),
        end,
    }
}

fn converged(done: usize, look: Look, lost: Vec<Change>) -> Report {
    Report {
        done,
        live: Some(look.seen.state),
        lost,
        end: End::Converged,
    }
}

fn missing(beside: &State, live: &State) -> Vec<Change> {
    // The usual case, in which everything alive would count as a difference first.
    if beside.is_empty() {
        return Vec::new();
    }
    let mut changes = live.changes_to(beside);
    changes.retain(|it| it.verb() == Verb::Create);
    changes
}

/// Makes the steps run by run; stops at the first refusal. How many were made, and the one that was refused: when a kind
/// attempts nothing because a later one of a run cannot be, that one.
async fn perform<H: Host>(plan: &Plan, host: &mut H) -> (usize, Option<(Box<Step>, HostError)>) {
    let mut done = 0;
    for run in plan.runs() {
        let mut skipped = None;
        for (step, outcome) in run.iter().zip(host.apply(run).await) {
            match outcome {
                Outcome::Done | Outcome::AlreadySo => done += 1,
                // The look that follows tells what became of it.
                Outcome::Unknown => {}
                Outcome::NotAttempted => skipped = skipped.or(Some(step)),
                Outcome::Failed(error) => return (done, Some((Box::new(step.clone()), error))),
            }
        }
        if let Some(step) = skipped {
            let action = format!("cannot change {}", step.change.name());
            let error = HostError::new(action, "not attempted");
            return (done, Some((Box::new(step.clone()), error)));
        }
    }
    (done, None)
}

/// What a run may have changed.
struct Reach {
    touched: Keys,
    /// May have been taken along.
    beside: Keys,
}

impl Reach {
    fn covers(&self, change: &Change) -> bool {
        let taken_along = change.verb() == Verb::Create && self.beside.contains(change);
        change.nature() != Nature::Retained && (self.touched.contains(change) || taken_along)
    }
}

/// Looks at what really happened and gives the touched objects the values they had before. What cannot be taken back
/// is left, and keeps nothing else from being taken back.
async fn undo<H: Host>(
    done: usize,
    before: &State,
    reach: &Reach,
    goal: &Goal,
    why: Failure,
    host: &mut H,
) -> Report {
    let before = &before.as_goal();
    let (mut undone, mut rounds) = (0, Rounds::default());
    let mut seen = differences(before, reach, goal, host).await;
    for _ in 0..UNDO_ROUNDS {
        let Ok((_, changes)) = &seen else { break };
        let Some(next) = rounds.next(changes.clone()) else {
            break;
        };
        let (made, refused) = perform(&next, host).await;
        undone += made;
        if let Some((step, _)) = refused {
            rounds.given_up.insert(&step.change);
        }
        seen = differences(before, reach, goal, host).await;
    }
    let (live, why, left) = match seen {
        Ok((live, left)) => (Some(live), why, left),
        Err(error) => (None, Failure::Blind(error), Vec::new()),
    };
    Report {
        done,
        live,
        lost: Vec::new(),
        end: End::Undone { why, undone, left },
    }
}

/// The machine now, and how the touched objects differ from what they were. Loaded modules are retained.
async fn differences<H: Host>(
    before: &State,
    reach: &Reach,
    goal: &Goal,
    host: &mut H,
) -> Result<(State, Vec<Change>), HostError> {
    let now = goal.look(host).await?.seen.state;
    let mut changes = now.changes_to(before);
    changes.retain(|it| reach.covers(it));
    Ok((now, changes))
}

impl Report {
    /// True when everything that was done is taken back.
    pub fn is_restored(&self) -> bool {
        matches!(&self.end, End::Undone { why, left, .. }
            if left.is_empty() && !matches!(why, Failure::Blind(_)))
    }

    /// True when the machine is as it was asked to be.
    pub fn is_converged(&self) -> bool {
        matches!(self.end, End::Converged)
    }
}
