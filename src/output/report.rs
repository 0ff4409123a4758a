//! What became of an apply, in words.

use std::fmt::Write;

use crate::apply::{End, Failure, Report};
use crate::cycle::Turn;
use crate::output::{counted, escaped, words};
use crate::overlay::drain::Drain;
use crate::resources::Change;

/// The report of an apply: what was done, and after a failure what was undone and what is left.
pub fn report(report: &Report, turn: &Turn) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = match &report.end {
        End::Converged => converged(&mut out, report, turn),
        End::Undone { why, undone, left } => undone_text(&mut out, report, why, *undone, left),
    };
    out
}

/// Of it, what somebody must see, whoever reads the rest: a failure whole, and what was lost.
pub fn urgent(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = match &report.end {
        End::Converged => lost(&mut out, &report.lost),
        End::Undone { why, undone, left } => undone_text(&mut out, report, why, *undone, left),
    };
    out
}

fn converged(out: &mut String, report: &Report, turn: &Turn) -> std::fmt::Result {
    let verified = report.live.as_ref().map_or(0, crate::resources::State::len);
    writeln!(
        out,
        "done: {}, verified {}",
        counted(report.done, "step"),
        counted(verified, "object")
    )?;
    lost(out, &report.lost)?;
    for drain in &turn.drains.0 {
        writeln!(
            out,
            "draining: {} for at most {} s",
            drain.destination,
            seconds_left(drain, turn)
        )?;
    }
    Ok(())
}

fn lost(out: &mut String, lost: &[Change]) -> std::fmt::Result {
    for it in lost {
        let (kind, name) = (it.kind().word(), escaped(&it.name()));
        writeln!(
            out,
            "! the kernel took along {kind} {name}, which cannot be without what is gone"
        )?;
    }
    Ok(())
}

/// Seconds until the drain's time is up.
pub fn seconds_left(drain: &Drain, turn: &Turn) -> u64 {
    drain.until.seconds.saturating_sub(turn.now.seconds)
}

fn undone_text(
    out: &mut String,
    report: &Report,
    why: &Failure,
    undone: usize,
    left: &[Change],
) -> std::fmt::Result {
    writeln!(out, "failed: {}", escaped(&reason(why)))?;
    writeln!(
        out,
        "{} done, {} to take it back",
        counted(report.done, "step"),
        counted(undone, "step")
    )?;
    if report.is_restored() {
        return writeln!(out, "everything is as it was before");
    }
    writeln!(
        out,
        "left, and different from before: {}",
        counted(left.len(), "object")
    )?;
    for change in left {
        let (kind, name) = (change.kind().word(), escaped(&change.name()));
        writeln!(out, "  {} {kind} {name}", words::symbol(change.verb()))?;
    }
    writeln!(
        out,
        "the same command makes, or takes back, the rest once the cause is gone"
    )
}

/// Why an apply was given up, in one line.
pub fn reason(why: &Failure) -> String {
    match why {
        Failure::Step { step, error } => {
            let change = &step.change;
            format!("{} {}: {error}", change.kind().word(), change.name())
        }
        Failure::Differs(changes) => {
            let names: Vec<_> = changes
                .iter()
                .take(5)
                .map(|it| format!("{} {}", it.kind().word(), it.name()))
                .collect();
            format!(
                "every step was made, but the machine still differs in {} objects: {}",
                changes.len(),
                names.join(", ")
            )
        }
        Failure::Blind(error) => format!("cannot look at the machine any more: {error}"),
    }
}
