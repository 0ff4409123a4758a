//! What we would need to undo a run, on disk before its first write: the identities it will make, the values it will
//! change, and a copy of every file it will replace.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::delta::Verb;
use crate::host::HostError;
use crate::ownership::Inventory;
use crate::resources::{Change, Keys, State};
use crate::store::{Store, make_private, write_durably};

/// What stands in `journal.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    /// Objects that did not exist before.
    created: Keys,
    /// Values of objects that did.
    prior: State,
    /// Files copied beside, in the order of their numbers.
    files: Vec<String>,
}

/// Writes the journal of `changes` and returns once it is safe on disk.
/// `created` are the identities of what they create.
pub fn begin(store: &Store, changes: &[Change], created: &Keys) -> Result<(), HostError> {
    let dir = store.dir().join("pending").join(run_id());
    write(&dir, &Entry::of(changes, created))
        .map_err(|error| HostError::new(format!("cannot write {}", dir.display()), error))
}

/// What runs that were cut off may have created: it counts as owned until a look at the machine settles it.
/// Their journals are removed by `clear` once that is written down.
pub fn recover(store: &Store, mut inventory: Inventory) -> Result<Inventory, HostError> {
    for dir in pending(store) {
        let path = dir.join("journal.json");
        let Ok(bytes) = fs::read(&path) else { continue };
        // A journal that was cut off while being written stands before the first change: nothing was done.
        let Ok(entry) = serde_json::from_slice::<Entry>(&bytes) else {
            continue;
        };
        inventory.owned.merge(&entry.created);
    }
    Ok(inventory)
}

/// Removes the journals: what they say stands in the inventory now.
pub fn clear(store: &Store) {
    for dir in pending(store) {
        // What cannot be removed now is found, and tried, again next time.
        let _ = fs::remove_dir_all(dir);
    }
}

/// True when a run was cut off, and what its journal says may stand in no inventory.
pub fn is_pending(store: &Store) -> bool {
    !pending(store).is_empty()
}

fn pending(store: &Store) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.dir().join("pending"));
    let mut dirs: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    dirs.sort();
    dirs
}

impl Entry {
    fn of(changes: &[Change], created: &Keys) -> Self {
        let mut entry = Self {
            created: created.clone(),
            ..Self::default()
        };
        for change in changes {
            if change.verb() != Verb::Create {
                entry.prior.merge(change.before());
            }
            if let Change::File(delta) = change {
                entry
                    .files
                    .extend(delta.from().map(|it| it.key.path.clone()));
            }
        }
        entry
    }
}

fn write(dir: &Path, entry: &Entry) -> io::Result<()> {
    make_private(dir)?;
    for (number, path) in entry.files.iter().enumerate() {
        let copy = dir.join(format!("file-{number}"));
        fs::copy(path, &copy)?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600))?;
        fs::File::open(&copy)?.sync_all()?;
    }
    let bytes = serde_json::to_vec(entry)?;
    write_durably(dir, &dir.join("journal.json"), &bytes)
}

/// Sorts by time, and is unlike any other.
fn run_id() -> String {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:010}-{}", since.as_secs(), std::process::id())
}
