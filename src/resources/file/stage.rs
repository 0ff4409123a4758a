//! A new version of a file, complete under another name beside it until it is renamed over the old one.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::attempt::attempt;
use super::attributes::carry_over;
use super::directory::Directory;
use super::live::Live;
use super::reason::because;

/// A leading dot: daemons that read a directory pass it over (dnsmasq, exportfs, run-parts).
/// The same name each time: what a crash left behind is found and removed.
const SUFFIX: &str = ".lvs-reconcile-new";

const NEW: OFlag = OFlag::O_WRONLY
    .union(OFlag::O_CREAT)
    .union(OFlag::O_EXCL)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// When the content must be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    Now,
    /// The caller syncs all at once.
    Later,
}

/// What the new version is like.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) mode: u32,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    /// The version that it replaces.
    pub(super) old: Option<&'a Live>,
}

/// Removed again unless it is renamed.
#[derive(Debug)]
pub(super) struct Staged {
    directory: Directory,
    temporary: OsString,
    /// Device and inode of what we wrote.
    written: (u64, u64),
}

impl Staged {
    /// Writes `bytes` beside `name`. Nobody else can read them before mode and owner are set.
    pub(super) fn write(
        directory: &Directory,
        name: &OsStr,
        bytes: &[u8],
        look: &Look<'_>,
        durable: Durable,
    ) -> Result<Self, String> {
        let (mut staged, mut file) = Self::create(directory, name)?;
        attempt(|| file.write_all(bytes)).map_err(because)?;
        staged.dress(&file, look)?;
        if durable == Durable::Now {
            // After a failure the kernel forgets what was not written: it is never tried again on the same file.
            attempt(|| file.sync_all()).map_err(because)?;
        }
        let seen = attempt(|| file.metadata()).map_err(because)?;
        staged.written = (seen.dev(), seen.ino());
        Ok(staged)
    }

    fn create(directory: &Directory, name: &OsStr) -> Result<(Self, File), String> {
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(SUFFIX);
        match attempt(|| unlinkat(&**directory, &*temporary, UnlinkatFlags::NoRemoveDir)) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(error) => return Err(because(error)),
        }
        let mode = Mode::from_bits_truncate(0o600);
        let file = attempt(|| openat(&**directory, &*temporary, NEW, mode)).map_err(because)?;
        let staged = Self {
            directory: directory.clone(),
            temporary,
            written: (0, 0),
        };
        Ok((staged, File::from(file)))
    }

    /// Owner first: changing it may take bits of the mode away.
    fn dress(&self, file: &File, look: &Look<'_>) -> Result<(), String> {
        let seen = attempt(|| file.metadata()).map_err(because)?;
        let uid = look.uid.filter(|&it| it != seen.uid());
        let gid = look.gid.filter(|&it| it != seen.gid());
        if uid.is_some() || gid.is_some() {
            attempt(|| fchown(file, uid, gid)).map_err(because)?;
        }
        if let Some(old) = look.old {
            attempt(|| carry_over(&old.file, file)).map_err(because)?;
        }
        attempt(|| file.set_permissions(Permissions::from_mode(look.mode))).map_err(because)
    }

    /// Where a daemon's own check can read it.
    pub(super) fn temporary(&self) -> &OsStr {
        &self.temporary
    }

    /// Takes the place of `name`.
    pub(super) fn rename(mut self, name: &OsStr) -> Result<(), String> {
        let directory = &*self.directory;
        let seen = attempt(|| fstatat(directory, &*self.temporary, AtFlags::AT_SYMLINK_NOFOLLOW))
            .map_err(because)?;
        if (seen.st_dev, seen.st_ino) != self.written {
            return Err(
                "somebody replaced what we had written; who may write in its directory?".into(),
            );
        }
        attempt(|| renameat(directory, &*self.temporary, directory, name)).map_err(because)?;
        self.temporary.clear();
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.temporary.is_empty() {
            let _ = unlinkat(
                &*self.directory,
                &*self.temporary,
                UnlinkatFlags::NoRemoveDir,
            );
        }
    }
}
