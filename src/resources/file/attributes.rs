//! Extended attributes: the mark on directories that we made, and what a file keeps when it is replaced.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd as _};

/// On a directory that we made; the second where a file system takes only root's (tmpfs before Linux 6.6).
/// One without such attributes keeps none, and the directory stays for ever.
const MADE: [&CStr; 2] = [c"user.lvs-reconcile.made", c"trusted.lvs-reconcile.made"];

/// SELinux decides by it who may read the file; access lists are what an administrator gave it.
/// File capabilities and integrity signatures are left out on purpose: they belong to the former content.
const KEPT: [&CStr; 2] = [c"security.selinux", c"system.posix_acl_access"];

/// Notes on a directory that we made it.
pub(super) fn mark(directory: &impl AsFd) {
    // Without the mark it is merely not removed.
    let _ = MADE.iter().any(|name| set(directory, name, b"1").is_ok());
}

/// True when we made this directory.
pub(super) fn is_marked(directory: &impl AsFd) -> bool {
    MADE.iter().any(|name| get(directory, name).is_some())
}

/// Gives the new file what the one that it replaces had.
pub(super) fn carry_over(old: &impl AsFd, new: &impl AsFd) -> std::io::Result<()> {
    for name in KEPT {
        let before = get(old, name);
        if before.is_some() && before != get(new, name) {
            set(new, name, &before.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn get(file: &impl AsFd, name: &CStr) -> Option<Vec<u8>> {
    let mut value = vec![0u8; read(file, name, &mut [])?];
    let length = read(file, name, &mut value)?;
    value.truncate(length);
    Some(value)
}

/// The length of an attribute; its value too when `into` has room for it.
fn read(file: &impl AsFd, name: &CStr, into: &mut [u8]) -> Option<usize> {
    // SAFETY: the descriptor is open for the call, the name ends with a zero byte, and the kernel writes at most
    // `into.len()` bytes.
    let length = unsafe {
        libc::fgetxattr(
            file.as_fd().as_raw_fd(),
            name.as_ptr(),
            into.as_mut_ptr().cast(),
            into.len(),
        )
    };
    usize::try_from(length).ok()
}

fn set(file: &impl AsFd, name: &CStr, value: &[u8]) -> std::io::Result<()> {
    // SAFETY: as above; the kernel only reads `value`.
    let result = unsafe {
        libc::fsetxattr(
            file.as_fd().as_raw_fd(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
