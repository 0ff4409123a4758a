//! What stands in the way, and what looks wrong.

use std::fmt;

use crate::lint::Warning;

/// Why a document cannot be used on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the document, such as `netboot.dhcp`; empty when it is nowhere in it.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub fix: String,
}

/// Everything found while resolving.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
    pub choices: Vec<String>,
}

impl Problem {
    pub(super) fn new(
        path: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}

impl Findings {
    /// The document cannot be used here.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// It can, but is probably not meant so.
    pub fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// It was left to us, and this is how it was decided.
    pub fn chose(&mut self, text: impl Into<String>) {
        self.choices.push(text.into());
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.message, self.fix)
    }
}

impl std::error::Error for Problem {}
