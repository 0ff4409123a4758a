//! What we would need to undo a run, on disk before its first write: the identities it will make, the values it will
//! change, and a copy of every file it will replace.
//!
//! A run is a directory named by its number. It stands under `pending/` while it is made or waits to be confirmed, under
//! `undoing/` while it is taken back, and under `history/` when it is over. Only a rename leads from one to the other,
//! so of two who want to end a run exactly one succeeds.

mod entry;

pub use entry::Entry;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::desired::armed::Armed;
use crate::host::HostError;
use crate::ownership::Inventory;
use crate::resources::{Change, Keys, State};
use crate::store::{Store, make_private, write_durably};

/// How many runs that are over are kept.
const KEPT: usize = 20;

const JOURNAL: &str = "journal.json";
/// The document that was in force before the run.
const BEFORE: &str = "before.json";

/// There when the run was taken back.
const UNDONE: &str = "undone";
/// There when the run never came to its end.
const CUT_OFF: &str = "cut-off";

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Under way, cut off, or waiting to be confirmed.
    Pending,
    /// Being taken back.
    Undoing,
    /// Over.
    Over,
}

/// One run on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub stage: Stage,
    dir: PathBuf,
}

/// What a run is about to do, and to what.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    pub command: &'a str,
    pub changes: &'a [Change],
    /// The identities of what they create.
    pub created: &'a Keys,
    pub live: &'a State,
    pub inventory: &'a Inventory,
    pub armed: Option<&'a Armed>,
}

/// Writes the journal of a run and returns once it is safe on disk.
pub fn begin(store: &Store, intent: &Intent<'_>) -> Result<Run, HostError> {
    let id = next_id(store);
    let run = Run {
        dir: store.dir().join(Stage::Pending.directory()).join(&id),
        stage: Stage::Pending,
        id,
    };
    if let Err(error) = run.write(store, &Entry::of(intent)) {
        let action = format!("cannot write {}", run.dir.display());
        // What cannot be removed now is closed with the others.
        run.discard();
        return Err(HostError::new(action, error));
    }
    Ok(run)
}

/// What runs that were cut off may have created counts as owned until a look at the machine settles it, and what they
/// may have changed is given back one day.
/// Their journals are closed once that is written down.
pub fn recover(store: &Store, mut inventory: Inventory) -> Result<Inventory, HostError> {
    for run in all(store).filter(|run| run.stage != Stage::Over) {
        // A journal that was cut off while being written stands before the first change: nothing was done.
        if let Ok(mut entry) = run.entry() {
            // Of these the inventory knew, or the run gave them back.
            entry.prior.remove_all(&entry.remembered);
            inventory = inventory.recovered(&entry.created, &entry.prior, &entry.owned);
        }
    }
    Ok(inventory)
}

/// Closes the journals of runs that were cut off: what they say stands in the inventory now.
pub fn close_all(store: &Store) {
    for run in runs(store, Stage::Pending) {
        // The journal is there whole, or not at all: then nothing was done.
        if run.has(JOURNAL) {
            // For `history` alone; a full disk must not keep the run from being closed.
            let _ = run.save(CUT_OFF, b"");
            run.close(store);
        } else {
            run.discard();
        }
    }
    forget_old(store);
    store.sweep();
}

/// True when a run was cut off, and what its journal says may stand in no inventory.
pub fn is_pending(store: &Store) -> bool {
    all(store).any(|run| run.stage != Stage::Over)
}

/// The runs at a stage, the oldest first.
pub fn runs(store: &Store, stage: Stage) -> Vec<Run> {
    let entries = fs::read_dir(store.dir().join(stage.directory()));
    let mut runs: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Run::at(stage, entry.ok()?.path()))
        .collect();
    runs.sort_by_key(Run::number);
    runs
}

/// The run called `id`.
pub fn find(store: &Store, id: &str) -> Option<Run> {
    let mut all = all(store);
    all.find(|run| run.id == id)
}

/// Every run: what is over, what is being taken back, what is pending.
pub fn all(store: &Store) -> impl Iterator<Item = Run> {
    let stages = [Stage::Over, Stage::Undoing, Stage::Pending];
    stages.into_iter().flat_map(|stage| runs(store, stage))
}

fn forget_old(store: &Store) {
    let runs = runs(store, Stage::Over);
    let old = runs.len().saturating_sub(KEPT);
    runs.iter().take(old).for_each(Run::discard);
}

impl Stage {
    const fn directory(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Undoing => "undoing",
            Self::Over => "history",
        }
    }
}

impl Run {
    fn at(stage: Stage, dir: PathBuf) -> Option<Self> {
        let id = dir.file_name()?.to_str()?.to_owned();
        id.parse::<u64>().ok()?;
        Some(Self { id, stage, dir })
    }

    fn number(&self) -> u64 {
        self.id.parse().unwrap_or_default()
    }

    /// What the run did, and what was before. Files that hold secrets come back from their copies.
    pub fn entry(&self) -> Result<Entry, HostError> {
        let mut entry: Entry = self.load(JOURNAL)?;
        for (number, path) in entry.files.clone().iter().enumerate() {
            // The copy is of a whole file. What cannot be read as text holds none of our secrets.
            if let Ok(text) = fs::read_to_string(self.copy(number)) {
                entry.reveal(path, &text);
            }
        }
        Ok(entry)
    }

    /// Reads a file of the run.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Result<T, HostError> {
        let path = self.dir.join(name);
        let read =
            fs::read(&path).and_then(|it| serde_json::from_slice(&it).map_err(io::Error::from));
        read.map_err(|error| HostError::new(format!("cannot read {}", path.display()), error))
    }

    /// Writes a file of the run, durably.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<(), HostError> {
        let path = self.dir.join(name);
        write_durably(&self.dir, &path, bytes)
            .map_err(|error| HostError::new(format!("cannot write {}", path.display()), error))
    }

    /// Reads a file of the run as it is; none when there is none.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.dir.join(name)).ok()
    }

    /// True when the run has such a file.
    pub fn has(&self, name: &str) -> bool {
        self.dir.join(name).exists()
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Notes that the run was taken back.
    pub fn mark_undone(&self) -> Result<(), HostError> {
        self.save(UNDONE, b"")
    }

    /// True when the run was taken back.
    pub fn is_undone(&self) -> bool {
        self.has(UNDONE)
    }

    /// True when the run never came to its end, and a later one made up for it.
    pub fn was_cut_off(&self) -> bool {
        self.has(CUT_OFF)
    }

    /// Takes the run to those that are over. What cannot be moved now is found, and tried, again by the next run.
    pub fn close(&self, store: &Store) {
        let _ = self.rename(store, Stage::Over);
    }

    /// The document that was in force before the run, when there was one.
    pub fn document_before(&self) -> Option<Vec<u8>> {
        self.bytes(BEFORE)
    }

    /// Takes the run to another stage. Fails when somebody else has done that already.
    pub fn move_to(&self, store: &Store, stage: Stage) -> Result<Self, HostError> {
        let moved = self
            .rename(store, stage)
            .map_err(|error| HostError::new(format!("cannot move run {}", self.id), error))?;
        if stage == Stage::Over {
            forget_old(store);
        }
        Ok(moved)
    }

    fn rename(&self, store: &Store, stage: Stage) -> io::Result<Self> {
        let stages = store.dir().join(stage.directory());
        make_private(&stages)?;
        let dir = stages.join(&self.id);
        fs::rename(&self.dir, &dir)?;
        fs::File::open(&stages)?.sync_all()?;
        fs::File::open(self.dir.parent().unwrap_or(&self.dir))?.sync_all()?;
        Ok(Self {
            id: self.id.clone(),
            stage,
            dir,
        })
    }

    /// Removes the run: nothing of it is left on the machine.
    pub fn discard(&self) {
        // What cannot be removed now goes with those that are over.
        let _ = fs::remove_dir_all(&self.dir);
    }

    fn copy(&self, number: usize) -> PathBuf {
        self.dir.join(format!("file-{number}"))
    }

    fn write(&self, store: &Store, entry: &Entry) -> io::Result<()> {
        make_private(&self.dir)?;
        for (number, path) in entry.files.iter().enumerate() {
            copy_private(Path::new(path), &self.copy(number))?;
        }
        // Not a second name for it: a document that has two is not trusted.
        match copy_private(&store.last_good(), &self.dir.join(BEFORE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let bytes = serde_json::to_vec(entry)?;
        write_durably(&self.dir, &self.dir.join(JOURNAL), &bytes)?;
        // The directories are new, too: after a power cut all of it is there, or we never came to the first change.
        let above = self.dir.ancestors().skip(1).take(2);
        above.map(fs::File::open).try_for_each(|it| it?.sync_all())
    }
}

fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o600))?;
    fs::File::open(to)?.sync_all()
}

/// The time of day.
pub fn seconds_since_1970() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |it| it.as_secs())
}

/// Runs are counted: clocks may jump. Whoever begins one holds the lock.
fn next_id(store: &Store) -> String {
    let last = all(store).map(|run| run.number()).max().unwrap_or(0);
    (last + 1).to_string()
}
