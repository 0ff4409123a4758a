//! The name of a scheduler or of a persistence engine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Name of a scheduler or of a persistence engine: 1 to 15 printable ASCII characters
/// (`IP_VS_SCHEDNAME_MAXLEN` is 16 with the closing zero).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name([u8; Name::ROOM]);

/// Why a text is no [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a scheduler or persistence engine is 1 to 15 printable ASCII characters")]
pub struct NameError;

impl Name {
    pub(super) const ROOM: usize = 16;

    /// From a word that is known to be a name; what does not fit is cut off. For a text of unknown origin there is
    /// [`Name::from_str`].
    pub const fn literal(word: &str) -> Self {
        let (from, mut own, mut at) = (word.as_bytes(), [0; Self::ROOM], 0);
        while at < from.len() && at < Self::ROOM - 1 {
            own[at] = from[at];
            at += 1;
        }
        Self(own)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(Self::ROOM);
        &self.0[..end]
    }

    /// The name with its closing zero, as the kernel takes it.
    pub(super) fn with_zero(&self) -> &[u8] {
        &self.0[..(self.bytes().len() + 1).min(Self::ROOM)]
    }

    /// A name from the kernel: ends at the first zero or at the end.
    pub(super) fn from_kernel(bytes: &[u8]) -> Option<Self> {
        let name = bytes.split(|b| *b == 0).next().unwrap_or_default();
        if !(1..Self::ROOM).contains(&name.len()) || !name.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut own = [0; Self::ROOM];
        own[..name.len()].copy_from_slice(name);
        Some(Self(own))
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains('\0') {
            return Err(NameError);
        }
        Self::from_kernel(text.as_bytes()).ok_or(NameError)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
