//! The state directory: the inventory, the drains under way, the last good document. Every file is old or new, never
//! half.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::HostError;
use crate::overlay::drain::Drains;
use crate::ownership::{Inventory, NEWER};

/// Where the state directory is unless told otherwise.
pub const STATE_DIR: &str = "/var/lib/lvs-reconcile";

const OWNED: &str = "owned.json";
const TAKEN_BACK: &str = "taken-back.json";

fn digest(document: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(document);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The state directory.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The store in `dir`, which is made when something is first saved.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What we own. A machine that was never touched has an empty inventory; one that cannot be read is set aside:
    /// what carries our mark is found again, and everything else counts as somebody else's until it is adopted.
    pub fn inventory(&self) -> Result<Inventory, HostError> {
        let error = match self.load(OWNED) {
            Ok(inventory) => return Ok(inventory),
            Err(error) => error,
        };
        let (path, aside) = (self.dir.join(OWNED), self.set_aside());
        if !path.is_file() || error.reason.contains(NEWER) || fs::rename(&path, aside).is_err() {
            return Err(error);
        }
        Ok(Inventory::default())
    }

    /// Where an inventory is that could not be read.
    pub fn set_aside(&self) -> PathBuf {
        self.dir.join("owned.json.unreadable")
    }

    /// Where the inventory is.
    pub fn owned(&self) -> PathBuf {
        self.dir.join(OWNED)
    }

    /// Replaces the inventory.
    pub fn save_inventory(&self, inventory: &Inventory) -> Result<(), HostError> {
        self.save_json(OWNED, inventory)
    }

    /// The drains under way.
    pub fn drains(&self) -> Result<Drains, HostError> {
        self.load("drains.json")
    }

    /// Replaces the list of drains under way.
    pub fn save_drains(&self, drains: &Drains) -> Result<(), HostError> {
        self.save_json("drains.json", drains)
    }

    /// The last document that was applied, for the boot unit and for `watch`.
    pub fn last_good(&self) -> PathBuf {
        self.dir.join("last-good.json")
    }

    /// Keeps the bytes of a document that was applied.
    pub fn save_last_good(&self, bytes: &[u8]) -> Result<(), HostError> {
        self.save("last-good.json", bytes)
    }

    /// There is no last good document any more.
    pub fn forget_last_good(&self) -> Result<(), HostError> {
        self.remove("last-good.json")
    }

    /// Remembers the document that was taken back, so that `watch` does not apply it again.
    pub fn save_taken_back(&self, document: &[u8]) -> Result<(), HostError> {
        self.save_json(TAKEN_BACK, &digest(document))
    }

    /// Nothing is taken back any more: somebody has applied a document since.
    pub fn forget_taken_back(&self) -> Result<(), HostError> {
        self.remove(TAKEN_BACK)
    }

    /// True for the document that was taken back last.
    pub fn is_taken_back(&self, document: &[u8]) -> Result<bool, HostError> {
        let taken_back: String = self.load(TAKEN_BACK)?;
        Ok(taken_back == digest(document))
    }

    fn remove(&self, name: &str) -> Result<(), HostError> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let action = format!("cannot remove {}", path.display());
                Err(HostError::new(action, error))
            }
            _ => Ok(()),
        }
    }

    fn load<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, HostError> {
        let path = self.dir.join(name);
        let failed = |error: &dyn std::fmt::Display| {
            HostError::new(format!("cannot read {}", path.display()), error)
        };
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
            Err(error) => Err(failed(&error)),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(&error)),
        }
    }

    fn save_json(&self, name: &str, value: &impl Serialize) -> Result<(), HostError> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| HostError::new(format!("cannot write {name}"), error))?;
        self.save(name, &bytes)
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), HostError> {
        let path = self.dir.join(name);
        write_durably(&self.dir, &path, bytes)
            .map_err(|error| HostError::new(format!("cannot write {}", path.display()), error))
    }
}

/// Replaces `path` in `dir` by `bytes`, readable by root alone, and returns when a power cut can no longer lose it.
pub fn write_durably(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_private(dir)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(dir)?.sync_all()
}

/// Makes a directory that only root can read.
pub fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}
