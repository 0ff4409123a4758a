//! Where a document comes from.
//!
//! A source hands over bytes; what they mean is for [`crate::document`]. A new place to keep documents in is one file
//! here.

pub mod file;
mod trust;
mod watch;

pub use file::FileSource;
pub use trust::Trust;

use std::{fmt, io, path::PathBuf};

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

/// What is wrong with a file, or with a directory on the way to it.
#[derive(Debug)]
pub enum Reason {
    /// The machine said no.
    Io(io::Error),
    /// Not a regular file; what it is instead.
    NotAFile(&'static str),
    /// It belongs to somebody who is neither root nor us.
    Owner(u32),
    /// Others than its owner may write to it; its mode.
    Writable(u32),
    /// It has more names than one, and the other may be where others can write.
    HardLinks(u64),
    /// It is larger than any document; its size in bytes.
    TooLarge(u64),
    /// The path leads through too many symbolic links.
    TooManyLinks,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotAFile(kind) => write!(f, "is {kind}; a document is a regular file"),
            Self::Owner(uid) => write!(
                f,
                "belongs to user {uid}, who could change it at any time; run chown root"
            ),
            Self::Writable(mode) => {
                write!(
                    f,
                    "can be written by others (mode {:03o}); run chmod go-w",
                    mode & 0o7777
                )
            }
            Self::HardLinks(count) => write!(f, "has {count} names (hard links); keep one"),
            Self::TooLarge(size) => {
                write!(
                    f,
                    "has {size} bytes; the limit is {}",
                    crate::document::limits::FILE_BYTES
                )
            }
            Self::TooManyLinks => f.write_str("leads through too many symbolic links"),
        }
    }
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
