//! One generic netlink socket: batches of numbered requests, and dumps.
//!
//! The kernel executes a request inside `send` and queues its replies before `send` returns, so a reply that
//! is not there soon after will never come.

use super::batch::{Batch, MESSAGE_BYTES, REQUEST, Target};
use super::sys;
use super::wire::{self, Header, Messages};
use super::{Error, wire::Malformed};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Dumps come in datagrams of at most 32 KiB.
const INBOX_BYTES: usize = 64 << 10;
const RECEIVE_BUFFER: libc::c_int = 4 << 20;
const SEND_BUFFER: libc::c_int = 256 << 10;
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(5);

const DUMP: u16 = libc::NLM_F_DUMP as u16;
const DUMP_INTERRUPTED: u16 = libc::NLM_F_DUMP_INTR as u16;
const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;
const OVERRUN: u16 = libc::NLMSG_OVERRUN as u16;

/// What the kernel said to one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    /// The attributes of a reply.
    Content(&'a [u8]),
    /// Refused, with the extended text if there is one.
    Refused(i32, Option<String>),
}

/// Why replies may be missing.
#[derive(Debug)]
pub(super) enum Gap {
    /// The system call failed: `ENOBUFS` when replies were thrown away, `EAGAIN` when none came in time.
    Failed(io::Error),
    /// A datagram was longer than our buffer.
    Truncated,
    /// A datagram made no sense.
    Malformed(Malformed),
}

impl Gap {
    /// As an error of `operation`.
    pub(super) fn during(self, operation: &'static str) -> Error {
        let source = match self {
            Self::Failed(e) => e,
            Self::Truncated => io::Error::other("a reply is longer than expected"),
            Self::Malformed(flaw) => return flaw.into(),
        };
        Error::Socket { operation, source }
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(e) if is_timeout(e) => f.write_str("the kernel did not answer in time"),
            Self::Failed(e) => e.fmt(f),
            Self::Truncated => f.write_str("a reply was cut short"),
            Self::Malformed(flaw) => f.write_str(flaw.0),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl From<Malformed> for Gap {
    fn from(flaw: Malformed) -> Self {
        Self::Malformed(flaw)
    }
}

/// How a dump came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Datagrams that held entries.
    pub datagrams: u32,
    /// Length of the longest of them.
    pub longest: usize,
    /// The kernel says that the table changed meanwhile (no kernel so far does for IPVS).
    pub interrupted: bool,
}

/// The socket.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    inbox: Box<[u8]>,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let socket = sys::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_GENERIC)?;
        sys::connect_to_kernel(&socket)?;
        sys::set_receive_timeout(&socket, RECEIVE_TIMEOUT)?;
        sys::set_number(&socket, libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, 1)?;
        sys::set_number(&socket, libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1)?;
        let netlink = Self {
            socket,
            sequence: 0,
            inbox: vec![0; INBOX_BYTES].into_boxed_slice(),
        };
        netlink.set_buffer(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, RECEIVE_BUFFER)?;
        netlink.set_buffer(libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, SEND_BUFFER)?;
        Ok(netlink)
    }

    /// Beyond the system's limit if we may (`CAP_NET_ADMIN`), else up to it.
    fn set_buffer(&self, forced: i32, plain: i32, bytes: i32) -> io::Result<()> {
        let set = |option| sys::set_number(&self.socket, libc::SOL_SOCKET, option, bytes);
        set(forced).or_else(|_| set(plain))
    }

    /// For tests of lost replies.
    pub(super) fn shrink_receive_buffer(&self, bytes: i32) -> io::Result<()> {
        sys::set_number(&self.socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes)
    }

    /// Sends a batch and hands over what comes back, by the number of the request.
    ///
    /// Success means that every reply was seen: a request without a reply was carried out.
    pub(super) fn exchange(
        &mut self,
        batch: &mut Batch,
        take: &mut dyn FnMut(usize, Reply<'_>),
    ) -> Result<(), Gap> {
        if batch.count() == 0 {
            return Ok(());
        }
        let first = self.reserve(batch.count() as u32);
        batch.seal(first);
        sys::send(&self.socket, batch.bytes()).map_err(Gap::Failed)?;
        self.drain(first, batch.count(), take)
    }

    fn reserve(&mut self, count: u32) -> u32 {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        first
    }

    /// Receives until the last of `count` requests is acknowledged. After a gap only what is there already is
    /// taken: a refusal among it is still certain.
    fn drain(
        &mut self,
        first: u32,
        count: usize,
        take: &mut dyn FnMut(usize, Reply<'_>),
    ) -> Result<(), Gap> {
        let mut gap = None;
        loop {
            let flags = gap.as_ref().map_or(0, |_| libc::MSG_DONTWAIT);
            match self
                .receive(flags)
                .and_then(|datagram| deliver(datagram, first, count, take))
            {
                Ok(false) => {}
                Ok(true) => return gap.map_or(Ok(()), Err),
                Err(Gap::Failed(e)) if !is_overflow(&e) => {
                    return Err(gap.unwrap_or(Gap::Failed(e)));
                }
                Err(other) => gap = gap.or(Some(other)),
            }
        }
    }

    fn receive(&mut self, flags: i32) -> Result<&[u8], Gap> {
        let length = sys::receive(&self.socket, &mut self.inbox, flags).map_err(Gap::Failed)?;
        self.inbox.get(..length).ok_or(Gap::Truncated)
    }

    /// Asks for a list and hands over the attributes of each entry. Always reads to the end of the list, also
    /// when `take` fails: the kernel allows one dump at a time.
    pub(super) fn dump(
        &mut self,
        target: Target,
        operation: &'static str,
        body: impl FnOnce(&mut Vec<u8>),
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<Extent, Error> {
        let header = Header {
            kind: target.family,
            flags: REQUEST | DUMP,
            sequence: self.reserve(1),
        };
        let mut request = Vec::with_capacity(MESSAGE_BYTES);
        wire::message(&mut request, header, target.command, body);
        let lost = |gap: Gap| gap.during(operation);
        sys::send(&self.socket, &request).map_err(|e| lost(Gap::Failed(e)))?;
        let mut dump = Dump::new(header.sequence);
        loop {
            let datagram = match self.receive(0) {
                Ok(datagram) => datagram,
                Err(Gap::Truncated) => &[],
                Err(gap) => return Err(lost(gap)),
            };
            if dump.datagram(datagram, operation, take) {
                return dump.flaw.map_or(Ok(dump.extent), Err);
            }
        }
    }
}

fn is_overflow(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

/// Hands over the replies of one datagram; true when the last request was acknowledged.
pub(super) fn deliver(
    datagram: &[u8],
    first: u32,
    count: usize,
    take: &mut dyn FnMut(usize, Reply<'_>),
) -> Result<bool, Gap> {
    let mut finished = false;
    for message in Messages(datagram) {
        let (header, payload) = message?;
        if header.kind == OVERRUN {
            return Err(Gap::Failed(io::Error::from_raw_os_error(libc::ENOBUFS)));
        }
        // An answer to an earlier batch that came too late falls outside.
        let index = header.sequence.wrapping_sub(first) as usize;
        if index >= count {
            continue;
        }
        if header.kind != ERROR {
            take(index, Reply::Content(wire::generic_body(payload)?));
            continue;
        }
        let (errno, text) = wire::verdict(header.flags, payload)?;
        if errno != 0 {
            take(index, Reply::Refused(errno, text));
        }
        finished |= index + 1 == count;
    }
    Ok(finished)
}

/// A dump on its way.
pub(super) struct Dump {
    sequence: u32,
    extent: Extent,
    flaw: Option<Error>,
}

impl Dump {
    pub(super) const fn new(sequence: u32) -> Self {
        let extent = Extent {
            datagrams: 0,
            longest: 0,
            interrupted: false,
        };
        Self {
            sequence,
            extent,
            flaw: None,
        }
    }

    /// Takes one datagram; true at the end of the list. The first flaw is kept.
    pub(super) fn datagram(
        &mut self,
        datagram: &[u8],
        operation: &'static str,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> bool {
        if datagram.is_empty() {
            self.fail(Gap::Truncated.during(operation));
        }
        let mut holds_entries = false;
        for message in Messages(datagram) {
            let (header, payload) = match message {
                Ok(message) => message,
                Err(flaw) => {
                    self.fail(flaw.into());
                    break;
                }
            };
            if header.sequence != self.sequence {
                continue;
            }
            self.extent.interrupted |= header.flags & DUMP_INTERRUPTED != 0;
            if matches!(header.kind, DONE | ERROR) {
                self.close(header, payload, operation);
                return true;
            }
            holds_entries = true;
            self.entry(payload, take);
        }
        self.extent.datagrams += u32::from(holds_entries);
        self.extent.longest = self.extent.longest.max(datagram.len());
        false
    }

    fn entry(&mut self, payload: &[u8], take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) {
        let taken = wire::generic_body(payload)
            .map_err(Error::from)
            .and_then(take);
        if let Err(flaw) = taken {
            self.fail(flaw);
        }
    }

    fn close(&mut self, header: Header, payload: &[u8], operation: &'static str) {
        // DONE carries an error number where ERROR does, but no echo of a header.
        let verdict = match header.kind {
            ERROR => wire::verdict(header.flags, payload),
            _ => wire::array(payload).map(|code| (i32::from_ne_bytes(code).wrapping_neg(), None)),
        };
        match verdict {
            Ok((errno, message)) if errno > 0 => self.fail(Error::Refused {
                operation,
                errno,
                message,
            }),
            Ok(_) => {}
            Err(flaw) => self.fail(flaw.into()),
        }
    }

    fn fail(&mut self, flaw: Error) {
        self.flaw.get_or_insert(flaw);
    }
}
