//! A plan on file, as it was reviewed: the plan that is approved is the plan that is made. Nothing in the file is
//! executed. What is made is what a new look at the machine gives, once it is known to be the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cycle::Turn;
use crate::desired::Names;
use crate::error::Error;
use crate::output::words;
use crate::plan::{Plan, Step};
use crate::sealed::{self, Held};

/// How many differences are named.
const MOST: usize = 20;

/// A plan that somebody has seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approved {
    /// The director that it is for.
    pub node: String,
    steps: Vec<Step>,
}

impl Held for Approved {
    const WHAT: &'static str = "plan";
    const MADE_BY: &'static str = "lvs-reconcile plan --out";
    const CHANGED: &'static str = "was changed since it was made, so nobody has approved it";
}

impl Approved {
    /// What there is to approve.
    pub fn of(node: &str, turn: &Turn) -> Self {
        Self {
            node: node.to_owned(),
            steps: turn.plan.steps.clone(),
        }
    }

    /// Refuses a plan that is another one, and tells how it differs.
    pub fn allow(&self, node: &str, turn: &Turn, names: &Names) -> Result<(), Error> {
        if node != self.node {
            let text = format!(
                "the plan was approved for {:?}, and this is {node:?}",
                self.node
            );
            return Err(Error::Usage(text));
        }
        let (approved, now) = (sealed::digest(&self.steps), turn.digest());
        match approved == now {
            true => Ok(()),
            false => Err(Error::Stale {
                approved,
                now,
                differs: self.differences(&turn.plan, names),
            }),
        }
    }

    fn differences(&self, now: &Plan, names: &Names) -> String {
        let gone = missing(&self.steps, &now.steps);
        let new = missing(&now.steps, &self.steps);
        let line = |what: &str, step: &Step| {
            let change = &step.change;
            let text = format!(
                "\n  {what}: {} {} {}  {}",
                words::symbol(change.verb()),
                change.kind().word(),
                words::name(change, names),
                words::what(change, names)
            );
            // Of an address there may be nothing to say but its name.
            text.trim_end().to_owned()
        };
        let gone = gone
            .iter()
            .map(|it| line("approved, and not to be done now", it));
        let new = new
            .iter()
            .map(|it| line("to be done now, and not approved", it));
        let lines: Vec<_> = gone.chain(new).collect();
        let more = lines.len().saturating_sub(MOST);
        let mut text: String = lines.iter().take(MOST).map(String::as_str).collect();
        if lines.is_empty() {
            text.push_str("\n  the same changes, in another order");
        }
        if more > 0 {
            text.push_str(&format!("\n  … and {more} more"));
        }
        text
    }
}

/// Those of `all` that `others` do not have.
fn missing<'a>(all: &'a [Step], others: &[Step]) -> Vec<&'a Step> {
    let written = |it: &Step| serde_json::to_string(it).unwrap_or_default();
    let others: BTreeSet<String> = others.iter().map(written).collect();
    all.iter()
        .filter(|it| !others.contains(&written(it)))
        .collect()
}
