//! All warnings of a document, and what it silences.

use super::{Code, Origin, Warning};
use crate::document::Silence;

/// Warnings, less those that the document silences.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    silences: Vec<Silence>,
    shown: Vec<Warning>,
    silenced: usize,
}

impl Warnings {
    /// None yet.
    pub fn new(silences: &[Silence]) -> Self {
        Self {
            silences: silences.to_vec(),
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

    /// With others, by the same silences.
    #[must_use]
    pub fn and(&self, others: impl IntoIterator<Item = Warning>) -> Self {
        let mut all = self.clone();
        all.extend(others);
        all
    }

    /// What is about several is silenced when each of them is.
    fn silences(&self, warning: &Warning) -> bool {
        let of_code = || {
            self.silences
                .iter()
                .filter(|it| Some(it.code) == warning.code)
        };
        let named = |name: &String| of_code().any(|it| is_at(it, name));
        of_code().any(|it| it.at.is_none())
            || (!warning.about.is_empty() && warning.about.iter().all(named))
    }
}

impl Extend<Warning> for Warnings {
    fn extend<I: IntoIterator<Item = Warning>>(&mut self, warnings: I) {
        for warning in warnings {
            match self.silences(&warning) {
                true => self.silenced += 1,
                false => self.shown.push(warning),
            }
        }
    }
}

fn is_at(silence: &Silence, name: &str) -> bool {
    silence.at.as_ref().is_some_and(|it| it.as_str() == name)
}

/// Silences that silence none of the warnings of a document. Of what only a machine tells, a document cannot know.
pub(crate) fn useless(silences: &[Silence], warnings: &[Warning]) -> Vec<Warning> {
    let silent = |silence: &Silence, warning: &Warning| {
        let about = || warning.about.iter().any(|name| is_at(silence, name));
        warning.code == Some(silence.code) && (silence.at.is_none() || about())
    };
    let is_useless = |silence: &Silence| {
        silence.code.origin() == Origin::Document
            && silence.code != Code::UselessSilence
            && !warnings.iter().any(|warning| silent(silence, warning))
    };
    let useless = silences.iter().enumerate().filter(|(_, it)| is_useless(it));
    let warning = |(at, silence): (usize, &Silence)| {
        let place = silence.at.as_ref().map(|it| format!(" of {it}"));
        let message = format!(
            "there is no {}{}: remove it, or it hides the next one",
            silence.code,
            place.unwrap_or_default()
        );
        Warning::new(Code::UselessSilence, message).at(format!("silence[{at}]"))
    };
    useless.map(warning).collect()
}
