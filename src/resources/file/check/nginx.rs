//! nginx's own check of our part of its configuration.

use std::io::Write as _;

use crate::host::HostError;
use crate::host::linux::child;

use super::super::File;
use super::{LIMIT, beside, complaint, stage, text, unusable};

/// Inside of a configuration that has nothing else: what the administrator has wrong, nginx says itself.
pub(super) async fn check(file: &File) -> Result<(), HostError> {
    let staged = stage(file, text(file)?.as_bytes())?;
    let candidate = beside(&file.key.path, &staged);
    let around = format!(
        "pid /dev/null; error_log stderr; events {{}} http {{ include {}; }}\n",
        candidate.display()
    );
    let mut whole = tempfile::NamedTempFile::new().map_err(|it| unusable(file, it))?;
    whole
        .write_all(around.as_bytes())
        .map_err(|it| unusable(file, it))?;
    let args = ["-t", "-q", "-c", &whole.path().to_string_lossy()];
    let output = child::ask("nginx", &args, None, LIMIT).await?;
    match output.status.success() {
        true => Ok(()),
        false => Err(unusable(file, complaint(&output.complaint(), &candidate))),
    }
}
