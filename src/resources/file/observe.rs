//! Observe this kind.

use std::collections::BTreeSet;

use crate::delta::Set;
use crate::host::linux::LinuxHost;
use crate::host::{HostError, Scope};

use super::directory::{Directories, Missing};
use super::live::Live;
use super::secret::Secrets;
use super::{Content, File, FileKey, Form, HEADER, block, dress, live, package};

/// Looks at the files wanted and at those we made, and at no others.
pub async fn observe(_host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<File>, HostError> {
    files(scope).await
}

/// As `observe`: a file system needs no connection.
pub async fn files(scope: &Scope<'_>) -> Result<Set<File>, HostError> {
    let mut look = Look::default();
    let mut seen = Vec::new();
    for key in keys(scope) {
        seen.extend(look.at(key, scope.desired.files.get(key))?);
    }
    let untouched = package::untouched(&may_be_defaults(&seen, scope)).await?;
    let mut files = Set::default();
    for Seen { mut file, .. } in seen {
        let default = untouched.contains(&file.key.path) && file.key.form == Form::Whole;
        file.untouched_default = default;
        // The package's file, put back after ours was removed, is not ours to remove again.
        if !default || scope.desired.files.contains(&file.key) {
            files.insert(file);
        }
    }
    Ok(files)
}

/// One look at several files: directories and secrets are opened once.
#[derive(Debug, Default)]
pub(crate) struct Look {
    directories: Directories,
    secrets: Secrets,
}

/// A file that is there.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) file: File,
    bytes: Vec<u8>,
}

impl Look {
    /// The file, or our block in it, in the words of `desired`; `None` when it is absent.
    pub(crate) fn at(
        &mut self,
        key: &FileKey,
        desired: Option<&File>,
    ) -> Result<Option<Seen>, HostError> {
        let failed = |reason: String| HostError::new(format!("cannot read {}", key.path), reason);
        let found = match self.read(&key.path) {
            Err(_) if desired.is_none() => return Ok(None), // somebody put something else in its place
            found => found.map_err(failed)?,
        };
        let Some(found) = found else {
            return Ok(None);
        };
        let Some(text) = ours(&found.bytes, key.form).map_err(failed)? else {
            return Ok(None);
        };
        let content = self.in_words_of(desired, text)?;
        Ok(Some(Seen {
            file: File {
                key: key.clone(),
                content,
                mode: shown_mode(key.form, desired, found.mode),
                owner: dress::owner(key.form, desired, found.ids()),
                untouched_default: false,
            },
            bytes: found.bytes,
        }))
    }

    fn read(&mut self, path: &str) -> Result<Option<Live>, String> {
        match self.directories.holding(path, Missing::Stays)? {
            Some((directory, name)) => live::read(&directory, name),
            None => Ok(None),
        }
    }

    /// Equal text is the desired content itself, with its references; else secrets are hidden.
    fn in_words_of(&mut self, desired: Option<&File>, text: String) -> Result<Content, HostError> {
        let nothing = Content::default();
        let Some(desired) = desired else {
            return Ok(self.secrets.hide(&text, &nothing));
        };
        let wanted =
            self.secrets
                .render(&mut self.directories, desired.key.form, &desired.content)?;
        Ok(match wanted == text {
            true => desired.content.clone(),
            false => self.secrets.hide(&text, &desired.content),
        })
    }
}

fn keys<'a>(scope: &Scope<'a>) -> BTreeSet<&'a FileKey> {
    let wanted = scope.desired.files.keys();
    wanted.chain(&scope.inventory.owned.files).collect()
}

/// The part of the file that is ours, as text.
fn ours(bytes: &[u8], form: Form) -> Result<Option<String>, String> {
    let part = match form {
        Form::Whole => Some(bytes),
        Form::Block => block::find(bytes)?,
    };
    part.map(|it| {
        String::from_utf8(it.to_vec())
            .map_err(|_| "it is not text in UTF-8; move it away".to_owned())
    })
    .transpose()
}

/// A document that names no mode does not compare it.
fn shown_mode(form: Form, desired: Option<&File>, mode: u32) -> Option<u32> {
    match (form, desired) {
        (Form::Block, _) => None,
        (Form::Whole, Some(desired)) => desired.mode.map(|_| mode),
        (Form::Whole, None) => Some(mode),
    }
}

/// No package ships it.
fn is_written_by_us(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|it| *it == b'\n').take(2);
    lines.any(|it| it == HEADER.as_bytes())
}

/// Whole files of which it matters: wanted and different, perhaps because an undo has put them back; or ours, no longer
/// wanted, and perhaps put back.
fn may_be_defaults<'a>(seen: &'a [Seen], scope: &Scope<'_>) -> Vec<(&'a str, &'a [u8])> {
    let matters = |it: &&Seen| {
        let key = &it.file.key;
        let owned = scope.inventory.owned.files.contains(key);
        let differs = scope
            .desired
            .files
            .get(key)
            .map(|desired| desired != &it.file);
        // Debian's policy keeps configuration files under /etc; dpkg is not asked about thousands of others.
        let shipped = key.form == Form::Whole && key.path.starts_with("/etc/");
        shipped && differs.unwrap_or(owned) && !is_written_by_us(&it.bytes)
    };
    seen.iter()
        .filter(matters)
        .map(|it| (it.file.key.path.as_str(), it.bytes.as_slice()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_wrote_is_no_package_s() {
        assert!(is_written_by_us(b"# written by lvs-reconcile\nsubnet\n"));
        assert!(is_written_by_us(b"#!ipxe\n# written by lvs-reconcile\n"));
        assert!(!is_written_by_us(
            b"# a package's\n\n# written by lvs-reconcile\n"
        ));
        assert!(!is_written_by_us(b"# written by lvs-reconciles"));
    }
}
