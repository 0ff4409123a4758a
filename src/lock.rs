//! One writer at a time. The lock is the kernel's, so that it is gone when its holder is.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::host::HostError;

/// Where the lock file is unless told otherwise.
pub const LOCK_FILE: &str = "/run/lvs-reconcile.lock";

/// Held while it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("locked by {holder}")]
    Held { holder: String },
    /// The lock file cannot be used.
    #[error(transparent)]
    Failed(#[from] HostError),
}

impl Lock {
    /// Takes the lock, or says who holds it. `who` is shown to the loser, such as `apply`.
    pub fn take(path: &Path, who: &str) -> Result<Self, LockError> {
        let failed = |error| HostError::new(format!("cannot lock {}", path.display()), error);
        let mut file = open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                sign(&mut file, who).map_err(failed)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                holder: holder(&mut file),
            }),
            Err(TryLockError::Error(error)) => Err(failed(error).into()),
        }
    }
}

impl Lock {
    /// Takes the lock once it is free, or says who holds it after `patience`.
    pub async fn wait(path: &Path, who: &str, patience: Duration) -> Result<Self, LockError> {
        let began = Instant::now();
        loop {
            match Self::take(path, who) {
                Err(LockError::Held { .. }) if began.elapsed() < patience => {
                    tokio::time::sleep(LOOK).await;
                }
                taken => return taken,
            }
        }
    }
}

/// How often a lock is tried that is held by somebody else.
const LOOK: Duration = Duration::from_millis(200);

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn sign(file: &mut File, who: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let since = crate::output::time::utc(now());
    write!(file, "{who}, pid {}, since {since}", std::process::id())
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |it| it.as_secs())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => text,
        _ => "another run".to_owned(),
    }
}
