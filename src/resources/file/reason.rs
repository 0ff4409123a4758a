//! Why the file system said no, in words that say what to do.

use std::io;

/// The reason of a failure, without the name of what failed: that is said once, at the edge.
pub(super) fn because(error: impl Into<io::Error>) -> String {
    let error = error.into();
    match error.raw_os_error() {
        Some(libc::EROFS) => "read-only file system".into(),
        Some(libc::ENOSPC) => "no space left on the file system".into(),
        Some(libc::EDQUOT) => "the disk quota is used up".into(),
        Some(libc::EBUSY) => {
            "it is a mount point (a file bind-mounted by a container or a unit) and cannot be replaced".into()
        }
        Some(libc::EPERM) => {
            "operation not permitted (see `lsattr` whether the file or its directory is immutable)".into()
        }
        Some(libc::EACCES) => "permission denied".into(),
        Some(libc::ENOTDIR) => "a part of the path is not a directory".into(),
        Some(libc::EISDIR) => "it is a directory".into(),
        Some(libc::ENAMETOOLONG) => "the name is too long".into(),
        Some(libc::EIO) => "input/output error: the disk may be failing".into(),
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_lowercase(),
        None => error.to_string(),
    }
}
