//! Observe this kind.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;

use crate::delta::Set;
use crate::host::linux::LinuxHost;
use crate::host::{HostError, Scope};
use crate::resources::State;
use crate::resources::file::observe::Look;
use crate::resources::file::{FileKey, Form};

use super::init::{Init, Running};
use super::process::Moment;
use super::{OnChange, Unit, digest, exports, record};

/// Looks at the units wanted and at those we started, and at no others.
pub async fn observe(_host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<Unit>, HostError> {
    units(scope).await
}

/// As `observe`: an init system needs no connection of ours.
pub async fn units(scope: &Scope<'_>) -> Result<Set<Unit>, HostError> {
    let wanted = scope.desired.units.keys();
    let names: BTreeSet<_> = wanted.chain(&scope.inventory.owned.units).collect();
    let init = Init::here();
    let mut units = Set::default();
    for name in names {
        let Some(running) = init.running(name).await? else {
            continue;
        };
        let wanted = scope.desired.units.get(name).cloned();
        let unit = wanted.unwrap_or_else(|| not_asked_for(name));
        let config = config(&unit, &running, scope.desired)?;
        units.insert(Unit { config, ..unit });
    }
    Ok(units)
}

/// What it reads does not matter.
fn not_asked_for(name: &str) -> Unit {
    Unit {
        name: name.to_owned(),
        reads: Vec::new(),
        on_change: OnChange::Restart,
        config: None,
    }
}

/// The digest of what it has read, when that is what stands on disk now.
fn config(unit: &Unit, running: &Running, desired: &State) -> Result<Option<String>, HostError> {
    let reexported = unit.on_change == OnChange::Reexport;
    if reexported && !exports::all_exported(&unit.reads) {
        return Ok(None);
    }
    let disk = on_disk(unit, desired)?;
    let read_by_us = record::read(&unit.name, &running.run).is_some_and(|it| it == disk.digest);
    let table = reexported.then(|| changed(exports::TABLE)).flatten();
    let read_at = running.started.max(table);
    let current = unit.reads.is_empty() || read_by_us || read_at > disk.changed;
    Ok(current.then_some(disk.digest))
}

struct OnDisk {
    /// Over those of its files that the document writes, secrets left out.
    digest: String,
    /// The last change of any of them. `None`: none is there.
    changed: Option<Moment>,
}

fn on_disk(unit: &Unit, desired: &State) -> Result<OnDisk, HostError> {
    let mut look = Look::default();
    let mut contents = Vec::new();
    let mut last = None;
    for path in &unit.reads {
        last = last.max(changed(path));
        for form in [Form::Whole, Form::Block] {
            let key = FileKey {
                path: path.clone(),
                form,
            };
            let Some(wanted) = desired.files.get(&key) else {
                continue;
            };
            if let Some(seen) = look.at(&key, Some(wanted))? {
                contents.push((path.as_str(), seen.file.content.shown()));
            }
        }
    }
    let files = contents.iter().map(|(path, text)| (*path, text.as_str()));
    Ok(OnDisk {
        digest: digest(files),
        changed: last,
    })
}

/// The change time, which nobody can set: a file that was moved here with an old date has changed too.
fn changed(path: &str) -> Option<Moment> {
    let it = std::fs::symlink_metadata(path).ok()?;
    Some((it.ctime(), it.ctime_nsec()))
}
