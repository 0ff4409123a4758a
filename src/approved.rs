//! A plan on file, as it was reviewed: the plan that is approved is the plan that is made. Nothing in the file is
//! executed. What is made is what a new look at the machine gives, once it is known to be the same.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cycle::Turn;
use crate::desired::Names;
use crate::error::Error;
use crate::output::words;
use crate::plan::{Plan, Step};
use crate::snapshot::read_some;

/// The version of the format, of which there is one.
const FORMAT_VERSION: u32 = 1;

/// As large as a plan may be: ten thousand services with their files have less.
const LARGEST: u64 = 256 << 20;

/// How many differences are named.
const MOST: usize = 20;

/// A plan that somebody has seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approved {
    format_version: u32,
    /// The director that it is for.
    pub node: String,
    /// Of its steps: what `apply --approved` takes.
    pub digest: String,
    /// Of all this, so that a file that was changed by mistake is none. Whoever can write the file can make another.
    seal: String,
    steps: Vec<Step>,
}

impl Approved {
    /// What there is to approve.
    pub fn of(node: &str, turn: &Turn) -> Self {
        let digest = turn.digest();
        Self {
            format_version: FORMAT_VERSION,
            node: node.to_owned(),
            seal: seal(node, &digest),
            digest,
            steps: turn.plan.steps.clone(),
        }
    }

    /// As it is written.
    pub fn text(&self) -> String {
        // Plain values: nothing in them can fail to be written.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Reads one that `plan --out` wrote; says whether it is whole.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |what: String| Error::Usage(format!("{}: {what}", path.display()));
        let bytes = read_some(path, LARGEST).map_err(wrong)?;
        let approved: Self = serde_json::from_slice(&bytes).map_err(|error| {
            wrong(format!(
                "is no plan: {error}; `lvs-reconcile plan --out` writes one"
            ))
        })?;
        if approved.format_version != FORMAT_VERSION {
            let version = approved.format_version;
            return Err(wrong(format!(
                "is of format {version}; this program reads {FORMAT_VERSION}"
            )));
        }
        let steps = approved.steps.clone();
        let digest = Plan { steps }.digest();
        if digest != approved.digest || seal(&approved.node, &digest) != approved.seal {
            return Err(wrong(
                "was changed since it was made, so nobody has approved it".to_owned(),
            ));
        }
        Ok(approved)
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
        let now = turn.digest();
        match now == self.digest {
            true => Ok(()),
            false => Err(Error::Stale {
                approved: self.digest.clone(),
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
            format!(
                "\n  {what}: {} {} {}  {}",
                words::symbol(change.verb()),
                change.kind().word(),
                words::name(change, names),
                words::what(change, names)
            )
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

fn seal(node: &str, digest: &str) -> String {
    let seal = Sha256::digest(format!("{node}\n{digest}"));
    seal[..16].iter().map(|it| format!("{it:02x}")).collect()
}

/// Those of `all` that `others` do not have.
fn missing<'a>(all: &'a [Step], others: &[Step]) -> Vec<&'a Step> {
    let written = |it: &Step| serde_json::to_string(it).unwrap_or_default();
    let others: BTreeSet<String> = others.iter().map(written).collect();
    all.iter()
        .filter(|it| !others.contains(&written(it)))
        .collect()
}
