//! A packet socket for ARP frames on one interface (packet(7)), in the network namespace of the calling thread.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use tokio::io::unix::AsyncFd;

/// Sends and receives ARP frames, Ethernet header included.
pub struct ArpSocket(AsyncFd<OwnedFd>);

const ETH_P_ARP: u16 = 0x0806;

impl ArpSocket {
    /// On the interface with this index.
    pub fn open(index: u32) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // Without a protocol it receives nothing until it is bound, so no frame of another interface gets in.
        // SAFETY: no pointer is passed; the result is checked before it is used.
        let raw = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `raw` is a descriptor that was just opened and that nobody else owns.
        let socket = unsafe { OwnedFd::from_raw_fd(raw) };
        bind(&socket, index)?;
        // SAFETY: an `OwnedFd` stays open, and the same descriptor, until it is dropped.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Self(socket))
    }

    /// Sends one frame.
    pub async fn send(&self, frame: &[u8]) -> io::Result<()> {
        loop {
            let mut ready = self.0.writable().await?;
            if let Ok(sent) = ready.try_io(|socket| send(socket.get_ref(), frame)) {
                return sent;
            }
        }
    }

    /// Receives one frame into `buffer` and says how long it is.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            if let Ok(received) = ready.try_io(|socket| receive(socket.get_ref(), buffer)) {
                return received;
            }
        }
    }
}

fn bind(socket: &OwnedFd, index: u32) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` is plain numbers, for which all zeroes is a value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_protocol = ETH_P_ARP.to_be();
    address.sll_ifindex = index.cast_signed();
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the pointer is to a `sockaddr_ll` that lives through the call, and `length` is its size.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn send(socket: &OwnedFd, frame: &[u8]) -> io::Result<()> {
    let (pointer, length) = (frame.as_ptr().cast(), frame.len());
    // SAFETY: pointer and length are those of one slice that lives through the call.
    let sent = unsafe { libc::send(socket.as_raw_fd(), pointer, length, 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (pointer, length) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: pointer and length are those of one slice that we may write to and that lives through the call.
    let received = unsafe { libc::recv(socket.as_raw_fd(), pointer, length, 0) };
    usize::try_from(received).map_err(|_| io::Error::last_os_error())
}
