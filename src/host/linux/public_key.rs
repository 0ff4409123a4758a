//! The director's own public key, which every machine that is installed will trust.

use std::io::ErrorKind;
use std::path::Path;

use crate::document::SshKey;
use crate::trust::{self, Reason, Refusal, Trust};

/// Longer than any file of one public key.
const LONGEST: usize = 16 << 10;

/// Why there is none, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    pub message: String,
    pub fix: String,
}

/// The key in the first line of this file. Whoever can write the file, or put another in its place, would be root on
/// every machine: nobody but root may be able to.
pub fn public_key(path: &Path) -> Result<SshKey, Unusable> {
    let bytes = trust::read(path, Trust::Strict, LONGEST).map_err(|it| refused(path, it))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default().trim_end();
    line.parse::<SshKey>().map_err(|bad| Unusable {
        message: format!("the first line of {} {}", path.display(), bad.message),
        fix: bad.fix,
    })
}

fn refused(path: &Path, (culprit, reason): Refusal) -> Unusable {
    let absent = matches!(&reason, Reason::Io(error) if error.kind() == ErrorKind::NotFound);
    let private = path.with_extension("");
    match absent {
        true => Unusable {
            message: format!("there is no {} on this director", path.display()),
            fix: format!(
                "make one with: ssh-keygen -t ed25519 -f {}",
                private.display()
            ),
        },
        false => Unusable {
            message: format!("{} {reason}", culprit.display()),
            fix: format!(
                "nobody but root may be able to change {}, or what is on the way to it",
                path.display()
            ),
        },
    }
}
