//! What we know that nothing on the machine tells: which content a daemon read when we started it or had it read its
//! files again. Under `/run`, so that it ends with the boot it is about.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::host::HostError;

use super::process;

const DIRECTORY: &str = "/run/lvs-reconcile/units";

/// One daemon's last reading.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Containers may keep `/run` over a restart.
    pub(super) boot: String,
    /// Which process read; another one has read something else.
    pub(super) run: String,
    pub(super) digest: String,
}

/// Notes that the process `run` of this unit has read what `digest` stands for.
pub(super) fn write(unit: &str, run: &str, digest: &str) -> Result<(), HostError> {
    let record = Record {
        boot: process::boot_id(),
        run: run.to_owned(),
        digest: digest.to_owned(),
    };
    let path = path(unit);
    store(&path, &record)
        .map_err(|error| HostError::new(format!("cannot write {}", path.display()), error))
}

/// The digest that the process `run` of this unit has read, as far as we know.
pub(super) fn read(unit: &str, run: &str) -> Option<String> {
    let text = fs::read_to_string(path(unit)).ok()?;
    let record: Record = serde_json::from_str(&text).ok()?;
    let this_one = record.boot == process::boot_id() && record.run == run;
    this_one.then_some(record.digest)
}

/// Forgets a unit that was stopped.
pub(super) fn forget(unit: &str) {
    // Another process would not match it either.
    let _ = fs::remove_file(path(unit));
}

fn path(unit: &str) -> PathBuf {
    Path::new(DIRECTORY).join(unit)
}

fn store(path: &Path, record: &Record) -> std::io::Result<()> {
    fs::create_dir_all(DIRECTORY)?;
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .tempfile_in(DIRECTORY)?;
    file.write_all(serde_json::to_string(record)?.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
