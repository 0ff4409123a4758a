//! One file as it is on the machine.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};

use super::attempt::attempt;
use super::directory::Directory;
use super::reason::because;

/// Nothing that we write comes near it, and what we read is held in memory.
const LARGEST: u64 = 16 << 20;

const READ: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);

/// A regular file: what it says, whose it is, and which one it was.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) bytes: Vec<u8>,
    pub(super) file: File,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Tells whether a name still means the same file with the same content, without reading it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size: i64,
    changed: (i64, i64),
}

/// Reads the file called `name`; `None` when there is none. Anything but a file with this one name is refused: through
/// a link we would read or replace something else than what was asked for.
pub(super) fn read(directory: &Directory, name: &OsStr) -> Result<Option<Live>, String> {
    let seen = match attempt(|| fstatat(&**directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)) {
        Ok(seen) => seen,
        Err(Errno::ENOENT) => return Ok(None),
        Err(error) => return Err(because(error)),
    };
    // Judged before it is opened: opening a device may already do something.
    must_be_plain(&seen)?;
    let file = match attempt(|| openat(&**directory, name, READ, Mode::empty())) {
        Ok(it) => File::from(it),
        Err(Errno::ENOENT) => return Ok(None),
        Err(Errno::ELOOP) => return Err(LINK.into()),
        Err(error) => return Err(because(error)),
    };
    contents(file).map(Some)
}

/// Which version `name` stands for now.
pub(super) fn version(directory: &Directory, name: &OsStr) -> Result<Option<Version>, Errno> {
    match attempt(|| fstatat(&**directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)) {
        Ok(it) => Ok(Some(Version {
            device: it.st_dev,
            inode: it.st_ino,
            size: it.st_size,
            changed: (it.st_ctime, it.st_ctime_nsec),
        })),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Live {
    /// Which version was read.
    pub(super) fn version(&self) -> Result<Version, String> {
        let it = attempt(|| self.file.metadata()).map_err(because)?;
        Ok(Version {
            device: it.dev(),
            inode: it.ino(),
            size: it.size().cast_signed(),
            changed: (it.ctime(), it.ctime_nsec()),
        })
    }
}

fn contents(mut file: File) -> Result<Live, String> {
    let seen = attempt(|| file.metadata()).map_err(because)?;
    if !seen.is_file() {
        return Err("it is not a regular file".into());
    }
    if seen.len() > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(seen.len()).unwrap_or(0) + 1);
    attempt(|| (&mut file).take(LARGEST).read_to_end(&mut bytes)).map_err(because)?;
    Ok(Live {
        bytes,
        file,
        mode: seen.mode() & 0o7777,
        uid: seen.uid(),
        gid: seen.gid(),
    })
}

const LINK: &str = "it is a symbolic link; name the file that it leads to, or remove the link";

fn must_be_plain(seen: &FileStat) -> Result<(), String> {
    let kind = SFlag::from_bits_truncate(seen.st_mode) & SFlag::S_IFMT;
    let what = match kind {
        SFlag::S_IFREG if seen.st_nlink > 1 => {
            return Err(format!(
                "it has {} names (hard links); replacing one would part them",
                seen.st_nlink
            ));
        }
        SFlag::S_IFREG => return Ok(()),
        SFlag::S_IFLNK => return Err(LINK.into()),
        SFlag::S_IFDIR => "a directory",
        SFlag::S_IFIFO => "a FIFO",
        SFlag::S_IFSOCK => "a socket",
        _ => "a device",
    };
    Err(format!("it is {what}, not a regular file"))
}
