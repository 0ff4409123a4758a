//! `diff`: what another document would change, with no machine at all.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{PlanFormat, Shown, print, print_json, show_turn};
use crate::between::Sides;
use crate::cycle::Turn;
use crate::desired::{self, Desired, Facts};
use crate::document::Document;
use crate::error::{Error, Success};
use crate::lint::Warnings;
use crate::output;
use crate::session::{self, Part};
use crate::source::{FileSource, Trust};

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The document that is in force.
    before: PathBuf,
    /// The one that is to take its place.
    after: PathBuf,
    /// Only for this director; else for each that one of them names.
    #[arg(long, env = "LVS_RECONCILE_NODE")]
    node: Option<String>,
    #[command(flatten)]
    shown: Shown,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Diff {
    pub async fn run(self) -> Result<Success, Error> {
        let (before, known) = read(&self.before)?;
        let (after, warnings) = read(&self.after)?;
        let new = warnings.beyond(&known);
        let mut shown = Vec::new();
        let mut changes = false;
        for node in self.nodes(&before, &after)? {
            let sides = Sides {
                before: of(&before, &node)?,
                after: of(&after, &node)?,
            };
            let between = sides.plan().await?;
            changes |= between.changes;
            let part = Part::offline(node, between.desired, &new);
            shown.push((between.turn, part));
        }
        self.show(&shown);
        match changes && self.detailed_exitcode {
            true => Ok(Success::Changes),
            false => Ok(Success::Done),
        }
    }

    /// In the order of the second document, then those that only the first has.
    fn nodes(&self, before: &Document, after: &Document) -> Result<Vec<String>, Error> {
        let all = after.directors.iter().chain(&before.directors);
        let mut nodes: Vec<String> = Vec::new();
        for director in all {
            if !nodes.iter().any(|it| it == director.name.as_str()) {
                nodes.push(director.name.as_str().to_owned());
            }
        }
        match &self.node {
            Some(node) if !nodes.contains(node) => Err(Error::Document(format!(
                "no director of these documents is called {node:?}; there are: {}",
                nodes.join(", ")
            ))),
            Some(node) => Ok(vec![node.clone()]),
            None => Ok(nodes),
        }
    }

    fn show(&self, diffs: &[(Turn, Part)]) {
        let documents = format!("{} → {}", self.before.display(), self.after.display());
        if self.shown.format == PlanFormat::Json {
            let of = |(turn, part): &(Turn, Part)| {
                output::json::plan(turn, &part.context("diff", &documents))
            };
            let plans: Vec<_> = diffs.iter().map(of).collect();
            return print_json(&json!({ "formatVersion": 1, "plans": plans }));
        }
        if self.shown.format == PlanFormat::Markdown {
            let context = |part| self.shown.context(part, "diff", &documents);
            let plans = diffs.iter().map(|(turn, part)| (turn, context(part)));
            let plans: Vec<_> = plans.collect();
            return print(&output::markdown::plans(&plans));
        }
        for (turn, part) in diffs {
            show_turn(turn, part, &documents, "diff", &self.shown);
        }
    }
}

/// Both documents are somebody's proposal: nothing is done by them here.
fn read(path: &Path) -> Result<(Document, Warnings), Error> {
    let loaded = session::first(&mut FileSource::new(path, Trust::Any))?;
    Ok((loaded.document, loaded.warnings))
}

/// What a document asks of a director; nothing of one that it does not name.
fn of(document: &Document, node: &str) -> Result<Desired, Error> {
    if document.directors.iter().all(|it| it.name.as_str() != node) {
        return Ok(Desired::default());
    }
    desired::resolve(document, node, &Facts::unknown()).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Error::Document(lines.join("\n"))
    })
}
