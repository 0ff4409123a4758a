//! A file we write: a whole one of ours, or a marked block in a file of somebody else.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::delta::{Delta, Resource};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
mod attempt;
mod attributes;
pub mod block;
pub mod check;
mod directory;
mod dress;
mod live;
pub mod observe;
mod package;
mod reason;
pub mod rewrite;
mod secret;
mod stage;
#[cfg(test)]
mod tests;

/// One file, or our block in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    #[serde(flatten)]
    pub key: FileKey,
    pub content: Content,
    /// Permission bits of a whole file; a block leaves those of its file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Whose a whole file is. None: root's, in the group that it had; most files are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Box<Owner>>,
    /// Observed only: a configuration file as its package ships it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untouched_default: bool,
}

/// A user and a group, by name; by number where the machine has no name for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user: String,
    pub group: String,
}

/// Which file, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileKey {
    pub path: String,
    pub form: Form,
}

/// How much of a file is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    Whole,
    /// The lines between our two markers.
    Block,
}

/// Text, in which secrets are references.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content(pub Vec<Piece>);

/// A piece of a file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    Text(String),
    /// The first line of this file, without its newline: resolved on the machine, when the file is written.
    Secret(String),
    /// Bytes that must not be shown: what stands on the machine in place of a secret that changed.
    Hidden(Hidden),
}

/// The first line of every generated file that is wholly ours and can have a comment; a line that must be the first
/// stands before it. Fixed text: a value has no place in a comment.
pub const HEADER: &str = "# written by lvs-reconcile\n";

/// What is printed in place of a secret.
const SHOWN_SECRET: &str = "(secret)";

/// Bytes that are written back by an undo, and never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl Content {
    /// Of which nothing is told.
    pub fn concealed() -> Self {
        Self(vec![Piece::Hidden(Hidden(SHOWN_SECRET.to_owned()))])
    }

    /// Text without any secret.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    /// The text, byte for byte; none when it is not all here: a secret stands elsewhere, or was not recorded.
    pub fn raw(&self) -> Option<String> {
        let piece = |it: &Piece| match it {
            Piece::Text(text) => Some(text.clone()),
            Piece::Hidden(Hidden(text)) => Some(text.clone()).filter(|it| it != SHOWN_SECRET),
            Piece::Secret(_) => None,
        };
        self.0.iter().map(piece).collect()
    }

    /// The secrets it refers to.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Secret(path) => Some(path.as_str()),
            _ => None,
        })
    }

    /// What may be shown: secrets appear as `(secret)`.
    pub fn shown(&self) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Secret(_) => SHOWN_SECRET,
                Piece::Hidden(_) => "(another secret)",
            })
            .collect()
    }
}

impl OnFile for FileKey {}

impl Resource for File {
    type Key = FileKey;

    fn key(&self) -> FileKey {
        self.key.clone()
    }

    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        let phase = match &delta {
            Delta::Delete { from } if from.key.is_dropped_in() => Phase::DropInRemove,
            Delta::Delete { .. } => Phase::FileRemove,
            _ => Phase::File,
        };
        step(phase, delta);
    }

    fn may_be_taken_over(&self) -> bool {
        self.untouched_default
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.user, self.group)
    }
}

impl FileKey {
    /// Whether it stands in a directory of which every file is read, such as `/etc/dnsmasq.d`.
    fn is_dropped_in(&self) -> bool {
        let directory = self.path.rsplit_once('/');
        directory.is_some_and(|(directory, _)| directory.ends_with(".d"))
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN_SECRET)
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SHOWN_SECRET)
    }
}
