//! All warnings of a document, and what it silences.

use std::sync::Arc;

use foldhash::HashSet;

use super::{Code, Origin, Warning};
use crate::document::Silence;

/// Warnings, less those that the document silences.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    silences: Arc<Silences>,
    shown: Vec<Warning>,
    silenced: usize,
}

/// A document may have thousands of both: neither is walked through for each of the other.
#[derive(Debug, Default)]
struct Silences {
    everywhere: HashSet<Code>,
    named: HashSet<(Code, String)>,
}

impl Silences {
    fn new(silences: &[Silence]) -> Self {
        let mut all = Self::default();
        for silence in silences {
            match &silence.at {
                None => all.everywhere.insert(silence.code),
                Some(name) => all.named.insert((silence.code, name.to_string())),
            };
        }
        all
    }

    /// What is about several is silenced when each of them is.
    fn silence(&self, warning: &Warning) -> bool {
        let Some(code) = warning.code else {
            return false;
        };
        let is_named = |name: &String| self.named.contains(&(code, name.clone()));
        self.everywhere.contains(&code)
            || (!warning.about.is_empty() && warning.about.iter().all(is_named))
    }
}

impl Warnings {
    /// None yet.
    pub fn new(silences: &[Silence]) -> Self {
        Self {
            silences: Arc::new(Silences::new(silences)),
            ..Self::default()
        }
    }

    /// Those that are not silenced.
    pub fn shown(&self) -> &[Warning] {
        &self.shown
    }

    /// How many are.
    pub fn silenced(&self) -> usize {
        self.silenced
    }

    /// Those that are said here and not there, wherever they stand, by the same silences.
    #[must_use]
    pub fn beyond(&self, there: &Self) -> Self {
        let said = |it: &Warning| (it.code, it.message.clone(), it.about.clone());
        let there: HashSet<_> = there.shown.iter().map(said).collect();
        let mut new = self.clone();
        new.shown.retain(|it| !there.contains(&said(it)));
        new
    }

    /// With others, by the same silences.
    #[must_use]
    pub fn and(&self, others: impl IntoIterator<Item = Warning>) -> Self {
        let mut all = self.clone();
        all.extend(others);
        all
    }
}

impl Extend<Warning> for Warnings {
    fn extend<I: IntoIterator<Item = Warning>>(&mut self, warnings: I) {
        for warning in warnings {
            match self.silences.silence(&warning) {
                true => self.silenced += 1,
                false => self.shown.push(warning),
            }
        }
    }
}

/// Silences that silence none of the warnings of a document. Of what only a machine tells, a document cannot know.
pub(crate) fn useless(silences: &[Silence], warnings: &[Warning]) -> Vec<Warning> {
    let codes: HashSet<Option<Code>> = warnings.iter().map(|it| it.code).collect();
    let about = |it: &'_ Warning| it.code.map(|code| (code, it.about.clone()));
    let named = warnings.iter().filter_map(about);
    let named: HashSet<(Code, String)> = named
        .flat_map(|(code, names)| names.into_iter().map(move |name| (code, name)))
        .collect();
    let is_used = |silence: &Silence| match &silence.at {
        None => codes.contains(&Some(silence.code)),
        Some(name) => named.contains(&(silence.code, name.to_string())),
    };
    let is_useless = |silence: &Silence| {
        let by_document = silence.code.origin() == Origin::Document;
        by_document && silence.code != Code::UselessSilence && !is_used(silence)
    };
    let useless = silences.iter().enumerate().filter(|(_, it)| is_useless(it));
    useless.map(|(at, silence)| unused(at, silence)).collect()
}

fn unused(at: usize, silence: &Silence) -> Warning {
    let place = silence.at.as_ref().map(|it| format!(" of {it}"));
    let message = format!(
        "there is no {}{}: remove it, or it hides the next one",
        silence.code,
        place.unwrap_or_default()
    );
    Warning::new(Code::UselessSilence, message).at(format!("silence[{at}]"))
}
