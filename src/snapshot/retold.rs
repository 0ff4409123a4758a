//! What was seen, in the words of another document than the one that it was seen with. Pure.

use crate::delta::{Resource, Set, Verb};
use crate::desired::{files as places, modules};
use crate::host::Scope;
use crate::lint::Warning;
use crate::ownership::Inventory;
use crate::remarks::some_of;
use crate::resources::file::{Content, File, FileKey, Form, Owner};
use crate::resources::nftables::TheTable;
use crate::resources::route::MAIN;
use crate::resources::sysctl::{Sysctl, SysctlKey};
use crate::resources::timeouts::{TheTimeouts, Timeouts};
use crate::resources::unit::Unit;
use crate::resources::{Change, State};
use crate::surroundings::Surroundings;

use super::Seen;

/// A look for another document's sake: what it may ask about, whose values mean nothing, and what is there by name.
pub(super) struct Widely {
    pub(super) desired: State,
    pub(super) inventory: Inventory,
}

impl Widely {
    /// Beside what was looked for already, with the settings that documents may speak of. Of what is only named,
    /// everything is told.
    pub(super) fn of(seen: &Seen, around: &Surroundings, settings: Vec<String>) -> Self {
        let facts = &around.facts;
        let servers = facts.dhcp.iter().map(|it| &it.unit);
        let units = servers.chain(&facts.nfs_unit).chain(&facts.web_unit);
        let keys = seen.looked_for.files.iter().cloned();
        let keys = keys.chain(places::of_any_document(facts));
        let mut owned = seen.looked_for.clone();
        owned.links = seen.interfaces.iter().cloned().collect();
        owned.units = owned.units.iter().chain(units).cloned().collect();
        Self {
            desired: State {
                files: keys.map(whatever_it_is).collect(),
                ..of_any_document(settings)
            },
            inventory: Inventory {
                owned,
                ..Inventory::default()
            },
        }
    }
}

/// A file of which mode and owner are told, too.
fn whatever_it_is(key: FileKey) -> File {
    File {
        key,
        content: Content::default(),
        mode: Some(0),
        owner: Some(roots()),
        untouched_default: false,
    }
}

/// A file is root's unless somebody says otherwise.
fn roots() -> Box<Owner> {
    Box::new(Owner {
        user: "root".to_owned(),
        group: "root".to_owned(),
    })
}

fn of_any_document(settings: Vec<String>) -> State {
    let sysctl = |path| Sysctl {
        key: SysctlKey::from_path(path),
        value: String::new(),
    };
    let asked = Some(0);
    State {
        modules: modules::of_any_document(),
        sysctls: settings.into_iter().map(sysctl).collect(),
        timeouts: Set::from_iter([Timeouts {
            tcp_seconds: asked,
            tcp_fin_seconds: asked,
            udp_seconds: asked,
        }]),
        ..State::default()
    }
}

/// Of what such a look told, the part that is not told already. What a package ships is nobody's secret; of other files
/// that are not ours only that they are there.
pub(super) fn added(plain: State, around: &Surroundings) -> State {
    let ours = &around.inventory.owned.files;
    let told = |it: &File| match it.untouched_default || ours.contains(&it.key) {
        true => it.clone(),
        false => File {
            content: Content::concealed(),
            ..it.clone()
        },
    };
    State {
        files: plain.files.iter().map(told).collect(),
        addresses: Set::default(),
        routes: Set::default(),
        virtual_services: Set::default(),
        destinations: Set::default(),
        ..plain
    }
}

/// The state as a look with this scope would tell it.
pub(super) fn retold(seen: &Seen, scope: &Scope<'_>) -> State {
    let (plain, desired, prior) = (&seen.plain, scope.desired, &scope.inventory.prior);
    let files = files(seen, scope);
    State {
        modules: among(&plain.modules, |it| desired.modules.contains(it)),
        links: links(seen, scope),
        nftables: plain
            .nftables
            .iter()
            .map(|it| it.clone().in_words_of(desired.nftables.get(&TheTable)))
            .collect(),
        sysctls: sysctls(seen, scope),
        timeouts: plain
            .timeouts
            .iter()
            .zip(
                desired
                    .timeouts
                    .get(&TheTimeouts)
                    .or(prior.timeouts.get(&TheTimeouts)),
            )
            .map(|(it, wanted)| it.in_words_of(wanted))
            .collect(),
        units: units(seen, scope, &files),
        files,
        ..seen.state.clone()
    }
}

fn among<T: Resource + Clone>(all: &Set<T>, wanted: impl Fn(&T::Key) -> bool) -> Set<T> {
    all.iter().filter(|it| wanted(&it.key())).cloned().collect()
}

/// Those that the first document asked about are told already.
fn sysctls(seen: &Seen, scope: &Scope<'_>) -> Set<Sysctl> {
    let prior = &scope.inventory.prior.sysctls;
    let wanted = |key: &SysctlKey| scope.desired.sysctls.contains(key) || prior.contains(key);
    let mut all = seen.plain.sysctls.clone();
    all.extend(seen.state.sysctls.iter().cloned());
    among(&all, wanted)
}

fn links(seen: &Seen, scope: &Scope<'_>) -> Set<crate::resources::link::Link> {
    let (owned, prior) = (&scope.inventory.owned.links, &scope.inventory.prior.links);
    let told = seen.plain.links.iter().filter_map(|it| {
        let wanted = scope.desired.links.get(&it.name).or(prior.get(&it.name));
        (wanted.is_some() || owned.contains(&it.name)).then(|| it.clone().in_words_of(wanted))
    });
    told.collect()
}

fn files(seen: &Seen, scope: &Scope<'_>) -> Set<File> {
    let told = seen.plain.files.iter().filter_map(|plain| {
        let wanted = scope.desired.files.get(&plain.key);
        let is_ours = scope.inventory.owned.files.contains(&plain.key);
        let is_concerned = wanted.is_some() || is_ours && !plain.untouched_default;
        is_concerned.then(|| file(plain, seen.state.files.get(&plain.key), wanted))
    });
    told.collect()
}

/// Where it is as the new document wants it, its content is told as the first document told it: only there are its
/// secrets known. Mode and owner as far as the new one speaks of them; of a file that nobody wants, for an undo.
fn file(plain: &File, first: Option<&File>, wanted: Option<&File>) -> File {
    let is_wanted = |it: &&File| wanted.is_some_and(|wanted| wanted.content == it.content);
    let whole = plain.key.form == Form::Whole;
    let (mode, owner) = match wanted {
        Some(wanted) => (wanted.mode.is_some(), wanted.owner.is_some()),
        None => (true, plain.owner != Some(roots())),
    };
    File {
        content: first.filter(is_wanted).unwrap_or(plain).content.clone(),
        mode: plain.mode.filter(|_| whole && mode),
        owner: plain.owner.clone().filter(|_| whole && owner),
        ..plain.clone()
    }
}

/// Who runs, and has read what stands on disk, has read it whatever a document says of it.
fn units(seen: &Seen, scope: &Scope<'_>, files: &Set<File>) -> Set<Unit> {
    let owned = &scope.inventory.owned.units;
    let running = seen.plain.units.iter();
    let told = running.filter_map(|it| match scope.desired.units.get(&it.name) {
        None => owned.contains(&it.name).then(|| it.clone()),
        Some(wanted) => {
            let first = seen.state.units.get(&it.name);
            let is_current = first.is_some_and(|it| it.config.is_some());
            let read = files
                .iter()
                .filter(|file| wanted.reads.contains(&file.key.path));
            let read = read.filter(|file| scope.desired.files.contains(&file.key));
            let read: Vec<_> = read
                .map(|it| (it.key.path.as_str(), it.content.shown()))
                .collect();
            let read = read.iter().map(|(path, text)| (*path, text.as_str()));
            Some(Unit {
                config: is_current.then(|| wanted.digest(read)),
                ..wanted.clone()
            })
        }
    });
    told.collect()
}

impl Seen {
    /// What these changes make, and whether it was there nobody looked: it counts as absent.
    pub fn unknown(&self, changes: &[Change]) -> Option<Warning> {
        let made = changes.iter().filter(|it| it.verb() == Verb::Create);
        let unknown = made.filter(|it| is_asked_for(it) && !self.looked_for.contains(it));
        let named = some_of(unknown.map(|it| format!("{} {}", it.kind().word(), it.name())))?;
        Some(Warning::note(format!(
            "not looked for when the snapshot was taken, so it is unknown whether it is there: {named}"
        )))
    }
}

/// Of other kinds everything is listed, whoever asks.
fn is_asked_for(change: &Change) -> bool {
    match change {
        Change::File(_) | Change::Unit(_) => true,
        Change::Route(delta) => delta.subject().key.table != MAIN,
        _ => false,
    }
}
