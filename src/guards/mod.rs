//! What must not happen, whatever the document says. Pure.

use std::fmt;

use crate::delta::{Delta, Nature, Resource, Set, Verb};
use crate::ipvs::{Family, ServiceId};
use crate::ownership::Judged;
use crate::resources::link::LinkKind;
use crate::resources::{Change, Kind, State};

pub mod management;

/// Why a plan is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else's object stands where the document wants another.
    Conflict { kind: Kind, name: String },
    /// The document names an interface that this machine does not have.
    NoInterface { name: String, existing: Vec<String> },
    /// So much would go that the document is more likely truncated than meant.
    MassDeletion { kind: Kind, going: usize, of: usize },
    /// With the last service of an address family the kernel takes its hooks away: whoever is connected is reset at
    /// once, where otherwise he is only not balanced any more (`ip_vs_unlink_service` in ip_vs_ctl.c).
    LastOfFamily { family: Family, going: usize },
    /// Nothing that we made would stay.
    Everything { going: usize },
}

/// How much may be deleted at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletions {
    /// Somebody looks at the plan: refuse when a large part of many objects would go, as octoDNS does.
    Reviewed,
    /// Nobody does: refuse a smaller part of fewer.
    Unattended,
    /// The operator said so.
    Allowed,
}

impl Deletions {
    /// From how many objects of a kind on a share of them counts, and how many percent may go; none when all may.
    fn limits(self) -> Option<(usize, usize)> {
        match self {
            Self::Reviewed => Some((10, 30)),
            Self::Unattended => Some((5, 20)),
            Self::Allowed => None,
        }
    }
}

/// What stands in the way of this plan; `existing` are the names of the machine's interfaces.
pub fn obstacles(judged: &Judged, existing: &[String]) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = judged.conflicts.iter().map(conflict).collect();
    let missing = |it| missing_interface(it, existing);
    refusals.extend(judged.changes.iter().filter_map(missing));
    refusals
}

fn conflict(change: &Change) -> Refusal {
    Refusal::Conflict {
        kind: change.kind(),
        name: change.name(),
    }
}

fn missing_interface(change: &Change, existing: &[String]) -> Option<Refusal> {
    let Change::Link(Delta::Create { to }) = change else {
        return None;
    };
    (to.kind == LinkKind::Physical).then(|| Refusal::NoInterface {
        name: to.name.clone(),
        existing: existing.to_vec(),
    })
}

/// Whether so much goes from `live` to `desired` that the document is more likely truncated than meant. Judged before
/// any drain is laid over it: what drains goes, too.
pub fn mass_deletions(
    changes: &[Change],
    live: &State,
    desired: &State,
    deletions: Deletions,
) -> Vec<Refusal> {
    let is = |verb| move |it: &&Change| it.verb() == verb;
    let going: Vec<_> = changes.iter().filter(is(Verb::Delete)).collect();
    let Some(limits) = deletions.limits().filter(|_| !going.is_empty()) else {
        return Vec::new();
    };
    if wants_nothing(desired) {
        return vec![Refusal::Everything { going: going.len() }];
    }
    let coming: Vec<_> = changes.iter().filter(is(Verb::Create)).collect();
    let kept = |kind| match kind {
        Kind::VirtualService => kept(&live.virtual_services, &desired.virtual_services),
        Kind::Destination => kept(&live.destinations, &desired.destinations),
        Kind::Address => kept(&live.addresses, &desired.addresses),
        _ => kept(&live.files, &desired.files),
    };
    let shares = GUARDED.into_iter().filter_map(|kind| {
        let count = |all: &[&Change]| all.iter().filter(|it| it.kind() == kind).count();
        share(kind, count(&going), count(&coming), || kept(kind), limits)
    });
    let families = [Family::V4, Family::V6];
    let last = families.map(|family| last_of(family, &going, desired));
    shares.chain(last.into_iter().flatten()).collect()
}

/// Kinds of which a cluster has many, and whose loss is felt.
const GUARDED: [Kind; 4] = [
    Kind::VirtualService,
    Kind::Destination,
    Kind::Address,
    Kind::File,
];

/// As an empty document does.
fn wants_nothing(desired: &State) -> bool {
    let made = |it: &Change| matches!(it.nature(), Nature::Made | Nature::Started);
    desired.virtual_services.is_empty() && !State::default().changes_to(desired).iter().any(made)
}

fn share(
    kind: Kind,
    going: usize,
    coming: usize,
    kept: impl Fn() -> usize,
    (few, percent): (usize, usize),
) -> Option<Refusal> {
    // Counting what stays takes a look at all of it.
    if going <= coming {
        return None;
    }
    let of = kept() + going;
    let most = of >= few && going * 100 > of * percent;
    most.then_some(Refusal::MassDeletion { kind, going, of })
}

fn last_of(family: Family, going: &[&Change], desired: &State) -> Option<Refusal> {
    let of_family = |id: &ServiceId| id.family() == family;
    let gone =
        |it: &&&Change| matches!(it, Change::VirtualService(it) if of_family(&it.subject().id));
    let going = going.iter().filter(gone).count();
    let stays = || desired.virtual_services.keys().any(of_family);
    (going > 0 && !stays()).then_some(Refusal::LastOfFamily { family, going })
}

fn kept<T: Resource>(live: &Set<T>, desired: &Set<T>) -> usize {
    live.keys().filter(|key| desired.contains(key)).count()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { kind, name } => write!(
                f,
                "{} {name} exists, is not ours, and differs from the document; remove it, make the document agree \
                 with it, or take it over with `--adopt '{} {name}'`",
                kind.word(),
                kind.word()
            ),
            Self::NoInterface { name, existing } => write!(
                f,
                "there is no interface {name} on this machine; it has: {}",
                existing.join(", ")
            ),
            Self::MassDeletion { kind, going, of } => write!(
                f,
                "{going} of {of} {}s would be deleted; {MEANT}",
                kind.word()
            ),
            Self::LastOfFamily { family, going } => write!(
                f,
                "{going} of {going} {} services would be deleted, and whoever is connected through them is reset at \
                 once; {MEANT}",
                match family {
                    Family::V4 => "IPv4",
                    Family::V6 => "IPv6",
                }
            ),
            Self::Everything { going } => write!(
                f,
                "{going} of {going} objects of ours would be deleted; {MEANT}"
            ),
        }
    }
}

const MEANT: &str = "if the document is meant, run `lvs-reconcile apply --allow-mass-delete`";
