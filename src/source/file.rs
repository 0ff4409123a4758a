//! A document in a file.

use super::{Content, Source, SourceError, watch::Watch};
use crate::document::limits::FILE_BYTES;
use crate::trust::{self, Trust, directories};
use std::{
    hash::{DefaultHasher, Hasher},
    path::PathBuf,
};

/// A file that holds a document, and how much it is trusted.
pub struct FileSource {
    path: PathBuf,
    trust: Trust,
    /// What was handed over last, a document or an error.
    last: Option<Seen>,
    watch: Option<Watch>,
}

#[derive(PartialEq, Eq)]
enum Seen {
    /// The length of the bytes, and a hash that tells one edition from the next.
    Content(usize, u64),
    /// What was wrong, in words.
    Error(String),
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

impl FileSource {
    /// A document at a path, relative or absolute.
    pub fn new(path: impl Into<PathBuf>, trust: Trust) -> Self {
        Self {
            path: path.into(),
            trust,
            last: None,
            watch: None,
        }
    }

    /// Reads the file and remembers what it was.
    fn read(&mut self) -> (Result<Content, SourceError>, Change) {
        let result = self.read_once();
        let seen = match &result {
            Ok(content) => Seen::Content(content.bytes.len(), hash(&content.bytes)),
            Err(error) => Seen::Error(error.to_string()),
        };
        let change = if self.last.as_ref() == Some(&seen) {
            Change::No
        } else {
            Change::Yes
        };
        self.last = Some(seen);
        (result, change)
    }

    fn read_once(&self) -> Result<Content, SourceError> {
        let error = |(culprit, reason)| SourceError {
            document: self.path.clone(),
            culprit,
            reason,
        };
        let bytes = trust::read(&self.path, self.trust, FILE_BYTES).map_err(error)?;
        Ok(Content {
            name: self.path.to_string_lossy().into_owned(),
            bytes,
        })
    }
}

enum Change {
    Yes,
    No,
}

impl Source for FileSource {
    fn load(&mut self) -> Result<Content, SourceError> {
        self.read().0
    }

    async fn changed(&mut self) -> Result<Content, SourceError> {
        loop {
            let watch = self.watch.get_or_insert_with(Watch::new);
            watch.wait().await;
            // A watch follows the directory, not its name: after every change the names are followed anew.
            watch.point_at(directories(&self.path));
            if let (result, Change::Yes) = self.read() {
                return result;
            }
        }
    }
}
