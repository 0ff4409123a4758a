//! The directories of our files, each opened once and held by its descriptor: whatever is renamed or planted on the
//! way to it afterwards, we stay in the directory that was judged.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::attempt::attempt;
use super::attributes::{is_marked, mark};
use super::reason::because;

/// As many symbolic links as the kernel itself follows.
const MOST_LINKS: u8 = 40;

/// More are forgotten and opened again: a process may hold 1024 descriptors.
const MOST_OPEN: usize = 256;

const DIRECTORY: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// What to do about a directory that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Stays,
    IsMade,
}

/// A directory that we hold.
pub(super) type Directory = Rc<OwnedFd>;

/// Those opened so far, by the path that led there.
#[derive(Debug, Default)]
pub(super) struct Directories {
    open: BTreeMap<PathBuf, Directory>,
    /// What this run made, and in what.
    made: Vec<(Directory, OsString)>,
}

impl Directories {
    /// The directory that holds `path`, and the last name of it. `None` when there is no such directory.
    pub(super) fn holding<'a>(
        &mut self,
        path: &'a str,
        missing: Missing,
    ) -> Result<Option<(Directory, &'a OsStr)>, String> {
        let path = Path::new(path);
        let (Some(parent), Some(name), true) =
            (path.parent(), path.file_name(), path.is_absolute())
        else {
            return Err("not the absolute path of a file".into());
        };
        let found = self.walk(parent, missing, MOST_LINKS)?;
        Ok(found.map(|directory| (directory, name)))
    }

    fn walk(
        &mut self,
        path: &Path,
        missing: Missing,
        links: u8,
    ) -> Result<Option<Directory>, String> {
        if let Some(known) = self.open.get(path) {
            return Ok(Some(known.clone()));
        }
        let Some((parent, name)) = path.parent().zip(path.components().next_back()) else {
            let root = attempt(|| open("/", DIRECTORY, Mode::empty())).map_err(because)?;
            return Ok(Some(self.keep(path, root)));
        };
        let Some(parent_directory) = self.walk(parent, missing, links)? else {
            return Ok(None);
        };
        match attempt(|| {
            openat(
                &*parent_directory,
                name.as_os_str(),
                DIRECTORY,
                Mode::empty(),
            )
        }) {
            Ok(found) => Ok(Some(self.keep(path, found))),
            Err(Errno::ENOENT) if missing == Missing::Stays => Ok(None),
            Err(Errno::ENOENT) => self.make(path, &parent_directory).map(Some),
            Err(Errno::ELOOP | Errno::ENOTDIR) => {
                let target = link_target(&parent_directory, name, path)?;
                let links = links.checked_sub(1).ok_or("too many symbolic links")?;
                self.walk(&parent.join(target), missing, links)
            }
            Err(error) => Err(format!("{}: {}", path.display(), because(error))),
        }
    }

    fn keep(&mut self, path: &Path, found: OwnedFd) -> Directory {
        if self.open.len() >= MOST_OPEN {
            self.open.clear();
        }
        let directory = Rc::new(found);
        self.open.insert(path.to_owned(), directory.clone());
        directory
    }

    /// A directory that everybody may enter: what is secret in it has its own mode.
    fn make(&mut self, path: &Path, parent: &Directory) -> Result<Directory, String> {
        let failed = |error: Errno| format!("cannot make {}: {}", path.display(), because(error));
        let name = path.file_name().ok_or("not the path of a directory")?;
        attempt(|| mkdirat(&**parent, name, Mode::from_bits_truncate(0o755))).map_err(failed)?;
        self.made.push((parent.clone(), name.to_owned()));
        let found =
            attempt(|| openat(&**parent, name, DIRECTORY, Mode::empty())).map_err(failed)?;
        // Whatever the umask was.
        let directory = std::fs::File::from(found);
        attempt(|| directory.set_permissions(std::fs::Permissions::from_mode(0o755)))
            .map_err(because)?;
        mark(&directory);
        Ok(self.keep(path, directory.into()))
    }

    /// What was made by this run, each with the directory whose entry it is.
    pub(super) fn parents_of_made(&self) -> impl Iterator<Item = &Directory> {
        self.made.iter().map(|(parent, _)| parent)
    }

    /// Takes back what this run made and did not use; one that holds something stays, by the rule of rmdir(2).
    pub(super) fn unmake(&mut self) {
        self.open.clear();
        for (parent, name) in self.made.drain(..).rev() {
            let _ = unlinkat(&*parent, name.as_os_str(), UnlinkatFlags::RemoveDir);
        }
    }

    /// Removes the directory that held `path` if we made it, now or in an earlier run, and nothing is left in it;
    /// then the one above, and so on. One that we did not make carries no mark and stays.
    pub(super) fn remove_if_ours(&mut self, path: &str) {
        let mut path = Path::new(path).parent();
        while let Some((at, parent, name)) =
            path.and_then(|it| Some((it, it.parent()?, it.file_name()?)))
        {
            let ours = |it: &Directory| is_marked(&**it);
            if !matches!(self.walk(at, Missing::Stays, MOST_LINKS), Ok(Some(it)) if ours(&it)) {
                return;
            }
            let Ok(Some(directory)) = self.walk(parent, Missing::Stays, MOST_LINKS) else {
                return;
            };
            if unlinkat(&*directory, name, UnlinkatFlags::RemoveDir).is_err() {
                return;
            }
            self.open.remove(at);
            path = Some(parent);
        }
    }
}

/// Where the link at `path` leads. Only root's links are followed: whoever may plant one would choose what we write.
fn link_target(parent: &Directory, name: Component<'_>, path: &Path) -> Result<PathBuf, String> {
    let seen = attempt(|| fstatat(&**parent, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW))
        .map_err(because)?;
    if SFlag::from_bits_truncate(seen.st_mode) & SFlag::S_IFMT != SFlag::S_IFLNK {
        return Err(format!("{} is not a directory", path.display()));
    }
    if seen.st_uid != 0 {
        return Err(format!(
            "{} is a symbolic link that belongs to user {} and not to root",
            path.display(),
            seen.st_uid
        ));
    }
    attempt(|| readlinkat(&**parent, name.as_os_str()))
        .map(PathBuf::from)
        .map_err(because)
}
