//! Apply this kind: all new versions are written and on disk before the first one takes its place.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, fsync, syncfs, unlinkat};

use crate::delta::{Delta, Resource as _};
use crate::host::linux::LinuxHost;
use crate::host::{HostError, Outcome};

use super::attempt::attempt;
use super::directory::{Directories, Directory, Missing};
use super::dress::{as_it_was, is_dressed, look};
use super::live::{self, Live, Version};
use super::reason::because;
use super::secret::Secrets;
use super::stage::{Durable, Staged};
use super::{File, Form, block};

/// Added to the name of a package's file that ours replaces; it comes back when ours goes.
pub const ORIGINAL: &str = ".lvs-reconcile-original";

/// From here on one sync of the file system is quicker than one of each file.
const MANY: usize = 32;

/// Performs a run. Until all of it is written nothing is live: when writing fails, that one delta has failed and no
/// other was attempted.
pub async fn apply(_host: &mut LinuxHost, deltas: &[&Delta<File>]) -> Vec<Outcome> {
    perform(deltas)
}

/// As `apply`: a file system needs no connection.
pub fn perform(deltas: &[&Delta<File>]) -> Vec<Outcome> {
    let mut run = Run::default();
    let outcomes = match run.prepare(deltas) {
        Ok(works) => run.commit(deltas, works),
        Err((at, error)) => only_failed(deltas.len(), at, error),
    };
    if outcomes.iter().any(|it| matches!(it, Outcome::Failed(_))) {
        run.directories.unmake();
    }
    outcomes
}

#[derive(Debug, Default)]
struct Run {
    directories: Directories,
    secrets: Secrets,
    /// Whose entries changed, by path.
    touched: BTreeMap<String, Directory>,
}

/// What is left to do for one delta.
#[derive(Debug)]
struct Work {
    directory: Directory,
    name: OsString,
    /// What stood there when we judged it.
    version: Option<Version>,
    act: Act,
}

#[derive(Debug)]
enum Act {
    Replace(Staged),
    /// The package's file is kept under its other name first.
    TakeOver {
        original: Staged,
        ours: Staged,
    },
    PutBack,
    Remove,
}

impl Run {
    /// Everything that may fail without consequence. `None`: as wanted already.
    fn prepare(
        &mut self,
        deltas: &[&Delta<File>],
    ) -> Result<Vec<Option<Work>>, (usize, HostError)> {
        let durable = match deltas.len() > MANY {
            true => Durable::Later,
            false => Durable::Now,
        };
        let mut works = Vec::with_capacity(deltas.len());
        for (at, delta) in deltas.iter().enumerate() {
            let work = self.work(delta, durable).map_err(|error| (at, error))?;
            works.push(work);
        }
        if durable == Durable::Later {
            sync_all(&works).map_err(|(at, reason)| (at, failure(deltas[at], reason)))?;
        }
        Ok(works)
    }

    fn work(&mut self, delta: &Delta<File>, durable: Durable) -> Result<Option<Work>, HostError> {
        let failed = |reason: String| failure(delta, reason);
        let missing = match delta.to() {
            Some(_) => Missing::IsMade,
            None => Missing::Stays,
        };
        let path = &delta.subject().key.path;
        let found = self.directories.holding(path, missing).map_err(failed)?;
        let Some((directory, name)) = found else {
            return Ok(None);
        };
        let there = live::read(&directory, name).map_err(failed)?;
        if self.stands_as_wanted(delta, there.as_ref())? {
            return Ok(None);
        }
        let act = self.act(delta, (&directory, name), there.as_ref(), durable)?;
        let version = there.as_ref().map(Live::version).transpose();
        Ok(Some(Work {
            version: version.map_err(failed)?,
            act,
            name: name.to_owned(),
            directory,
        }))
    }

    /// True when there is nothing to do; an error when it is neither as wanted nor as it was.
    fn stands_as_wanted(
        &mut self,
        delta: &Delta<File>,
        there: Option<&Live>,
    ) -> Result<bool, HostError> {
        let failed = |reason: String| failure(delta, reason);
        let part = match (delta.subject().key.form, there) {
            (_, None) => None,
            (Form::Whole, Some(live)) => Some(live.bytes.as_slice()),
            (Form::Block, Some(live)) => block::find(&live.bytes).map_err(failed)?,
        };
        if self.is(part, delta.to())? && is_dressed(delta, there).map_err(failed)? {
            return Ok(true);
        }
        match self.is(part, delta.from())? {
            true => Ok(false),
            false => Err(failed(
                "it was changed by somebody else meanwhile; plan again".into(),
            )),
        }
    }

    fn is(&mut self, part: Option<&[u8]>, file: Option<&File>) -> Result<bool, HostError> {
        match (part, file) {
            (None, None) => Ok(true),
            (Some(bytes), Some(file)) => Ok(bytes == self.text(file)?.as_bytes()),
            _ => Ok(false),
        }
    }

    fn text(&mut self, file: &File) -> Result<String, HostError> {
        self.secrets
            .render(&mut self.directories, file.key.form, &file.content)
    }

    fn act(
        &mut self,
        delta: &Delta<File>,
        (directory, name): (&Directory, &OsStr),
        there: Option<&Live>,
        durable: Durable,
    ) -> Result<Act, HostError> {
        let failed = |reason: String| failure(delta, reason);
        let form = delta.subject().key.form;
        let goes_back = form == Form::Whole && delta.to().is_none_or(|to| to.untouched_default);
        if goes_back
            && live::read(directory, &original(name))
                .map_err(failed)?
                .is_some()
        {
            return Ok(Act::PutBack);
        }
        let Some(bytes) = self.new_bytes(delta, there)? else {
            return Ok(Act::Remove);
        };
        let look = look(delta, there).map_err(failed)?;
        let ours = Staged::write(directory, name, &bytes, &look, durable).map_err(failed)?;
        let shipped = delta.from().is_some_and(|from| from.untouched_default);
        match there.filter(|_| shipped) {
            None => Ok(Act::Replace(ours)),
            Some(there) => {
                let name = original(name);
                let original =
                    Staged::write(directory, &name, &there.bytes, &as_it_was(there), durable);
                Ok(Act::TakeOver {
                    original: original.map_err(failed)?,
                    ours,
                })
            }
        }
    }

    /// The whole file as it must be; `None` when it must go.
    fn new_bytes(
        &mut self,
        delta: &Delta<File>,
        there: Option<&Live>,
    ) -> Result<Option<Vec<u8>>, HostError> {
        let before = there.map_or(&[][..], |it| &it.bytes);
        let bytes = match (delta.subject().key.form, delta.to()) {
            (Form::Whole, None) => return Ok(None),
            (Form::Whole, Some(to)) => return Ok(Some(self.text(to)?.into_bytes())),
            (Form::Block, None) => block::without(before),
            (Form::Block, Some(to)) => block::put(before, &self.text(to)?),
        };
        bytes.map(Some).map_err(|reason| failure(delta, reason))
    }

    fn commit(&mut self, deltas: &[&Delta<File>], works: Vec<Option<Work>>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(deltas.len());
        for (delta, work) in deltas.iter().zip(works) {
            let outcome = match work.map(|work| self.perform(delta, work)) {
                None => Outcome::AlreadySo,
                Some(Ok(())) => Outcome::Done,
                Some(Err(reason)) => Outcome::Failed(failure(delta, reason)),
            };
            let failed = matches!(outcome, Outcome::Failed(_));
            outcomes.push(outcome);
            if failed {
                break; // what is staged and not renamed goes with `works`
            }
        }
        outcomes.resize_with(deltas.len(), || Outcome::NotAttempted);
        self.make_durable(deltas, &mut outcomes);
        self.tidy(deltas, &outcomes);
        outcomes
    }

    fn perform(&mut self, delta: &Delta<File>, work: Work) -> Result<(), String> {
        let Work {
            directory,
            name,
            version,
            act,
        } = work;
        if live::version(&directory, &name).map_err(because)? != version {
            return Err("it was changed by somebody else meanwhile; plan again".into());
        }
        match act {
            Act::Replace(ours) => ours.rename(&name)?,
            Act::TakeOver {
                original: kept,
                ours,
            } => {
                let kept_as = original(&name);
                kept.rename(&kept_as)?;
                ours.rename(&name).inspect_err(|_| {
                    // The package's file still stands under its own name.
                    let _ = unlinkat(&*directory, &*kept_as, UnlinkatFlags::NoRemoveDir);
                })?;
            }
            Act::PutBack => {
                attempt(|| renameat(&*directory, &*original(&name), &*directory, &*name))
                    .map_err(because)?;
            }
            Act::Remove => {
                match attempt(|| unlinkat(&*directory, &*name, UnlinkatFlags::NoRemoveDir)) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(error) => return Err(because(error)),
                }
            }
        }
        self.touched.insert(parent_of(delta).to_owned(), directory);
        Ok(())
    }

    /// A rename is not on disk before its directory is. Without that, nothing of this run counts as done.
    fn make_durable(&self, deltas: &[&Delta<File>], outcomes: &mut [Outcome]) {
        let directories = self
            .touched
            .values()
            .chain(self.directories.parents_of_made());
        let Some(error) = directories
            .map(|it| attempt(|| fsync(it)))
            .find_map(Result::err)
        else {
            return;
        };
        let reason = format!(
            "its directory cannot be brought to disk: {}",
            because(error)
        );
        for (delta, outcome) in deltas.iter().zip(outcomes) {
            if matches!(outcome, Outcome::Done) {
                *outcome = Outcome::Failed(failure(delta, reason.clone()));
            }
        }
    }

    /// Directories that we made for files that are gone.
    fn tidy(&mut self, deltas: &[&Delta<File>], outcomes: &[Outcome]) {
        let gone = deltas.iter().zip(outcomes).filter(|(delta, outcome)| {
            let whole = delta.subject().key.form == Form::Whole;
            whole && delta.to().is_none() && matches!(outcome, Outcome::Done)
        });
        let paths: BTreeMap<_, _> = gone
            .map(|(delta, _)| (parent_of(delta), &delta.subject().key.path))
            .collect();
        for path in paths.values().rev() {
            self.directories.remove_if_ours(path);
        }
    }
}

/// One sync for each file system on which something was written.
fn sync_all(works: &[Option<Work>]) -> Result<(), (usize, String)> {
    let mut synced = std::collections::BTreeSet::new();
    for (at, work) in works.iter().enumerate() {
        let Some(Work {
            act: Act::Replace(_) | Act::TakeOver { .. },
            directory,
            ..
        }) = work
        else {
            continue;
        };
        let failed = |error: Errno| (at, because(error));
        let device = attempt(|| nix::sys::stat::fstat(&**directory))
            .map_err(failed)?
            .st_dev;
        if synced.insert(device) {
            attempt(|| syncfs(&**directory)).map_err(failed)?;
        }
    }
    Ok(())
}

fn original(name: &OsStr) -> OsString {
    let mut original = name.to_owned();
    original.push(ORIGINAL);
    original
}

fn parent_of(delta: &Delta<File>) -> &str {
    let parent = Path::new(&delta.subject().key.path).parent();
    parent.and_then(Path::to_str).unwrap_or("/")
}

fn failure(delta: &Delta<File>, reason: String) -> HostError {
    let file = delta.subject();
    let verb = match (delta, file.key.form) {
        (_, Form::Block) => "edit our lines in",
        (Delta::Create { .. }, Form::Whole) => "write",
        (Delta::Delete { .. }, Form::Whole) => "remove",
        (Delta::Update { .. } | Delta::Replace { .. }, Form::Whole) => "replace",
    };
    HostError::new(format!("cannot {verb} {}", file.key()), reason)
}

fn only_failed(count: usize, at: usize, error: HostError) -> Vec<Outcome> {
    let mut outcomes: Vec<_> = (0..count).map(|_| Outcome::NotAttempted).collect();
    outcomes[at] = Outcome::Failed(error);
    outcomes
}
