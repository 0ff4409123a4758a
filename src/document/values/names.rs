//! Names: of things in the document, of domains, of network interfaces.

use super::{BadValue, as_json_string};
use smol_str::SmolStr;
use std::{fmt, str::FromStr};

/// The name of something in the document; also the host name of a node.
///
/// One DNS label in lower case. The DHCP servers disagree on everything wider. A document may hold a hundred thousand,
/// most of them short: those live without memory of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(SmolStr);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        label(text)?;
        Ok(Self(SmolStr::new(text)))
    }
}

as_json_string!(Name, {
    "type": "string",
    "description": "One DNS label in lower case: letters, digits and inner hyphens, at most 63 characters.",
    "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
});

const LABEL_RULE: &str = "a name is 1 to 63 of a-z, 0-9 and inner hyphens";

/// Checks one DNS label in lower case.
fn label(text: &str) -> Result<(), BadValue> {
    let wrong = |message: &str| Err(BadValue::new(message, LABEL_RULE));
    match text.as_bytes() {
        [] => wrong("is empty"),
        bytes if bytes.len() > 63 => wrong(&format!("has {} characters", bytes.len())),
        [b'-', ..] | [.., b'-'] => wrong("starts or ends with a hyphen"),
        bytes
            if bytes
                .iter()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) =>
        {
            Ok(())
        }
        bytes
            if bytes
                .iter()
                .all(|b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-')) =>
        {
            Err(BadValue::new(
                "has capital letters",
                format!("write {:?}", text.to_ascii_lowercase()),
            ))
        }
        _ => wrong(&format!(
            "contains {}",
            stranger(text, |c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
        )),
    }
}

/// The first character of `text` outside an alphabet, escaped and in quotes.
pub(super) fn stranger(text: &str, allowed: impl Fn(char) -> bool) -> String {
    match text.chars().find(|&c| !allowed(c)) {
        Some(c @ ' '..='~') => format!("'{c}'"),
        Some(c) => format!("'{}'", c.escape_default()),
        None => String::new(),
    }
}

/// A DNS domain, without a trailing dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Box<str>);

impl DomainName {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.len() > 253 {
            return Err(BadValue::new(
                format!("has {} characters", text.len()),
                "a domain has at most 253",
            ));
        }
        if let Some(without) = text.strip_suffix('.').filter(|t| t.parse::<Self>().is_ok()) {
            return Err(BadValue::new(
                "ends with a dot",
                format!("write {without:?}"),
            ));
        }
        let part = |bad: BadValue| {
            let message = format!("has a part that {}", bad.message);
            BadValue::new(message, bad.fix.replace("a name is", "each part is"))
        };
        match text.split('.').try_for_each(label) {
            Err(bad) if text.contains('.') => Err(part(bad)),
            result => result.map(|()| Self(text.into())),
        }
    }
}

as_json_string!(DomainName, {
    "type": "string",
    "description": "A DNS domain: labels joined by dots, at most 253 characters, no trailing dot.",
    "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    "maxLength": 253,
    "examples": ["domain.com"],
});

/// The name of a network interface: narrower than the kernel's, which takes quotes, backticks and semicolons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    // Padded with zeros and before the length, so that the derived order is the order of the text.
    bytes: [u8; 15],
    length: u8,
}

const INTERFACE_RULE: &str =
    "an interface name is 1 to 15 of A-Z, a-z, 0-9, \"_\", \".\" and inner \"-\"";

impl InterfaceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl FromStr for InterfaceName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let wrong = |message: String| Err(BadValue::new(message, INTERFACE_RULE));
        match text {
            "" => wrong("is empty".into()),
            "." | ".." | "all" | "default" => {
                wrong("has a meaning of its own in /proc/sys/net".into())
            }
            _ if text.len() > 15 => wrong(format!("has {} bytes", text.len())),
            _ if !text.chars().all(allowed) => {
                wrong(format!("contains {}", stranger(text, allowed)))
            }
            _ if text.starts_with('-') => wrong("starts with a hyphen".into()),
            _ => {
                let mut bytes = [0; 15];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                Ok(Self {
                    bytes,
                    length: text.len() as u8,
                })
            }
        }
    }
}

as_json_string!(InterfaceName, {
    "type": "string",
    "description": "A network interface: 1 to 15 of A-Z, a-z, 0-9, \"_\", \".\" and inner \"-\".",
    "pattern": "^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$",
    "not": { "enum": [".", "..", "all", "default"] },
    "examples": ["eth0", "bond0.100"],
});

/// A user or a group, by name. A number says nothing of who is meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(SmolStr);

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let rule = "a user or a group is 1 to 32 of A-Z, a-z, 0-9, \"_\", \".\" and \"-\", and begins with a letter or \"_\"";
        let wrong = |message: String| Err(BadValue::new(message, rule));
        match text {
            "" => wrong("is empty".into()),
            _ if text.len() > 32 => wrong(format!("has {} bytes", text.len())),
            _ if !text.chars().all(allowed) => {
                wrong(format!("contains {}", stranger(text, allowed)))
            }
            _ if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                wrong("does not begin with a letter".into())
            }
            _ => Ok(Self(SmolStr::new(text))),
        }
    }
}

as_json_string!(AccountName, {
    "type": "string",
    "description": "A user or a group, by name.",
    "pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,31}$",
    "examples": ["root", "www-data"],
});

/// The part of an address label after `INTERFACE:`, as in `eth0:50`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Box<str>);

impl Label {
    /// The label as text, without the interface.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let rule = "a label is 1 to 13 of A-Z, a-z, 0-9, \"_\" and \"-\"; the interface and the colon are added";
        match text {
            "" => Err(BadValue::new("is empty", rule)),
            _ if !text.chars().all(allowed) => Err(BadValue::new(
                format!("contains {}", stranger(text, allowed)),
                rule,
            )),
            _ => Ok(Self(text.into())),
        }
    }
}

as_json_string!(Label, {
    "type": "string",
    "description": "The part of an address label after INTERFACE and colon.",
    "pattern": "^[A-Za-z0-9_-]{1,13}$",
    "examples": ["50"],
});

macro_rules! show_as_str {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
    )*};
}
show_as_str!(Name DomainName InterfaceName AccountName Label);
