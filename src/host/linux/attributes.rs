//! Reading netlink attributes. Only what is asked for is decoded, so an attribute that a newer kernel adds, or one
//! that makes no sense to us, never makes its object invisible. Pure.

use std::net::IpAddr;

/// `nlmsghdr` and attributes are padded to this (include/uapi/linux/netlink.h).
const ALIGNMENT: usize = 4;

/// The attributes of one message, or of one nested attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// From the bytes behind a header.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Those behind a family header of `length` bytes.
    pub fn behind(message: &'a [u8], length: usize) -> Self {
        Self(message.get(length..).unwrap_or_default())
    }

    /// All of them, by number. Stops where the bytes stop making sense.
    pub fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let length = usize::from(u16_of(rest)?);
            let kind = u16_of(rest.get(2..)?)?;
            let value = rest.get(4..length)?;
            rest = rest
                .get(length.next_multiple_of(ALIGNMENT)..)
                .unwrap_or_default();
            Some((kind & KIND, value))
        })
    }

    /// The first with this number.
    pub fn get(self, kind: u16) -> Option<&'a [u8]> {
        self.iter().find(|(it, _)| *it == kind).map(|(_, v)| v)
    }

    /// A number of one byte.
    pub fn u8(self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    /// A number of two bytes, in the machine's order.
    pub fn u16(self, kind: u16) -> Option<u16> {
        u16_of(self.get(kind)?)
    }

    /// A number of four bytes, in the machine's order.
    pub fn u32(self, kind: u16) -> Option<u32> {
        u32_of(self.get(kind)?)
    }

    /// An IPv4 or IPv6 address, by its length.
    pub fn ip(self, kind: u16) -> Option<IpAddr> {
        ip_of(self.get(kind)?)
    }

    /// A string.
    pub fn text(self, kind: u16) -> Option<String> {
        self.get(kind).map(text_of)
    }

    /// Attributes within an attribute.
    pub fn nested(self, kind: u16) -> Option<Attributes<'a>> {
        self.get(kind).map(Attributes)
    }
}

/// The upper two bits are flags (`NLA_TYPE_MASK`).
const KIND: u16 = 0x3fff;

/// The two bytes in front, in the machine's order.
pub fn u16_of(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().copied().map(u16::from_ne_bytes)
}

/// The four bytes in front, in the machine's order.
pub fn u32_of(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_ne_bytes)
}

fn ip_of(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().copied().map(IpAddr::from),
        16 => bytes.first_chunk::<16>().copied().map(IpAddr::from),
        _ => None,
    }
}

/// Up to the first zero. The kernel accepts any byte in an interface's name; a name that is not UTF-8 is shown with
/// escapes, which no document can spell, so it is never taken for one of ours.
fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_number_whatever_stands_between() {
        let bytes = [
            5, 0, 1, 0, 7, 0, 0, 0, // 1: one byte and its padding
            8, 0, 2, 0x80, 1, 2, 3, 4, // 2, with the flag for nested
        ];
        let attributes = Attributes::new(&bytes);
        assert_eq!(attributes.u8(1), Some(7));
        assert_eq!(attributes.get(2), Some(&[1, 2, 3, 4][..]));
        assert_eq!(attributes.get(3), None);
    }

    #[test]
    fn nonsense_ends_the_list() {
        for bytes in [
            &[][..],
            &[1],
            &[3, 0, 1, 0],
            &[9, 0, 1, 0, 1],
            &[0, 0, 0, 0, 0],
        ] {
            assert_eq!(Attributes::new(bytes).iter().count(), 0, "{bytes:?}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_is_escaped() {
        assert_eq!(text_of(b"eth\xff0\0junk"), "eth\\xff0");
        assert_eq!(text_of(b"a\";id;\"\0"), "a\";id;\"");
    }
}
