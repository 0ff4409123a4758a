//! What the operator reads: plans, reports and the state of things, as text and as JSON. Pure.

use std::collections::BTreeMap;

use crate::cycle::Turn;
use crate::desired::Names;
use crate::lint::Warnings;
use crate::resources::Kind;

pub mod diff;
pub mod impact;
pub mod json;
pub mod markdown;
pub mod picture;
pub mod report;
pub mod shares;
pub mod status;
pub mod strangers;
pub mod text;
pub mod time;
pub mod words;

/// What a plan is shown with, beside the changes themselves.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The command that shows it.
    pub command: &'a str,
    /// The node it is for.
    pub node: &'a str,
    /// Where the document came from.
    pub document: &'a str,
    pub names: &'a Names,
    /// What looks wrong but is no reason to refuse.
    pub warnings: &'a Warnings,
    /// What was left to us, and how it was decided.
    pub choices: &'a [String],
    /// The snapshot that it was made of, when there is one.
    pub live: Option<&'a str>,
    /// Whether to show the files.
    pub files: Files,
    /// How many changes of a group are shown before the rest is only counted.
    pub most: usize,
}

impl Context<'_> {
    /// The warnings, with those that come of a plan.
    fn warnings(&self, turn: &Turn) -> Warnings {
        self.warnings.and(shares::newcomers(turn, self.names))
    }
}

/// How much of generated files is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// One line a file.
    Named,
    /// With unified diffs.
    Diffed,
}

/// `1 address`, `2 addresses`.
pub fn counted(count: usize, word: &str) -> String {
    let ending = match (count, word.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {word}{ending}")
}

/// Text from the machine or the document with everything escaped that a terminal or a reader could take for
/// something else: control characters, and what turns the direction of writing.
pub fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
        out
    })
}

/// The same of several lines, which stay lines.
pub fn lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(escaped).collect();
    lines.join("\n")
}

/// What is seen, and stands where it is written.
fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}');
    let hides = matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !turns && !breaks && !hides
}

/// How many foreign objects of each kind stand beside ours.
pub fn foreign_by_kind(turn: &Turn) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for change in &turn.foreign {
        *counts.entry(change.kind()).or_default() += 1;
    }
    counts
}
