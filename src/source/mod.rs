//! Where a document comes from.
//!
//! A source hands over bytes; what they mean is for [`crate::document`]. A new place to keep documents in is one file
//! here.

pub mod file;
mod watch;

pub use crate::trust::{Reason, Trust};
pub use file::FileSource;

use std::{fmt, path::PathBuf};

/// A place that a document comes from.
#[allow(
    async_fn_in_trait,
    reason = "used with one runtime thread, never as an object"
)]
pub trait Source {
    /// Reads the document as it is now.
    fn load(&mut self) -> Result<Content, SourceError>;

    /// Waits until the document differs from the one handed over last, or cannot be read for a new reason.
    ///
    /// After an error the caller keeps the last good document. May be dropped and called again at any time; no change
    /// is lost.
    async fn changed(&mut self) -> Result<Content, SourceError>;
}

/// A document as it was read, whole and once: everything after it works on these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What the user calls it, for messages.
    pub name: String,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// Why a document could not be read.
#[derive(Debug)]
pub struct SourceError {
    /// The document, as the user named it.
    pub document: PathBuf,
    /// What is in the way: the document itself, or something on the way to it.
    pub culprit: PathBuf,
    /// What is wrong with it.
    pub reason: Reason,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |path: &PathBuf| crate::document::escape(&path.to_string_lossy());
        match &self.reason {
            Reason::Io(error) => write!(f, "cannot read {}: {error}", show(&self.culprit)),
            reason => write!(
                f,
                "refuse to read {}: {} {reason}",
                show(&self.document),
                show(&self.culprit)
            ),
        }
    }
}

impl std::error::Error for SourceError {}
