//! Requests that go out in one send.

use super::wire::{self, Header};

/// Requests in one send. More gains nothing, and their replies have to fit into the receive buffer.
const BATCH_MESSAGES: usize = 64;
/// Bytes in one send.
const BATCH_BYTES: usize = 32 << 10;
/// The longest request: two nests of at most a dozen attributes.
pub(super) const MESSAGE_BYTES: usize = 512;
pub(super) const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
const ACKNOWLEDGE: u16 = libc::NLM_F_ACK as u16;

/// The family a request is for, and the command in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub family: u16,
    pub command: u8,
}

/// Requests that go out in one send.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where the last message starts: its flags will ask for an acknowledgement.
    last: usize,
    count: usize,
}

impl Batch {
    /// Makes it empty again, keeping its memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// How many requests it holds.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// True when no further request may be pushed.
    pub(super) fn is_full(&self) -> bool {
        self.count >= BATCH_MESSAGES || self.bytes.len() + MESSAGE_BYTES > BATCH_BYTES
    }

    /// Appends a request. Its number is its place; the sequence numbers are filled in when it is sent.
    pub(super) fn push(&mut self, target: Target, body: impl FnOnce(&mut Vec<u8>)) {
        self.last = self.bytes.len();
        let header = Header {
            kind: target.family,
            flags: REQUEST,
            sequence: self.count as u32,
        };
        wire::message(&mut self.bytes, header, target.command, body);
        self.count += 1;
    }

    /// What to send.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Numbers the messages from `first` and asks for an acknowledgement of the last only.
    pub(super) fn seal(&mut self, first: u32) {
        let mut at = 0;
        for index in 0..self.count as u32 {
            let sequence = first.wrapping_add(index).to_ne_bytes();
            self.bytes[at + 8..at + 12].copy_from_slice(&sequence);
            at += wire::get_u32(&self.bytes[at..]).map_or(0, |length| length as usize);
        }
        let flags = (REQUEST | ACKNOWLEDGE).to_ne_bytes();
        self.bytes[self.last + 6..self.last + 8].copy_from_slice(&flags);
    }
}
