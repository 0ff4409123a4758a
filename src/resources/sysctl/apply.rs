//! Writes kernel settings.

use super::Sysctl;
use crate::delta::Delta;
use crate::host::Outcome;
use crate::host::linux::{LinuxHost, proc_sys};

/// One write each, in order.
pub async fn apply(_: &mut LinuxHost, deltas: &[&Delta<Sysctl>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let outcome = match delta.to() {
            Some(setting) => set(setting),
            // It came with a module or an interface and goes with it; what it was before, nobody knows.
            None => Outcome::AlreadySo,
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    outcomes
}

fn set(setting: &Sysctl) -> Outcome {
    match proc_sys::write(setting.key.path(), &setting.value) {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::Failed(error),
    }
}
