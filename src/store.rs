//! The state directory: the inventory, the drains under way, the last good document. Every file is old or new, never
//! half.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::desired::armed::Armed;
use crate::host::HostError;
use crate::overlay::drain::Drains;
use crate::ownership::Inventory;

/// Where the state directory is unless told otherwise.
pub const STATE_DIR: &str = "/var/lib/lvs-reconcile";

const OWNED: &str = "owned.json";
/// Where an inventory goes that cannot be read.
const SET_ASIDE: &str = "owned.json.unreadable";
/// The version of its format that we write.
const VERSION: u32 = 1;

/// What every version of the inventory has.
#[derive(serde::Deserialize)]
#[serde(default)]
struct Header {
    version: u32,
}

impl Default for Header {
    fn default() -> Self {
        Self { version: VERSION }
    }
}

const ARMED: &str = "armed.json";
const TAKEN_BACK: &str = "taken-back.json";
/// How names begin of what is not in its place yet.
const NEW: &str = ".new-";

/// What tells one document from another: its SHA-256.
pub fn digest(document: &[u8]) -> String {
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

    /// What we own. A machine that was never touched has an empty inventory. One that cannot be read counts as empty
    /// too: what carries our mark is found again, and everything else is somebody else's until it is adopted.
    ///
    /// # Errors
    /// When it cannot be opened, or was written by a newer version: that one knows better.
    pub fn inventory(&self) -> Result<Inventory, HostError> {
        match self.load(OWNED) {
            Err(_) if self.is_broken(OWNED)? => Ok(Inventory {
                is_stand_in: true,
                ..Inventory::default()
            }),
            read => read,
        }
    }

    /// Where the inventory is.
    pub fn owned(&self) -> PathBuf {
        self.dir.join(OWNED)
    }

    /// Replaces the inventory; one that could not be read is kept beside it.
    pub fn save_inventory(&self, inventory: &Inventory) -> Result<(), HostError> {
        // Reading a large one again takes its time.
        let must_look = || inventory.is_stand_in && self.load::<Inventory>(OWNED).is_err();
        if must_look() && self.is_broken(OWNED)? {
            let path = self.dir.join(OWNED);
            fs::rename(&path, self.dir.join(SET_ASIDE)).map_err(|error| {
                HostError::new(format!("cannot set {} aside", path.display()), error)
            })?;
        }
        self.save_json(OWNED, inventory)
    }

    /// An inventory that cannot be read: the one that `read` stands in for, or one that had to make room for it.
    pub fn lost_inventory(&self, read: &Inventory) -> Option<PathBuf> {
        let (path, aside) = (self.dir.join(OWNED), self.dir.join(SET_ASIDE));
        let lost = read.is_stand_in.then_some(path);
        lost.or(aside.exists().then_some(aside))
    }

    /// True for a file that can be opened, and is neither what it should be nor from the future.
    fn is_broken(&self, name: &str) -> Result<bool, HostError> {
        let header: Result<Header, _> = self.load(name);
        Ok(match header {
            Ok(Header { version }) => version <= VERSION,
            Err(_) => self.dir.join(name).is_file(),
        })
    }

    /// The drains under way.
    pub fn drains(&self) -> Result<Drains, HostError> {
        self.load("drains.json")
    }

    /// Replaces the list of drains under way.
    pub fn save_drains(&self, drains: &Drains) -> Result<(), HostError> {
        self.save_json("drains.json", drains)
    }

    /// Who is armed.
    pub fn armed(&self) -> Result<Armed, HostError> {
        self.load(ARMED)
    }

    /// Replaces the list of who is armed.
    pub fn save_armed(&self, armed: &Armed) -> Result<(), HostError> {
        self.save_json(ARMED, armed)
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

    /// Takes away what runs that were killed were about to put in its place.
    pub fn sweep(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for entry in entries.filter(|it| it.file_name().to_string_lossy().starts_with(NEW)) {
            // What cannot be taken away now is found, and tried, again next time.
            let _ = fs::remove_file(entry.path());
        }
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
    let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(dir)?;
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
