//! Waits until something happened in a few directories.
//!
//! A watch on the file itself is dead after the first atomic save, and misses links that change on the way. So the
//! directories are watched, what the event says is ignored, and the reader compares what it reads.

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use std::{path::PathBuf, time::Duration};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, sleep, sleep_until, timeout},
};

/// Editors and git touch a file several times in a row; so long it must be quiet.
const SETTLE: Duration = Duration::from_millis(150);
/// A directory that is never quiet must not keep us from looking.
const SETTLE_AT_MOST: Duration = Duration::from_secs(2);
/// Network file systems and overflows say nothing; so often we look anyway.
const POLL: Duration = Duration::from_secs(30);

pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    events: Receiver<()>,
    /// Kept so that the channel stays open without a watcher.
    _sender: Sender<()>,
    directories: Vec<PathBuf>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Quiet,
    /// Something happened that has not been looked at yet.
    Pending,
}

impl Watch {
    /// Watches nothing yet. The first wait is over at once: what happened before the watch, nobody saw.
    pub(super) fn new() -> Self {
        let (sender, events) = mpsc::channel(1);
        let waker = sender.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, |event| may_change(&event.kind)) {
                // A full channel holds a wake-up already.
                let _ = waker.try_send(());
            }
        });
        let watcher = watcher
            .inspect_err(|error| tracing::warn!(%error, "cannot watch the document; polling it"))
            .ok();
        Self {
            watcher,
            events,
            _sender: sender,
            directories: Vec::new(),
            state: State::Pending,
        }
    }

    /// Waits until something happened and it is quiet again. Dropped while waiting, it forgets nothing.
    pub(super) async fn wait(&mut self) {
        if self.state == State::Quiet {
            tokio::select! {
                _ = self.events.recv() => self.state = State::Pending,
                () = sleep(POLL) => self.state = State::Pending,
            }
        }
        let enough = Instant::now() + SETTLE_AT_MOST;
        loop {
            tokio::select! {
                event = timeout(SETTLE, self.events.recv()) => if event.is_err() { break },
                () = sleep_until(enough) => break,
            }
        }
        self.state = State::Quiet;
    }

    /// Watches these directories and no others.
    pub(super) fn point_at(&mut self, directories: Vec<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        // Also those that stay: the name may lead to another directory now.
        for directory in self.directories.drain(..) {
            let _ = watcher.unwatch(&directory);
        }
        for directory in directories {
            if watcher
                .watch(&directory, RecursiveMode::NonRecursive)
                .is_ok()
            {
                self.directories.push(directory);
            }
        }
    }
}

/// Opening and reading change nothing, and we do both ourselves.
fn may_change(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Access(
            AccessKind::Open(_) | AccessKind::Read | AccessKind::Close(AccessMode::Read)
        )
    )
}
