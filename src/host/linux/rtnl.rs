//! The kernel's routing socket: consistent dumps, and changes that each have their own outcome.
//!
//! The messages are those of the `rtnetlink` crates. Its connection is not used: it hides whether a dump was
//! interrupted, drops what it cannot decode, drops the kernel's explanation of a refusal, and takes one round trip
//! per change. A socket keeps the network namespace of the thread that opened it.

use std::io;
use std::time::Duration;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage};
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, TokioSocket, protocols::NETLINK_ROUTE};
use rtnetlink::packet_route::RouteNetlinkMessage;

use super::attributes::{Attributes, u32_of};
use crate::host::HostError;

/// More changes than this are not asked for at once: the answers would not fit into the receive buffer.
pub const WINDOW: usize = 64;
/// A dump that is interrupted this often is given up: somebody changes the machine all the time.
const ATTEMPTS: u32 = 12;
/// The kernel answers at once; this is for answers that were lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The kernel fills at most 32 KiB at a time (`netlink_dump` in net/netlink/af_netlink.c).
const BUFFER: usize = 64 << 10;

/// A routing socket.
pub struct Rtnl {
    socket: TokioSocket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// One change to ask for.
pub struct Request {
    pub message: RouteNetlinkMessage,
    /// `NLM_F_CREATE` and its kin.
    pub flags: u16,
}

/// What the kernel said to one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Done,
    Refused(Refusal),
    /// No answer came.
    Lost,
}

/// Why the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub errno: i32,
    /// The kernel's own explanation, on kernels that give one (`NETLINK_EXT_ACK`).
    pub explanation: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let meaning = nix::errno::Errno::from_raw(self.errno).desc();
        match &self.explanation {
            Some(text) => write!(f, "{meaning} ({})", text.trim_end_matches('.')),
            None => f.write_str(meaning),
        }
    }
}

/// How one attempt at a dump ended.
enum Dump<T> {
    Whole(Vec<T>),
    /// Something changed meanwhile, or messages were lost.
    Torn,
    Refused(Refusal),
}

impl Rtnl {
    /// Opens a socket in the network namespace of the calling thread.
    pub fn open() -> Result<Self, HostError> {
        open_socket()
            .map(|socket| Self {
                socket,
                sequence: 0,
                buffer: Vec::with_capacity(BUFFER),
            })
            .map_err(|error| HostError::new("cannot open a routing socket", error))
    }

    /// Everything that `request` asks for, as one consistent list; `decode` makes nothing of what is not wanted.
    /// `what` is for the error, such as `addresses`. A list that does not exist is empty.
    pub async fn dump<T>(
        &mut self,
        what: &str,
        request: RouteNetlinkMessage,
        mut decode: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, HostError> {
        let failed = |reason: String| HostError::new(format!("cannot list {what}"), reason);
        for attempt in 0..ATTEMPTS {
            match self.dump_once(request.clone(), &mut decode).await {
                Ok(Dump::Whole(list)) => return Ok(list),
                // A routing table that nobody has used yet does not exist.
                Ok(Dump::Refused(refusal)) if refusal.errno == libc::ENOENT => {
                    return Ok(Vec::new());
                }
                Ok(Dump::Refused(refusal)) => return Err(failed(refusal.to_string())),
                Ok(Dump::Torn) => tokio::time::sleep(pause_after(attempt)).await,
                Err(error) => return Err(failed(error.to_string())),
            }
        }
        Err(failed(format!(
            "they changed during each of {ATTEMPTS} attempts"
        )))
    }

    async fn dump_once<T>(
        &mut self,
        request: RouteNetlinkMessage,
        decode: &mut impl FnMut(&[u8]) -> Option<T>,
    ) -> io::Result<Dump<T>> {
        let sequence = self.next_sequence();
        let message = encode(request, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        self.socket.send(&message).await?;
        let (mut list, mut torn) = (Vec::new(), false);
        loop {
            if !self.receive().await? {
                // The kernel refuses a new list as long as the old one was not read to its end.
                self.socket = open_socket()?;
                return Ok(Dump::Torn);
            }
            for message in messages(&self.buffer).filter(|it| it.sequence == sequence) {
                torn |= message.flags & NLM_F_DUMP_INTR != 0;
                match (message.kind, message.refusal()) {
                    (NLMSG_DONE | NLMSG_ERROR, Some(refusal)) => {
                        return Ok(Dump::Refused(refusal));
                    }
                    (NLMSG_DONE | NLMSG_ERROR, None) if torn => return Ok(Dump::Torn),
                    (NLMSG_DONE | NLMSG_ERROR, None) => return Ok(Dump::Whole(list)),
                    _ => list.extend(decode(message.body)),
                }
            }
        }
    }

    /// Asks for changes, [`WINDOW`] of them at most, and returns one reply each, in order. All of them are attempted.
    pub async fn change(&mut self, requests: Vec<Request>) -> Vec<Reply> {
        let first = self.sequence.wrapping_add(1);
        let mut replies = vec![Reply::Lost; requests.len()];
        let mut bytes = Vec::new();
        for request in requests {
            let flags = NLM_F_REQUEST | NLM_F_ACK | request.flags;
            let sequence = self.next_sequence();
            bytes.extend(encode(request.message, flags, sequence));
        }
        if self.socket.send(&bytes).await.is_err() {
            return replies;
        }
        let mut missing = replies.len();
        while missing > 0 && matches!(self.receive().await, Ok(true)) {
            for answer in messages(&self.buffer).filter(|it| it.kind == NLMSG_ERROR) {
                let place = answer.sequence.wrapping_sub(first) as usize;
                if let Some(reply) = replies.get_mut(place) {
                    *reply = answer.refusal().map_or(Reply::Done, Reply::Refused);
                    missing = missing.saturating_sub(1);
                }
            }
        }
        replies
    }

    /// Asks for one change.
    pub async fn change_one(&mut self, message: RouteNetlinkMessage, flags: u16) -> Reply {
        let replies = self.change(vec![Request { message, flags }]).await;
        replies.into_iter().next().unwrap_or(Reply::Lost)
    }

    /// Fills the buffer with what came next; false when messages were lost or none came.
    async fn receive(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        match tokio::time::timeout(PATIENCE, self.socket.recv(&mut self.buffer)).await {
            Err(_) => Ok(false),
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(false),
            Ok(Err(error)) => Err(error),
        }
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

fn open_socket() -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    let inner = socket.socket_mut();
    inner.bind_auto()?;
    inner.connect(&netlink_sys::SocketAddr::new(0, 0))?;
    // Each of these is missing from some older kernel, and none is indispensable: explanations, short answers, and
    // dumps that the kernel filters (by routing table) instead of us.
    let _ = inner.set_ext_ack(true);
    let _ = inner.set_cap_ack(true);
    let _ = inner.set_netlink_get_strict_chk(true);
    Ok(socket)
}

fn pause_after(attempt: u32) -> Duration {
    Duration::from_millis((1 << attempt).min(50))
}

fn encode(message: RouteNetlinkMessage, flags: u16, sequence: u32) -> Vec<u8> {
    let mut message = NetlinkMessage::from(message);
    message.header.flags = flags;
    message.header.sequence_number = sequence;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len().next_multiple_of(4)];
    message.serialize(&mut bytes);
    bytes
}

// include/uapi/linux/netlink.h
const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// One message as it came.
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'a [u8],
}

impl Message<'_> {
    /// Why, when this says no. Both kinds of end carry a negative error number; zero means well.
    fn refusal(&self) -> Option<Refusal> {
        if !matches!(self.kind, NLMSG_ERROR | NLMSG_DONE) {
            return None;
        }
        let code = u32_of(self.body)?.cast_signed();
        (code < 0).then(|| Refusal {
            errno: code.saturating_neg(),
            explanation: self.explanation(),
        })
    }

    /// Stands behind the error number and, in an answer to a request, behind a copy of that request.
    fn explanation(&self) -> Option<String> {
        let behind_number = self.body.get(4..)?;
        let copy = match self.kind {
            NLMSG_DONE => 0,
            _ if self.flags & NLM_F_CAPPED != 0 => HEADER,
            _ => (u32_of(behind_number)? as usize).next_multiple_of(4),
        };
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        Attributes::behind(behind_number, copy).text(NLMSGERR_ATTR_MSG)
    }
}

/// The messages in one datagram.
fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = u32_of(rest)? as usize;
        let message = Message {
            kind: super::attributes::u16_of(rest.get(4..)?)?,
            flags: super::attributes::u16_of(rest.get(6..)?)?,
            sequence: u32_of(rest.get(8..)?)?,
            body: rest.get(HEADER..length)?,
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}
