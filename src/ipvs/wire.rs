//! Bytes to attributes and messages, and back. Reading never panics: what does not fit is [`Malformed`].
//!
//! Everything is in the machine's byte order and aligned to four bytes, as netlink(7) wants it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of `struct nlmsghdr`.
pub(super) const MESSAGE_HEADER: usize = 16;
/// Length of `struct genlmsghdr`.
pub(super) const GENERIC_HEADER: usize = 4;
const ATTRIBUTE_HEADER: usize = 4;
const NESTED: u16 = 1 << 15;
const KIND_MASK: u16 = 0x3fff;

/// What is wrong with some bytes from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub &'static str);

impl From<Malformed> for super::Error {
    fn from(flaw: Malformed) -> Self {
        Self::Malformed(flaw.0)
    }
}

const fn aligned(length: usize) -> usize {
    (length + 3) & !3
}

/// Appends one attribute.
pub(super) fn put(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // Every value we send is shorter than a name, an address or a nest of a dozen of them.
    let length = (value.len() + ATTRIBUTE_HEADER) as u16;
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(value);
    out.resize(aligned(out.len()), 0);
}

/// Appends an attribute of which the length is known when this is compiled: a table has half a million of them.
/// `SPACE` is its length in memory, header and padding included.
fn put_short<const VALUE: usize, const SPACE: usize>(
    out: &mut Vec<u8>,
    kind: u16,
    value: [u8; VALUE],
) {
    let mut bytes = [0; SPACE];
    bytes[..2].copy_from_slice(&((VALUE + ATTRIBUTE_HEADER) as u16).to_ne_bytes());
    bytes[2..4].copy_from_slice(&kind.to_ne_bytes());
    bytes[ATTRIBUTE_HEADER..ATTRIBUTE_HEADER + VALUE].copy_from_slice(&value);
    out.extend_from_slice(&bytes);
}

/// Appends a number of 16 bits in the machine's order.
pub(super) fn put_u16(out: &mut Vec<u8>, kind: u16, value: u16) {
    put_short::<2, 8>(out, kind, value.to_ne_bytes());
}

/// Appends a number of 32 bits in the machine's order.
pub(super) fn put_u32(out: &mut Vec<u8>, kind: u16, value: u32) {
    put_short::<4, 8>(out, kind, value.to_ne_bytes());
}

/// Appends a port: big-endian, without the flag that would say so.
pub(super) fn put_port(out: &mut Vec<u8>, kind: u16, port: u16) {
    put_short::<2, 8>(out, kind, port.to_be_bytes());
}

/// Appends an address as `union nf_inet_addr`: always 16 bytes.
pub(super) fn put_address(out: &mut Vec<u8>, kind: u16, address: IpAddr) {
    let mut bytes = [0; 16];
    match address {
        IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => bytes = v6.octets(),
    }
    put_short::<16, 20>(out, kind, bytes);
}

/// Appends an attribute that holds attributes.
pub(super) fn nest(out: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put_short::<0, 4>(out, kind | NESTED, []);
    fill(out);
    let length = (out.len() - start) as u16;
    out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
}

/// Appends a generic netlink message; its length is filled in when the body is known.
pub(super) fn message(
    out: &mut Vec<u8>,
    header: Header,
    command: u8,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&header.kind.to_ne_bytes());
    out.extend_from_slice(&header.flags.to_ne_bytes());
    out.extend_from_slice(&header.sequence.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&[command, 1, 0, 0]);
    body(out);
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

/// The part of `struct nlmsghdr` that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Family, or one of the `NLMSG_` control types.
    pub kind: u16,
    /// `NLM_F_` flags.
    pub flags: u16,
    /// Which request it belongs to.
    pub sequence: u32,
}

/// The first `N` bytes.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes
        .first_chunk()
        .copied()
        .ok_or(Malformed("a value is too short"))
}

pub(super) fn get_u16(bytes: &[u8]) -> Result<u16, Malformed> {
    array(bytes).map(u16::from_ne_bytes)
}

pub(super) fn get_u32(bytes: &[u8]) -> Result<u32, Malformed> {
    array(bytes).map(u32::from_ne_bytes)
}

/// A counter, which is 32 bits in the older attribute sets and 64 in the newer.
pub(super) fn get_counter(bytes: &[u8]) -> Result<u64, Malformed> {
    match bytes.len() {
        4..8 => get_u32(bytes).map(u64::from),
        _ => array(bytes).map(u64::from_ne_bytes),
    }
}

pub(super) fn get_port(bytes: &[u8]) -> Result<u16, Malformed> {
    array(bytes).map(u16::from_be_bytes)
}

/// An address out of `union nf_inet_addr`.
pub(super) fn address(is_ipv4: bool, bytes: [u8; 16]) -> IpAddr {
    match is_ipv4 {
        true => Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(),
        false => Ipv6Addr::from(bytes).into(),
    }
}

/// Splits off one length-prefixed item; the length must lie between `least` and what is there.
fn take<'a>(rest: &mut &'a [u8], length: usize, least: usize) -> Result<&'a [u8], Malformed> {
    let whole = *rest;
    if length < least || length > whole.len() {
        *rest = &[];
        return Err(Malformed("a length does not fit"));
    }
    *rest = &whole[aligned(length).min(whole.len())..];
    Ok(&whole[..length])
}

/// Walks over attributes; ends after the first malformed one.
pub(super) struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.attribute())
    }
}

impl<'a> Attributes<'a> {
    fn attribute(&mut self) -> Result<(u16, &'a [u8]), Malformed> {
        let length = get_u16(self.0).map(usize::from).unwrap_or(0);
        let whole = take(&mut self.0, length, ATTRIBUTE_HEADER)?;
        let kind = get_u16(&whole[2..])? & KIND_MASK;
        Ok((kind, &whole[ATTRIBUTE_HEADER..]))
    }
}

/// Walks over the messages of one datagram; ends after the first malformed one.
pub(super) struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Result<(Header, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.message())
    }
}

impl<'a> Messages<'a> {
    fn message(&mut self) -> Result<(Header, &'a [u8]), Malformed> {
        let length = get_u32(self.0).map_or(0, |length| length as usize);
        let whole = take(&mut self.0, length, MESSAGE_HEADER)?;
        let header = Header {
            kind: get_u16(&whole[4..])?,
            flags: get_u16(&whole[6..])?,
            sequence: get_u32(&whole[8..])?,
        };
        Ok((header, &whole[MESSAGE_HEADER..]))
    }
}

/// The attributes of a generic netlink message.
pub(super) fn generic_body(payload: &[u8]) -> Result<&[u8], Malformed> {
    payload
        .get(GENERIC_HEADER..)
        .ok_or(Malformed("a message lacks its generic header"))
}

/// Error number (0: acknowledged) and extended text of an `NLMSG_ERROR` message.
pub(super) fn verdict(flags: u16, payload: &[u8]) -> Result<(i32, Option<String>), Malformed> {
    const MESSAGE_ATTRIBUTE: u16 = 1;
    let errno = array(payload).map(i32::from_ne_bytes)?.wrapping_neg();
    let echo = payload
        .get(4..)
        .ok_or(Malformed("an error lacks its header"))?;
    if flags & libc::NLM_F_ACK_TLVS as u16 == 0 {
        return Ok((errno, None));
    }
    let capped = errno == 0 || flags & libc::NLM_F_CAPPED as u16 != 0;
    let echoed = match capped {
        true => MESSAGE_HEADER,
        false => aligned(get_u32(echo)? as usize),
    };
    let attributes = echo
        .get(echoed..)
        .ok_or(Malformed("an error is cut short"))?;
    for attribute in Attributes(attributes) {
        if let (MESSAGE_ATTRIBUTE, text) = attribute? {
            let text = text.strip_suffix(&[0]).unwrap_or(text);
            return Ok((errno, Some(String::from_utf8_lossy(text).into_owned())));
        }
    }
    Ok((errno, None))
}
