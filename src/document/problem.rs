//! What is wrong with a document, and how it is shown.

use std::fmt::{self, Write};

/// One problem of a document: where it is, what is wrong, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place in the document's own words: `services[0].port`. Empty for the document as a whole.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The offending value, escaped; none when something is missing or the value is a list or an object.
    pub value: Option<String>,
    /// What is wrong, as the rest of a sentence that starts with the value.
    pub message: String,
    /// What would be right.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if let Some(value) = &self.value {
            write!(f, "{value} ")?;
        }
        let joint = if self.fix.starts_with("did you mean") {
            ", "
        } else {
            "; "
        };
        write!(f, "{}{joint}{}", self.message, self.fix)
    }
}

/// All problems of one document, in the order of the document. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The document, as the user named it.
    pub file_name: String,
    /// The problems; at most [`Problems::MOST`].
    pub problems: Vec<Problem>,
    /// Whether there were more.
    pub cut: Cut,
}

/// Whether a list shows everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Everything is shown.
    Complete,
    /// There is more than is shown.
    More,
}

impl Problems {
    /// So many are worth reading; a document with more is not a document.
    pub const MOST: usize = 100;
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file_name = escape(&self.file_name);
        for (number, problem) in self.problems.iter().enumerate() {
            let line_end = if number == 0 { "" } else { "\n" };
            write!(f, "{line_end}{file_name}:{problem}")?;
        }
        match self.cut {
            Cut::Complete => Ok(()),
            Cut::More => write!(f, "\n{file_name}: there are more problems; fix these first"),
        }
    }
}

impl std::error::Error for Problems {}

/// So many characters of a value are shown.
const SHOWN: usize = 60;

/// Text for a terminal or a page: printable ASCII stays, everything else becomes an escape.
///
/// Also what is printable elsewhere: direction marks, line separators and letters that look like others deceive.
pub fn escape(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN) {
        match c {
            ' '..='~' => shown.push(c),
            _ => shown.extend(c.escape_default()),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A string value as it is shown: escaped, in quotes.
pub fn quote(text: &str) -> String {
    let mut shown = String::from('"');
    for c in text.chars().take(SHOWN) {
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            ' '..='~' => shown.push(c),
            _ => shown.extend(c.escape_default()),
        }
    }
    shown.push('"');
    if let more @ 1.. = text.chars().count().saturating_sub(SHOWN) {
        let _ = write!(shown, "... ({more} more characters)");
    }
    shown
}

/// Finds lines and columns in a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let after_breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// The line and the column of a byte, both from 1.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self
            .text
            .get(start..offset.min(self.text.len()))
            .unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}
