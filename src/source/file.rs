//! A document in a file.

use super::{Content, Source, SourceError, watch::Watch};
use crate::document::limits::FILE_BYTES;
use crate::trust::{Reason, Trust, directories, judge_file, resolve};
use std::{
    fs::{File, OpenOptions},
    hash::{DefaultHasher, Hasher},
    io::Read,
    os::unix::fs::OpenOptionsExt,
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
        let file = resolve(&self.path, self.trust).map_err(error)?;
        let bytes = read_checked(&file, self.trust).map_err(|reason| error((file, reason)))?;
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

/// Opens a file, judges what was opened, and reads that: there is no moment in between to swap it.
fn read_checked(path: &PathBuf, trust: Trust) -> Result<Vec<u8>, Reason> {
    let mut options = OpenOptions::new();
    // A pipe would make us wait for a writer, and a link that appeared just now is none of those we judged.
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY);
    let file = options.open(path).map_err(Reason::Io)?;
    let facts = file.metadata().map_err(Reason::Io)?;
    judge_file(&facts, trust)?;
    read_all(&file, facts.len())
}

fn read_all(file: &File, size: u64) -> Result<Vec<u8>, Reason> {
    let limit = FILE_BYTES as u64;
    if size > limit {
        return Err(Reason::TooLarge { size, limit });
    }
    let mut bytes = Vec::with_capacity(size as usize);
    // It may be growing while we read.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(Reason::Io)?;
    match bytes.len() as u64 {
        size if size > limit => Err(Reason::TooLarge { size, limit }),
        _ => Ok(bytes),
    }
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
