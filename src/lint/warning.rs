//! One warning.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Code;

/// Something that is allowed, and that somebody should look at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// What it is of; `None` is a note on what could not be known.
    pub code: Option<Code>,
    /// The place in the document, `services[0].weight`; empty when it is nowhere in it.
    pub path: String,
    /// What to look at, and why.
    pub message: String,
    /// What it is about, by the names that a silence may say.
    pub about: Vec<String>,
}

impl Warning {
    /// Of a code, nowhere yet and about nothing that has a name.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            ..Self::note(message)
        }
    }

    /// What could not be known: nothing is wrong, and nothing can be silenced.
    pub fn note(message: impl Into<String>) -> Self {
        Self {
            code: None,
            path: String::new(),
            message: message.into(),
            about: Vec::new(),
        }
    }

    /// At a place of the document.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..self
        }
    }

    /// About something that has a name.
    #[must_use]
    pub fn about(mut self, name: impl Into<String>) -> Self {
        self.about.push(name.into());
        self
    }

    /// Without its code.
    pub fn plain(&self) -> String {
        match self.path.as_str() {
            "" => self.message.clone(),
            path => format!("{path}: {}", self.message),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = self.code {
            write!(f, "{code} ")?;
        }
        f.write_str(&self.plain())
    }
}
