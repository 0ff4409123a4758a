//! Values on file that are known to be whole: snapshots, and plans to approve. A seal finds what was changed by mistake;
//! whoever can write the file can make another one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// The version of the format, of which there is one.
const FORMAT_VERSION: u32 = 1;

/// As large as such a file may be: ten thousand services with their files have less.
const LARGEST: u64 = 256 << 20;

/// What a file holds.
pub trait Held: Serialize + DeserializeOwned {
    /// What it is called: `snapshot`.
    const WHAT: &'static str;
    /// The command that makes one.
    const MADE_BY: &'static str;
    /// What one that was changed is.
    const CHANGED: &'static str;
}

/// As it stands on file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sealed<T> {
    format_version: u32,
    /// Of what is below.
    seal: String,
    content: T,
}

/// As it is written.
pub fn text<T: Held>(content: &T) -> String {
    json(&Sealed {
        format_version: FORMAT_VERSION,
        seal: digest(content),
        content,
    }) + "\n"
}

/// Reads one, and says what is wrong with it otherwise.
pub fn read<T: Held>(path: &Path) -> Result<T, Error> {
    let wrong = |what: String| Error::Usage(format!("{}: {what}", path.display()));
    let bytes = read_some(path).map_err(wrong)?;
    let file: Sealed<T> = serde_json::from_slice(&bytes).map_err(|error| {
        let (what, made_by) = (T::WHAT, T::MADE_BY);
        wrong(format!("is no {what}: {error}; `{made_by}` makes one"))
    })?;
    if file.format_version != FORMAT_VERSION {
        let version = file.format_version;
        return Err(wrong(format!(
            "is of format {version}; this program reads {FORMAT_VERSION}"
        )));
    }
    match digest(&file.content) == file.seal {
        true => Ok(file.content),
        false => Err(wrong(T::CHANGED.to_owned())),
    }
}

fn read_some(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|it| it.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot be read: {error}"))?;
    match bytes.len() as u64 > LARGEST {
        true => Err(format!("is larger than {} MiB", LARGEST >> 20)),
        false => Ok(bytes),
    }
}

/// The first 128 bits of the SHA-256 of what a value says, however it is laid out.
pub fn digest(of: &impl Serialize) -> String {
    let digest = Sha256::digest(json(of));
    digest[..16].iter().map(|it| format!("{it:02x}")).collect()
}

/// Plain values: nothing in them can fail to be written.
fn json(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_default()
}
