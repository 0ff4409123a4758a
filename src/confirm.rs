//! The confirm window: a timer outside of our process takes a run back, unless somebody says in time that the machine
//! can still be reached. It is armed before the first change and outlives us, however we end.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::HostError;
use crate::host::linux::{child, facts, sessions};
use crate::journal::{self, Run, Stage};
use crate::overlay::drain::Moment;
use crate::store::Store;

const WINDOW: &str = "window.json";
/// The document that is in force once the run is confirmed.
const DOCUMENT: &str = "document.json";
/// There once every step was taken and verified.
const APPLIED: &str = "applied";

/// Room for what taking the run back writes, kept as long as that may be wanted.
const ROOM: &str = "room";
/// What a file that is written may take beside its length, its directory included.
const BESIDE: u64 = 8192;
/// Inventory, document, digest, mark, and the directories of other stages.
const OTHERS: u64 = 8;

/// What the guard says once it can no longer be stopped by what stops us.
pub const ARMED: &str = "armed";

/// What stands in `window.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Window {
    /// After this the run is taken back.
    pub until: Moment,
    /// The ssh connection that the run came through. It may live on where a new one would not get through.
    pub connection: Option<String>,
}

/// Where the inventory and the lock are.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub state_dir: &'a Path,
    pub lock: &'a Path,
}

/// The run that waits to be confirmed.
pub fn waiting(store: &Store) -> Option<(Run, Window)> {
    journal::runs(store, Stage::Pending)
        .into_iter()
        .find_map(|run| Some((run.clone(), window(&run)?)))
}

/// What is to be done about a run that could not be taken back to its end, when there is one. The next boot would go on
/// with it, and take along what was applied since.
pub fn half_undone(store: &Store) -> Option<String> {
    let run = journal::runs(store, Stage::Undoing).pop()?;
    let id = &run.id;
    Some(format!(
        "run {id} is not taken back to its end: `lvs-reconcile rollback {id}` does that"
    ))
}

/// The window of a run, when it has one.
pub fn window(run: &Run) -> Option<Window> {
    run.load(WINDOW).ok()
}

/// The document of a run that waits, or waited, to be confirmed.
pub fn document(run: &Run) -> Option<Vec<u8>> {
    run.bytes(DOCUMENT)
}

/// Opens the window of a run and arms its timer. When this fails nothing was changed, and the run must be discarded.
pub async fn open(
    run: &Run,
    document: &[u8],
    now: &Moment,
    length: Duration,
    place: Place<'_>,
) -> Result<Window, HostError> {
    let window = Window {
        until: Moment {
            boot_id: now.boot_id.clone(),
            seconds: now.seconds + length.as_secs(),
        },
        connection: sessions::own(),
    };
    let bytes = serde_json::to_vec(&window)
        .map_err(|error| HostError::new("cannot write the confirm window", error))?;
    run.save(DOCUMENT, document)?;
    keep_room(run, &Store::at(place.state_dir))?;
    run.save(WINDOW, &bytes)?;
    match facts::booted_by_systemd() {
        true => arm_timer(run, length, place).await?,
        false => arm_guard(run, place)?,
    }
    Ok(window)
}

/// Keeps room on the disk, so that the run can be taken back when there is none left.
fn keep_room(run: &Run, store: &Store) -> Result<(), HostError> {
    let room =
        room(run, store).map_err(|e| HostError::new("cannot keep room to take this back", e))?;
    run.save(ROOM, &vec![0; room])
}

/// Twice the files that were copied, the documents and the inventory: each is written anew before the old one goes.
fn room(run: &Run, store: &Store) -> io::Result<usize> {
    let inventory = fs::metadata(store.owned()).map_or(0, |it| it.len());
    let mut room = 2 * inventory + OTHERS * BESIDE;
    for entry in fs::read_dir(run.dir())? {
        room += 2 * entry?.metadata()?.len() + BESIDE;
    }
    usize::try_from(room).map_err(io::Error::other)
}

/// Gives up the room that was kept for taking a run back: for just that, or because it is confirmed.
pub fn give_up_room(run: &Run) {
    // None was kept, or none is needed.
    let _ = fs::remove_file(run.dir().join(ROOM));
    // Some file systems give it out again only when this is on disk.
    let _ = fs::File::open(run.dir()).and_then(|it| it.sync_all());
}

/// Notes that every step was taken and verified: from now on the run can be confirmed.
pub fn applied(run: &Run) -> Result<(), HostError> {
    run.save(APPLIED, b"")
}

/// True when the run can be confirmed.
pub fn is_applied(run: &Run) -> bool {
    run.has(APPLIED)
}

/// Stops the timer of a run that is over. A guard sees for itself that its run is gone.
pub async fn disarm(run: &Run) {
    if facts::booted_by_systemd() {
        let timer = format!("{}.timer", unit(run));
        // It would find its run gone, and do nothing.
        let _ = child::run("systemctl", &["stop", &timer], None).await;
    }
}

fn unit(run: &Run) -> String {
    format!("lvs-reconcile-revert-{}", run.id)
}

/// A transient timer of process 1: it needs neither us, nor our session, nor our terminal.
async fn arm_timer(run: &Run, length: Duration, place: Place<'_>) -> Result<(), HostError> {
    let program = own_program()?;
    let (unit, after) = (unit(run), format!("{}s", length.as_secs()));
    let mut args = vec![
        "--quiet",
        "--collect",
        "--unit",
        &unit,
        "--on-active",
        &after,
        "--timer-property=AccuracySec=200ms",
        "--property=OOMScoreAdjust=-1000",
        "--",
        text(&program)?,
        "rollback",
        &run.id,
        "--expired",
    ];
    args.extend(place.arguments()?);
    child::run("systemd-run", &args, None).await?;
    let timer = format!("{unit}.timer");
    child::run("systemctl", &["is-active", "--quiet", &timer], None)
        .await
        .map(drop)
}

/// Without systemd: a process in a session of its own. It says when it is ready.
fn arm_guard(run: &Run, place: Place<'_>) -> Result<(), HostError> {
    let failed = |error: &dyn std::fmt::Display| HostError::new("cannot start the guard", error);
    let mut guard = Command::new(own_program()?)
        .args(["guard", &run.id])
        .args(place.arguments()?)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut said = String::new();
    let mut lines = BufReader::new(guard.stdout.take().ok_or_else(|| failed(&"no pipe"))?);
    lines.read_line(&mut said).map_err(|error| failed(&error))?;
    match said.trim() {
        ARMED => Ok(()),
        _ => Err(failed(&"it ended at once")),
    }
}

fn own_program() -> Result<PathBuf, HostError> {
    std::env::current_exe().map_err(|error| HostError::new("cannot find our own program", error))
}

fn text(path: &Path) -> Result<&str, HostError> {
    path.to_str()
        .ok_or_else(|| HostError::new("cannot use a path that is not UTF-8", path.display()))
}

impl<'a> Place<'a> {
    fn arguments(self) -> Result<[&'a str; 4], HostError> {
        Ok([
            "--state-dir",
            text(self.state_dir)?,
            "--lock",
            text(self.lock)?,
        ])
    }
}
