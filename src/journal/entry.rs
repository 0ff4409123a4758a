//! What a run writes down of itself before its first change.

use serde::{Deserialize, Serialize};

use super::{Intent, seconds_since_1970};
use crate::delta::{Nature, Verb};
use crate::desired::armed::Armed;
use crate::plan::Count;
use crate::resources::file::{Content, File, Hidden, Piece};
use crate::resources::{Change, Keys, State};

/// What stands in `journal.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// The command that made it.
    pub command: String,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// How many changes, by verb.
    pub changes: Count,
    /// Objects that did not exist before.
    pub created: Keys,
    /// Values of objects that did.
    pub prior: State,
    /// What the kernel may take away by the way: routes of an address, addresses of a link.
    pub beside: State,
    /// Of all these, the objects that were ours before.
    pub owned: Keys,
    /// Of all these, the shared values of which a former one was remembered already.
    pub remembered: Keys,
    /// Files copied beside, in the order of their numbers.
    pub files: Vec<String>,
    /// Who was to install himself before, when the run changed that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub armed: Option<Armed>,
}

impl Entry {
    pub(super) fn of(intent: &Intent<'_>) -> Self {
        let changes = intent.changes;
        let set = |it: &&Change| it.nature() == Nature::Set;
        let had_prior = |it: &&Change| intent.inventory.prior.value_of(it).is_some();
        // The first run on a machine is the largest, and nothing was ours before it.
        let anything = !intent.inventory.owned.is_empty();
        let was_ours = |it: &&Change| anything && intent.inventory.owned.contains(it);
        let mut entry = Self {
            command: intent.command.to_owned(),
            began: seconds_since_1970(),
            changes: Count::of(changes),
            created: intent.created.clone(),
            owned: Keys::of(changes.iter().filter(was_ours)),
            remembered: Keys::of(changes.iter().filter(set).filter(had_prior)),
            armed: intent.armed.cloned(),
            ..Self::default()
        };
        for change in changes {
            if change.verb() != Verb::Create {
                entry.prior.merge(change.before());
            }
            if let Change::File(delta) = change {
                entry
                    .files
                    .extend(delta.from().map(|it| it.key.path.clone()));
            }
        }
        if changes.iter().any(Change::takes_others_along) {
            entry.beside = intent.live.network();
        }
        entry
    }

    /// Gives a file that held a secret the text it had.
    pub(super) fn reveal(&mut self, path: &str, text: &str) {
        let hides = |it: &&File| it.key.path == path && it.content.raw().is_none();
        let hidden: Vec<File> = self.prior.files.iter().filter(hides).cloned().collect();
        for file in hidden {
            let content = Content(vec![Piece::Hidden(Hidden(text.to_owned()))]);
            self.prior.files.insert(File { content, ..file });
        }
    }

    /// Of what the run touched, only what outlives a reboot: files. The rest comes back with the last good document.
    pub fn files_only(self) -> Self {
        Self {
            created: Keys {
                files: self.created.files,
                ..Keys::default()
            },
            prior: State {
                files: self.prior.files,
                ..State::default()
            },
            beside: State::default(),
            ..self
        }
    }

    /// The identities of what the run touched.
    pub fn touched(&self) -> Keys {
        let mut touched = self.prior.all_keys();
        touched.merge(&self.created);
        touched
    }
}
