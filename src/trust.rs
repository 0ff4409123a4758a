//! Whether a file may be trusted with a root shell, because that is what a document, or a password in it, is.
//!
//! Whoever can write the document, or a directory on the way to it, is root on the director; whoever can write the file
//! of a root password is root on every machine installed. So we judge as sshd does: everything on the way belongs to
//! root or to us, and nobody else may write it. Symbolic links are followed when they stand in such directories: then
//! nobody else can have made them.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fmt,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
};

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
    /// It is larger than any file of its kind; its size and the limit, in bytes.
    TooLarge { size: u64, limit: u64 },
    /// The path leads through too many symbolic links.
    TooManyLinks,
}

/// How much a file is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nobody but root and us may be able to change it: for whoever acts on it.
    Strict,
    /// It may be anybody's: for whoever only looks, as in a pull request.
    Any,
}

/// A place on the way, and what is wrong with it.
pub type Refusal = (PathBuf, Reason);

/// So many links are followed, as the kernel does.
const LINKS: usize = 40;

/// Follows a path to its file, and judges every directory on the way.
pub fn resolve(path: &Path, trust: Trust) -> Result<PathBuf, Refusal> {
    let mut way = Way::default();
    way.follow(path, trust)?;
    Ok(way.here)
}

/// What a file says, of which nobody but those who are trusted could have changed anything.
pub fn read(path: &Path, trust: Trust, limit: usize) -> Result<Vec<u8>, Refusal> {
    let file = resolve(path, trust)?;
    read_checked(&file, trust, limit).map_err(|reason| (file, reason))
}

/// Opens a file, judges what was opened, and reads that: there is no moment in between to swap it.
fn read_checked(path: &Path, trust: Trust, limit: usize) -> Result<Vec<u8>, Reason> {
    let mut options = OpenOptions::new();
    // A pipe would make us wait for a writer, and a link that appeared just now is none of those we judged.
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY);
    let file = options.open(path).map_err(Reason::Io)?;
    let facts = file.metadata().map_err(Reason::Io)?;
    judge_file(&facts, trust)?;
    read_all(&file, facts.len(), limit as u64)
}

fn read_all(file: &File, size: u64, limit: u64) -> Result<Vec<u8>, Reason> {
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

/// Every directory in which a name on the way is looked up, as far as the way leads.
pub fn directories(path: &Path) -> Vec<PathBuf> {
    let mut way = Way::default();
    // Where it ends too early, is where the missing name will appear.
    let _ = way.follow(path, Trust::Any);
    way.directories
}

#[derive(Default)]
struct Way {
    ahead: VecDeque<OsString>,
    here: PathBuf,
    directories: Vec<PathBuf>,
    links: usize,
}

impl Way {
    fn follow(&mut self, path: &Path, trust: Trust) -> Result<(), Refusal> {
        let io = |error| (path.to_owned(), Reason::Io(error));
        self.prepend(&std::path::absolute(path).map_err(io)?);
        while let Some(name) = self.ahead.pop_front() {
            self.enter(&name, trust)?;
        }
        Ok(())
    }

    /// Puts the names of a path in front of those that are still ahead.
    fn prepend(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.ahead.push_front(name.to_owned()),
                Component::ParentDir => self.ahead.push_front("..".into()),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        if path.is_absolute() {
            self.here = PathBuf::from("/");
        }
    }

    /// Goes one name further, and through a symbolic link to what it points at.
    fn enter(&mut self, name: &OsString, trust: Trust) -> Result<(), Refusal> {
        if name == ".." {
            self.here.pop();
            return Ok(());
        }
        if !self.directories.contains(&self.here) {
            let facts = fs::symlink_metadata(&self.here)
                .map_err(|error| (self.here.clone(), Reason::Io(error)))?;
            judge(&facts, trust).map_err(|reason| (self.here.clone(), reason))?;
            self.directories.push(self.here.clone());
        }
        let next = self.here.join(name);
        let io = |error| (next.clone(), Reason::Io(error));
        if !fs::symlink_metadata(&next).map_err(io)?.is_symlink() {
            self.here = next;
            return Ok(());
        }
        self.links += 1;
        if self.links > LINKS {
            return Err((next, Reason::TooManyLinks));
        }
        let target = fs::read_link(&next).map_err(io)?;
        self.prepend(&target);
        Ok(())
    }
}

/// Judges the file itself, through the descriptor that it will be read from.
pub fn judge_file(facts: &Metadata, trust: Trust) -> Result<(), Reason> {
    if !facts.is_file() {
        return Err(Reason::NotAFile(kind(facts)));
    }
    judge(facts, trust)?;
    match facts.nlink() {
        count @ 2.. if trust == Trust::Strict => Err(Reason::HardLinks(count)),
        _ => Ok(()),
    }
}

fn kind(facts: &Metadata) -> &'static str {
    let kind = facts.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "no file",
    }
}

/// Judges owner and mode. A sticky directory is not enough: others could still put a file where we look for ours.
fn judge(facts: &Metadata, trust: Trust) -> Result<(), Reason> {
    match trust {
        Trust::Any => Ok(()),
        Trust::Strict => judge_owner(facts.uid(), facts.mode(), nix::unistd::geteuid().as_raw()),
    }
}

fn judge_owner(owner: u32, mode: u32, us: u32) -> Result<(), Reason> {
    if owner != 0 && owner != us {
        return Err(Reason::Owner(owner));
    }
    if mode & 0o022 != 0 {
        return Err(Reason::Writable(mode));
    }
    Ok(())
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotAFile(kind) => write!(f, "is {kind}, and not a regular file"),
            Self::Owner(uid) => write!(
                f,
                "belongs to user {uid}, who could change it at any time; run chown root"
            ),
            Self::Writable(mode) => {
                let mode = mode & 0o7777;
                write!(
                    f,
                    "can be written by others (mode {mode:03o}); run chmod go-w"
                )
            }
            Self::HardLinks(count) => write!(f, "has {count} names (hard links); keep one"),
            Self::TooLarge { size, limit } => {
                write!(f, "has {size} bytes; the limit is {limit}")
            }
            Self::TooManyLinks => f.write_str("leads through too many symbolic links"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_we_may_be_able_to_write() {
        let judge =
            |owner, mode, us| judge_owner(owner, mode, us).map_err(|reason| reason.to_string());
        assert_eq!(judge(0, 0o100644, 0), Ok(()));
        assert_eq!(judge(0, 0o100600, 0), Ok(()));
        assert_eq!(judge(0, 0o040755, 0), Ok(()));
        assert_eq!(judge(0, 0o100644, 1000), Ok(()));
        assert_eq!(judge(1000, 0o100644, 1000), Ok(()));
        let foreign = "belongs to user 1000, who could change it at any time; run chown root";
        assert_eq!(judge(1000, 0o100644, 0), Err(foreign.into()));
        assert_eq!(judge(1000, 0o100400, 0), Err(foreign.into()));
        let open = |mode: &str| {
            Err(format!(
                "can be written by others (mode {mode}); run chmod go-w"
            ))
        };
        assert_eq!(judge(0, 0o100664, 0), open("664"));
        assert_eq!(judge(0, 0o100646, 0), open("646"));
        assert_eq!(judge(0, 0o040775, 0), open("775"));
        assert_eq!(judge(0, 0o041777, 0), open("1777"));
        assert_eq!(judge(1000, 0o040777, 1000), open("777"));
    }
}
