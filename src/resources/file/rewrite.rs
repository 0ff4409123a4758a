//! A file of somebody else, such as a document, that says something else from now on: old or new, never half.

use std::path::Path;

use nix::unistd::{fsync, geteuid};

use crate::host::HostError;
use crate::trust::{Trust, resolve};

use super::attempt::attempt;
use super::directory::{Directories, Missing};
use super::live::{self, Live};
use super::reason::because;
use super::stage::{Durable, Look, Staged};

/// Replaces `before`, which was read at `path`, by `after`. Owner, mode and access list stay, and so do the symbolic
/// links that lead there.
///
/// # Errors
/// When it says something else by now, or cannot be replaced as it is: then it stays as it was. Or when it is replaced
/// and a power cut may take that back, which the error says.
pub fn rewrite(path: &Path, before: &[u8], after: &[u8]) -> Result<(), HostError> {
    let failed =
        |reason: String| HostError::new(format!("cannot rewrite {}", path.display()), reason);
    let file = resolve(path, Trust::Any)
        .map_err(|(culprit, reason)| failed(format!("{}: {reason}", culprit.display())))?;
    let name = file.to_str();
    let name = name.ok_or_else(|| failed("its name is not UTF-8".into()))?;
    replace(name, before, after).map_err(failed)
}

fn replace(path: &str, before: &[u8], after: &[u8]) -> Result<(), String> {
    const GONE: &str = "it is not there any more";
    let found = Directories::default().holding(path, Missing::Stays)?;
    let (directory, name) = found.ok_or(GONE)?;
    let there = live::read(&directory, name)?.ok_or(GONE)?;
    if there.bytes != before {
        return Err("it was changed by somebody else meanwhile; try again".into());
    }
    let us = geteuid();
    if !us.is_root() && us.as_raw() != there.uid {
        let owner = there.uid;
        return Err(format!(
            "it belongs to user {owner}, and would be ours; run this as that user"
        ));
    }
    let new = Staged::write(&directory, name, after, &as_before(&there), Durable::Now)?;
    if live::version(&directory, name).map_err(because)? != Some(there.version()?) {
        return Err("it was changed by somebody else meanwhile; try again".into());
    }
    new.rename(name)?;
    attempt(|| fsync(&directory)).map_err(|error| {
        let why = because(error);
        format!("it is rewritten, but a power cut may take that back: {why}")
    })
}

fn as_before(there: &Live) -> Look<'_> {
    Look {
        mode: there.mode,
        uid: Some(there.uid),
        gid: Some(there.gid),
        old: Some(there),
    }
}
