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
use super::{OnChange, Unit, exports, kea, record};

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
        let config = config(&unit, &running, scope.desired).await?;
        units.insert(Unit { config, ..unit });
    }
    Ok(units)
}

/// True when the unit of this name runs.
pub async fn runs(name: &str) -> Result<bool, HostError> {
    Ok(Init::here().running(name).await?.is_some())
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
async fn config(
    unit: &Unit,
    running: &Running,
    desired: &State,
) -> Result<Option<String>, HostError> {
    let reexported = unit.on_change == OnChange::Reexport;
    if reexported && !exports::all_exported(&unit.reads) {
        return Ok(None);
    }
    let disk = on_disk(unit, desired)?;
    let current = match says(unit).await {
        kea::Runs::Current => true,
        kea::Runs::Other | kea::Runs::Deaf => false,
        kea::Runs::Unknown | kea::Runs::Silent => {
            let noted = record::read(&unit.name, &running.run);
            let table = reexported.then(|| changed(exports::TABLE)).flatten();
            let read_at = running.started.max(table);
            unit.reads.is_empty()
                || noted.is_some_and(|it| it == disk.digest)
                || read_at > disk.changed
        }
    };
    Ok(current.then_some(disk.digest))
}

/// Who can be asked needs no clock.
async fn says(unit: &Unit) -> kea::Runs {
    match (unit.on_change, unit.reads.first()) {
        (OnChange::Reload, Some(file)) => kea::runs(file).await,
        _ => kea::Runs::Silent,
    }
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
        digest: unit.digest(files),
        changed: last,
    })
}

/// The change time, which nobody can set: a file that was moved here with an old date has changed too.
fn changed(path: &str) -> Option<Moment> {
    let it = std::fs::symlink_metadata(path).ok()?;
    Some((it.ctime(), it.ctime_nsec()))
}
