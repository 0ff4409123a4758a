//! IPVS of this machine: one reading per look, and commands with an outcome each.

use std::collections::{BTreeMap, BTreeSet};

use super::{LinuxHost, modules};
use crate::delta::{Resource, Set};
use crate::host::{Connections, HostError, Outcome, Scope, Since};
use crate::ipvs::{self, Client, Command, Error, Refusal, ServiceId, Table, Timeouts};
use crate::plan::Step;
use crate::resources::Change;
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::virtual_service::VirtualService;

/// Reading one service by its key costs as much as so many when the whole table is read.
const POINT_READ: usize = 16;

/// The two kinds that one reading gives.
#[derive(Debug, Default)]
pub(crate) struct Balanced {
    pub services: Set<VirtualService>,
    pub destinations: Set<Destination>,
}

/// The whole table, read once per look and without overlooking a wanted service; each kind takes its own out. Empty
/// when the kernel has no IPVS, or when only asking would load it: what is not loaded holds nothing.
pub(crate) fn table<'h>(
    host: &'h mut LinuxHost,
    scope: &Scope<'_>,
) -> Result<&'h mut Balanced, HostError> {
    if host.look.balanced.is_none() {
        let balanced = read(host, scope)?;
        host.look.balanced = Some(balanced);
    }
    Ok(host.look.balanced.get_or_insert_default())
}

fn read(host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Balanced, HostError> {
    let touched = scope.since.and_then(|it| Some((it, few_touched(it)?)));
    let wanted = scope.desired.virtual_services.keys().copied();
    let owned = scope.inventory.owned.virtual_services.iter().copied();
    let Some(client) = look(host)? else {
        return Ok(Balanced::default());
    };
    let table = match &touched {
        Some((_, ids)) => client.read_only(ids),
        None => client.read(&mut wanted.chain(owned)),
    };
    let table = table.map_err(|error| HostError::new("cannot read the IPVS table", error))?;
    table.unreadable.iter().for_each(|it| host.note(it.clone()));
    Ok(match touched {
        Some((since, ids)) => Balanced::since(since, &ids, &table),
        None => Balanced::of(&table),
    })
}

/// The services that the steps touched, when they are few of many.
fn few_touched(since: Since<'_>) -> Option<Vec<ServiceId>> {
    let all = since.state.virtual_services.len();
    if since.steps.len() * POINT_READ > all {
        return None;
    }
    let ids: BTreeSet<_> = since.steps.iter().filter_map(touched).collect();
    Some(ids.into_iter().collect())
}

fn touched(step: &Step) -> Option<ServiceId> {
    match &step.change {
        Change::VirtualService(delta) => Some(delta.subject().id),
        Change::Destination(delta) => Some(delta.subject().service),
        _ => None,
    }
}

impl Balanced {
    fn of(table: &Table) -> Self {
        let count = table.services.iter().map(|(_, list)| list.len()).sum();
        let mut destinations = Vec::with_capacity(count);
        destinations.extend(table.services.iter().flat_map(|(service, list)| {
            let at = |at: &ipvs::Destination| Destination {
                service: service.id,
                at: *at,
            };
            list.iter().map(at).map(|it| (it.key(), it))
        }));
        Self {
            services: table.services.iter().map(|(service, _)| *service).collect(),
            destinations: Set::of_pairs(destinations),
        }
    }

    /// The state as it was, with `table` in the place of the services `ids`, which are sorted.
    fn since(since: Since<'_>, ids: &[ServiceId], table: &Table) -> Self {
        let Self {
            services,
            destinations,
        } = Self::of(table);
        let untouched = |id: &ServiceId| ids.binary_search(id).is_err();
        let mut balanced = Self {
            services: since.state.virtual_services.clone(),
            destinations: since.state.destinations.clone(),
        };
        balanced.services.retain(untouched);
        balanced.destinations.retain(|key| untouched(&key.service));
        balanced.services.merge(services);
        balanced.destinations.merge(destinations);
        balanced
    }
}

/// The timeouts, when there is IPVS.
pub(crate) fn timeouts(host: &mut LinuxHost) -> Result<Option<Timeouts>, HostError> {
    look(host)?
        .map(|client| client.timeouts())
        .transpose()
        .map_err(|error| HostError::new("cannot read the IPVS timeouts", error))
}

/// How many connections each destination holds.
pub(crate) fn connections(
    host: &mut LinuxHost,
) -> Result<BTreeMap<DestinationKey, Connections>, HostError> {
    let Some(client) = look(host)? else {
        return Ok(BTreeMap::new());
    };
    let services = client
        .counters()
        .map_err(|error| HostError::new("cannot count the connections of IPVS", error))?;
    let of_service = services.into_iter().flat_map(|(service, _, destinations)| {
        destinations.into_iter().map(move |(address, port, it)| {
            let key = DestinationKey {
                service,
                address,
                port,
            };
            let (active, inactive) = (it.active.into(), it.inactive.into());
            (key, Connections { active, inactive })
        })
    });
    Ok(of_service.collect())
}

/// The client, unless opening it would load `ip_vs`.
fn look(host: &mut LinuxHost) -> Result<Option<&mut Client>, HostError> {
    if host.ipvs.is_none() {
        if modules::would_load("ip_vs") {
            return Ok(None);
        }
        match Client::open() {
            Ok(client) => host.ipvs = Some(client),
            Err(Error::NoFamily) => return Ok(None),
            Err(error) => return Err(HostError::new("cannot reach IPVS", error)),
        }
    }
    Ok(host.ipvs.as_mut())
}

fn open(host: &mut LinuxHost) -> Result<&mut Client, HostError> {
    match &mut host.ipvs {
        Some(client) => Ok(client),
        closed => {
            let client =
                Client::open().map_err(|error| HostError::new("cannot reach IPVS", error))?;
            Ok(closed.insert(client))
        }
    }
}

/// Carries commands out, in order, many in one send. What is not attempted after a failure has no outcome.
pub(crate) fn execute(host: &mut LinuxHost, commands: &[Command]) -> Vec<Outcome> {
    let client = match open(host) {
        Ok(client) => client,
        Err(error) => return vec![Outcome::Failed(error)],
    };
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(commands.len());
    // What was done already is no failure, but the layer below stops at it.
    while let Some(rest) = commands.get(outcomes.len()..).filter(|it| !it.is_empty()) {
        let results = client.execute_until_error(rest);
        let sent: Vec<_> = rest
            .iter()
            .zip(results)
            .take_while(|(_, it)| *it != Err(Refusal::NotAttempted))
            .collect();
        let stuck = sent.is_empty();
        for (command, result) in sent {
            outcomes.push(outcome(client, command, result));
        }
        if stuck
            || outcomes
                .iter()
                .any(|it| !matches!(it, Outcome::Done | Outcome::AlreadySo))
        {
            break;
        }
    }
    outcomes
}

fn outcome(client: &mut Client, command: &Command, result: Result<(), Refusal>) -> Outcome {
    let refusal = match result {
        Ok(()) => return Outcome::Done,
        Err(Refusal::Unknown(_)) => return Outcome::Unknown,
        Err(Refusal::NotAttempted) => return Outcome::NotAttempted,
        Err(refusal) => refusal,
    };
    let so = match refusal.errno() {
        Some(libc::EEXIST) => is_so(client, command),
        Some(libc::ENOENT | libc::ESRCH) => is_removal(command),
        _ => false,
    };
    if so {
        return Outcome::AlreadySo;
    }
    Outcome::Failed(HostError::new(
        format!("cannot {command}"),
        refusal.explain(command),
    ))
}

fn is_removal(command: &Command) -> bool {
    matches!(
        command,
        Command::DeleteService(_) | Command::DeleteDestination(..)
    )
}

/// Somebody was faster; what counts is whether it is what we want.
fn is_so(client: &mut Client, command: &Command) -> bool {
    let mut read = |id: ServiceId| client.read_only(&[id]).unwrap_or_default().services;
    match command {
        Command::NewService(wanted) => read(wanted.id).iter().any(|(it, _)| it == wanted),
        Command::NewDestination(id, wanted) => {
            let services = read(*id);
            services
                .iter()
                .any(|(_, destinations)| destinations.contains(wanted))
        }
        _ => false,
    }
}
