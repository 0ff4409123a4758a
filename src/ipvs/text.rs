//! Identities as text, and back. A large cluster has sixty thousand of them on file, so the usual ones (IPv4) take a
//! short way; what is said is the same.

use super::types::{Family, Protocol, ServiceId};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt::{self, Write};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A short text on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    bytes: [u8; Text::ROOM],
    length: usize,
}

impl Text {
    /// Twice the longest service and then some.
    const ROOM: usize = 160;

    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            bytes: [0; Self::ROOM],
            length: 0,
        }
    }

    /// What was written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    /// Appends; what does not fit is left out.
    pub fn push(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    /// Appends `192.0.2.10:80` or `[2001:db8::1]:80`.
    pub fn push_socket(&mut self, address: IpAddr, port: u16) {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                for (octet, end) in [(a, b'.'), (b, b'.'), (c, b'.'), (d, b':')] {
                    self.push_octet(octet, end);
                }
                self.push_number(port.into());
            }
            // Writing to a text cannot fail.
            IpAddr::V6(_) => drop(write!(self, "{}", SocketAddr::new(address, port))),
        }
    }

    /// Appends a number and the character that ends it.
    fn push_octet(&mut self, octet: u8, end: u8) {
        let (mut bytes, length) = OCTETS[usize::from(octet)];
        bytes[length] = end;
        if let Some(place) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            place.copy_from_slice(&bytes);
            self.length += length + 1;
        }
    }

    fn push_number(&mut self, number: u32) {
        let mut unit = 1;
        while number / unit > 9 {
            unit *= 10;
        }
        let mut rest = number;
        while unit > 0 {
            self.push_byte(b'0' + (rest / unit) as u8);
            rest %= unit;
            unit /= 10;
        }
    }

    /// Appends a character of ASCII.
    fn push_byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
            self.length = end;
        }
    }
}

/// 0 to 255 in decimal, each with its length.
static OCTETS: [([u8; 4], usize); 256] = octets();

const fn octets() -> [([u8; 4], usize); 256] {
    let mut all = [([0; 4], 0); 256];
    let mut number = 0;
    while number < all.len() {
        let digits = [number / 100, number / 10 % 10, number % 10];
        let length = if number > 99 {
            3
        } else if number > 9 {
            2
        } else {
            1
        };
        let mut at = 0;
        while at < length {
            all[number].0[at] = b'0' + digits[3 - length + at] as u8;
            at += 1;
        }
        all[number].1 = length;
        number += 1;
    }
    all
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl ServiceId {
    /// As it is printed.
    pub fn text(&self) -> Text {
        let mut text = Text::new();
        match *self {
            Self::Address {
                protocol,
                address,
                port,
            } => {
                text.push(match protocol {
                    Protocol::Tcp => "tcp ",
                    Protocol::Udp => "udp ",
                    Protocol::Sctp => "sctp ",
                });
                text.push_socket(address, port);
            }
            Self::FirewallMark { family, mark } => {
                text.push("fwmark ");
                text.push_number(mark);
                text.push(if family == Family::V6 { " IPv6" } else { "" });
            }
        }
        text
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Serialize for ServiceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl<'de> Deserialize<'de> for ServiceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

/// Deserializes what is written as text, without a copy of it.
///
/// # Errors
/// What the deserializer says, and what the text is instead.
pub fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Reads<T>(PhantomData<T>);
    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Reads<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an identity as text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Reads(PhantomData))
}

/// Reads `192.0.2.10:80` or `[2001:db8::1]:80`, as [`SocketAddr`] does.
pub fn socket(text: &str) -> Option<(IpAddr, u16)> {
    plain_socket(text.as_bytes()).or_else(|| {
        let at: SocketAddr = text.parse().ok()?;
        Some((at.ip(), at.port()))
    })
}

/// IPv4 and a port, in decimal without leading zeros.
fn plain_socket(text: &[u8]) -> Option<(IpAddr, u16)> {
    let (mut rest, mut address) = (text, 0);
    for end in *b"...:" {
        address = address << 8 | u32::from(u8::try_from(plain_number(&mut rest)?).ok()?);
        rest = rest.strip_prefix(&[end])?;
    }
    let port = u16::try_from(plain_number(&mut rest)?).ok()?;
    rest.is_empty()
        .then_some((Ipv4Addr::from_bits(address).into(), port))
}

/// Takes one to five digits off the front.
#[inline]
fn plain_number(rest: &mut &[u8]) -> Option<u32> {
    let (mut number, mut length) = (0, 0);
    while let Some(digit) = rest.get(length).map(|it| it.wrapping_sub(b'0'))
        && digit < 10
        && length < 5
    {
        number = number * 10 + u32::from(digit);
        length += 1;
    }
    let starts_with_zero = rest.first() == Some(&b'0');
    *rest = rest.get(length..)?;
    (length == 1 || length > 0 && !starts_with_zero).then_some(number)
}

/// Why a text is no [`ServiceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a service is `tcp 192.0.2.10:80`, `udp [2001:db8::1]:53`, `fwmark 7` or `fwmark 7 IPv6`")]
pub struct ServiceIdError;

/// Reads what [`ServiceId`] prints.
impl FromStr for ServiceId {
    type Err = ServiceIdError;

    fn from_str(text: &str) -> Result<Self, ServiceIdError> {
        let (word, rest) = text.split_once(' ').ok_or(ServiceIdError)?;
        let protocol = match word {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            "fwmark" => return firewall_mark(rest),
            _ => return Err(ServiceIdError),
        };
        let (address, port) = socket(rest).ok_or(ServiceIdError)?;
        Ok(Self::Address {
            protocol,
            address,
            port,
        })
    }
}

fn firewall_mark(text: &str) -> Result<ServiceId, ServiceIdError> {
    let (family, mark) = match text.strip_suffix(" IPv6") {
        Some(mark) => (Family::V6, mark),
        None => (Family::V4, text),
    };
    let mark = mark.parse().map_err(|_| ServiceIdError)?;
    Ok(ServiceId::FirewallMark { family, mark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_reads_what_the_standard_library_reads() {
        let texts = [
            "192.0.2.10:80",
            "0.0.0.0:0",
            "255.255.255.255:65535",
            "256.0.0.1:80",
            "1.2.3.4:65536",
            "1.2.3.4:080",
            "01.2.3.4:80",
            "1.2.3:80",
            "1.2.3.4.5:80",
            "1.2.3.4",
            "1.2.3.4:",
            ":80",
            "",
            "1.2.3.4:80 ",
            "+1.2.3.4:80",
            "[2001:db8::1]:53",
            "2001:db8::1:53",
        ];
        for text in texts {
            let by_the_library = text.parse::<SocketAddr>().ok();
            let wanted = by_the_library.map(|it| (it.ip(), it.port()));
            assert_eq!(socket(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_full_takes_no_more() {
        let mut text = Text::new();
        for _ in 0..200 {
            text.push("→");
        }
        assert_eq!(text.as_str(), "→".repeat(Text::ROOM / "→".len()));
    }
}
