//! nginx's own check of our part of its configuration.

use std::io::Write as _;

use crate::host::HostError;
use crate::host::linux::child;

use super::super::File;
use super::{LIMIT, beside, complaint, stage, text, unusable};

/// It tries its addresses as well, which the very plan that brings the file may make: in a network of its own it may
/// have any. The first line tells that we got so far.
const TEST: &str = r#"echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind || exit 0; echo tested; exec nginx -t -q -c "$1""#;

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
    let path = whole.path().to_string_lossy();
    let args = ["--net", "sh", "-c", TEST, "sh", &path];
    let output = child::ask("unshare", &args, None, LIMIT).await?;
    if output.text() != "tested\n" {
        tracing::debug!(path = file.key.path, "not checked: no namespaces here");
        return Ok(());
    }
    match output.status.success() {
        true => Ok(()),
        false => Err(unusable(file, complaint(&output.complaint(), &candidate))),
    }
}
