//! The handful of system calls, and all `unsafe` of the module.

#![allow(unsafe_code)]

use libc::{c_int, c_void, socklen_t};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

fn checked(result: c_int) -> io::Result<c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}

fn counted(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// A socket in the network namespace of the calling thread, closed on exec.
pub(super) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor is new and ours alone.
    unsafe {
        let fd = checked(libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Connects a netlink socket to the kernel: nobody else can then put messages into it.
pub(super) fn connect_to_kernel(fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: sockaddr_nl is plain data for which zero is valid; its address and size are passed.
    unsafe {
        let mut kernel: libc::sockaddr_nl = std::mem::zeroed();
        kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        let size = size_of::<libc::sockaddr_nl>() as socklen_t;
        let address = (&raw const kernel).cast::<libc::sockaddr>();
        checked(libc::connect(fd.as_raw_fd(), address, size)).map(drop)
    }
}

fn set<T>(fd: &OwnedFd, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    let size = size_of::<T>() as socklen_t;
    let value = (&raw const *value).cast::<c_void>();
    // SAFETY: the kernel reads `size` bytes of a live value.
    checked(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value, size) }).map(drop)
}

/// Sets a whole-number option.
pub(super) fn set_number(
    fd: &OwnedFd,
    level: c_int,
    option: c_int,
    value: c_int,
) -> io::Result<()> {
    set(fd, level, option, &value)
}

/// How long a receive may block.
pub(super) fn set_receive_timeout(fd: &OwnedFd, timeout: Duration) -> io::Result<()> {
    let value = libc::timeval {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_usec: timeout.subsec_micros().into(),
    };
    set(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &value)
}

/// Fills `buffer`, whose whole length is passed as the length of the option.
pub(super) fn get_option(fd: &OwnedFd, option: c_int, buffer: &mut [u8]) -> io::Result<()> {
    let too_long = |_| io::Error::from_raw_os_error(libc::EINVAL);
    let mut size = socklen_t::try_from(buffer.len()).map_err(too_long)?;
    let target = buffer.as_mut_ptr().cast::<c_void>();
    // SAFETY: the kernel writes at most `size` bytes into a buffer of that size.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::IPPROTO_IP,
            option,
            target,
            &raw mut size,
        )
    };
    checked(result).map(drop)
}

/// Sends one datagram.
pub(super) fn send(fd: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    let (start, length) = (bytes.as_ptr().cast::<c_void>(), bytes.len());
    retried(|| {
        // SAFETY: the kernel reads `length` bytes of a live slice.
        counted(unsafe { libc::send(fd.as_raw_fd(), start, length, 0) })
    })
}

/// Receives one datagram and returns its true length, which is larger than the buffer if it did not fit.
pub(super) fn receive(fd: &OwnedFd, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
    let (start, length) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    retried(|| {
        // SAFETY: the kernel writes at most `length` bytes into a buffer of that size.
        counted(unsafe { libc::recv(fd.as_raw_fd(), start, length, flags | libc::MSG_TRUNC) })
    })
}

/// A call that a signal interrupted is made again.
fn retried(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
