//! Finds the place of what a check found, and leaves out what only follows from something reported before.

use super::{
    Draft,
    tree::{self, Hurt, Node, Object, Step, Value},
};
use crate::document::{
    check::{Extent, Finding},
    problem::quote,
};
use std::collections::BTreeSet;

/// A document's tree after everything wrong was taken out, and what was reported on the way.
pub struct Reported<'n> {
    root: &'n Node,
    /// The sections in which something was wrong: what is missing there may have been written.
    incomplete: BTreeSet<String>,
}

impl<'n> Reported<'n> {
    pub fn new(root: &'n Node, drafts: &[Draft]) -> Self {
        let section = |draft: &Draft| {
            draft
                .path
                .split(['.', '['])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let taken_out = root
            .object()
            .into_iter()
            .flat_map(|object| &object.reported)
            .map(|field| field.to_string());
        Self {
            root,
            incomplete: drafts.iter().map(section).chain(taken_out).collect(),
        }
    }

    /// The place of a finding; none when it only follows from something reported before.
    pub fn locate(&self, finding: &Finding) -> Option<Draft> {
        if finding
            .relies_on
            .iter()
            .any(|section| self.incomplete.contains(*section))
        {
            return None;
        }
        let way = self.walk(&finding.path);
        let follows = match finding.extent {
            Extent::Value => way.reported,
            Extent::Entry => way.entry == Hurt::Yes || way.holds_reported(),
        };
        if follows {
            return None;
        }
        Some(Draft {
            offset: way.offset,
            path: way.path,
            value: way.node.and_then(written),
            message: self.placed(&finding.message),
            fix: self.placed(&finding.fix),
        })
    }

    fn walk(&self, path: &str) -> Way<'n> {
        let mut way = Way {
            path: String::new(),
            node: Some(self.root),
            offset: self.root.span.start,
            entry: Hurt::No,
            reported: false,
        };
        // An entry of a list is judged by itself; but a destination or a match inherits from its service.
        let inherits = path.starts_with("services[");
        for step in steps(path) {
            if matches!(step, Step::Position(_)) && !inherits {
                way.entry = Hurt::No;
            }
            way.go(&step);
        }
        way
    }

    /// The same words; the places among them, which are not in quotes, as the text counts, in which what was taken out
    /// still stands.
    fn placed(&self, words: &str) -> String {
        let in_path = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
        let mut quoted = false;
        let pieces = words.split_inclusive(|c| !in_path(c)).map(|piece| {
            let word = piece.trim_end_matches(|c| !in_path(c));
            let is_place = !quoted && word.find('[').is_some_and(|it| it > 0);
            quoted ^= piece.ends_with('"');
            let way = is_place.then(|| self.walk(word));
            match way.filter(|it| it.node.is_some()) {
                Some(way) => way.path + &piece[word.len()..],
                None => piece.to_owned(),
            }
        });
        pieces.collect()
    }
}

/// A value as it is shown; none for lists and objects.
fn written(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(quote(text)),
        Value::Number(text) => Some(text.to_string()),
        Value::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A way from the root to a value, as far as it leads.
struct Way<'n> {
    path: String,
    node: Option<&'n Node>,
    offset: usize,
    /// Whether something beside the way, in the entry that it is in, has been reported.
    entry: Hurt,
    /// Whether a field of the way was taken out. One that is absent else was never written: a default is meant.
    reported: bool,
}

impl Way<'_> {
    fn go(&mut self, step: &Step) {
        tree::append(&mut self.path, self.node, step);
        self.reported |= self.node.is_some_and(|node| node.lost(step));
        self.node = self.node.and_then(|node| node.child(step));
        self.offset = self.node.map_or(self.offset, |node| node.span.start);
        if let Some(Object {
            hurt: Hurt::Yes, ..
        }) = self.node.and_then(Node::object)
        {
            self.entry = Hurt::Yes;
        }
    }

    fn holds_reported(&self) -> bool {
        !self.path.is_empty() && self.node.is_some_and(Node::is_hurt)
    }
}

/// The steps of a path as checks write it: `services[0].port`.
fn steps(path: &str) -> impl Iterator<Item = Step> {
    let parts = path.split(['.', '[']).filter(|part| !part.is_empty());
    parts.map(|part| match part.strip_suffix(']') {
        Some(index) => Step::Position(index.parse().unwrap_or(usize::MAX)),
        None => Step::Field(part.into()),
    })
}
