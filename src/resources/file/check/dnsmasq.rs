//! dnsmasq's own check. It does not read the file of reservations, so they are given to it as lines of configuration;
//! and all that the administrator has beside ours, which it would refuse together.

use std::fmt::Write as _;
use std::path::Path;

use crate::delta::Delta;
use crate::host::HostError;
use crate::host::linux::child;

use super::super::File;
use super::{LIMIT, beside, complaint, stage, text, unusable};

const MAIN: &str = "/etc/dnsmasq.conf";
const DIRECTORY: &str = "/etc/dnsmasq.d";
const OURS: &str = "lvs-reconcile.conf";
const RESERVATIONS: &str = ".lvs-reconcile.hosts";

/// Both of our files as they will be, whichever of them is new.
pub(super) async fn check(deltas: &[&Delta<File>]) -> Result<(), HostError> {
    let new = |name: &str| {
        let mut files = deltas.iter().filter_map(|delta| delta.to());
        files.find(|it| it.key.path == format!("{DIRECTORY}/{name}"))
    };
    let (config, reservations) = (new(OURS), new(RESERVATIONS));
    let Some(blamed) = config.or(reservations) else {
        return Ok(());
    };
    let staged = config.map(|file| stage(file, text(file)?.as_bytes()));
    let staged = staged.transpose()?;
    let candidate = match (&staged, config) {
        (Some(staged), Some(file)) => beside(&file.key.path, staged),
        _ => Path::new(DIRECTORY).join(OURS),
    };
    let lines = match reservations {
        Some(file) => text(file)?,
        None => {
            std::fs::read_to_string(Path::new(DIRECTORY).join(RESERVATIONS)).unwrap_or_default()
        }
    };
    let said = refusal(&whole(&candidate, &lines)).await?;
    said.map_or(Ok(()), |said| {
        let line = said.contains("of stdin");
        let blamed = reservations.filter(|_| line).unwrap_or(blamed);
        Err(unusable(blamed, complaint(&said, &candidate)))
    })
}

/// What it says against this configuration.
async fn refusal(whole: &str) -> Result<Option<String>, HostError> {
    let args = ["--test", "-C", "-"];
    let output = child::ask("dnsmasq", &args, Some(whole.as_bytes()), LIMIT).await?;
    Ok((!output.status.success()).then(|| output.complaint()))
}

/// The administrator's files, the candidate in place of the one that is live, and the reservations. What is named twice
/// is read once.
fn whole(candidate: &Path, reservations: &str) -> String {
    let mut whole = String::new();
    if Path::new(MAIN).exists() {
        let _ = writeln!(whole, "conf-file={MAIN}");
    }
    // Names that end so are passed over: what packages leave behind, by the defaults of Debian and Red Hat.
    let _ = writeln!(
        whole,
        "conf-dir={DIRECTORY},.dpkg-dist,.dpkg-old,.dpkg-new,.rpmnew,.rpmsave,.rpmorig,{OURS}"
    );
    let _ = writeln!(whole, "conf-file={}", candidate.display());
    for line in reservations.lines().filter(|it| !it.starts_with('#')) {
        let _ = writeln!(whole, "dhcp-host={line}");
    }
    whole
}
