//! What a look at the machine tells.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use super::{Code, Warning};
use crate::cycle::Turn;
use crate::desired::Desired;
use crate::host::linux::facts::{self, hears};
use crate::host::linux::sockets::{Socket, Transport};
use crate::ipvs::{Protocol, ServiceId};

/// An inventory that was set aside.
pub fn lost_inventory(file: &Path) -> Warning {
    let message = format!(
        "an inventory cannot be read, {}: what carries no mark of ours counts as somebody else's until \
         `lvs-reconcile adopt`; remove the file when that is done",
        file.display()
    );
    Warning::new(Code::LostInventory, message)
}

/// Addresses that somebody else sets and that are not there: a warning, never a change.
pub fn missing(desired: &Desired, turn: &Turn) -> Option<Warning> {
    let there: BTreeSet<IpAddr> = turn
        .seen
        .state
        .addresses
        .keys()
        .map(|it| it.address)
        .collect();
    let absent = desired.external.iter().map(|it| it.address);
    let absent: Vec<_> = absent.filter(|it| !there.contains(it)).collect();
    let named = some_of(absent.iter().map(ToString::to_string))?;
    let message = format!("not on this machine now, and left to those who set it: {named}");
    Some(Warning::new(Code::MissingAddress, message))
}

/// Services on whose VIP and port a program of this machine listens itself: its clients are balanced instead.
pub fn listening(desired: &Desired) -> Option<Warning> {
    let ids = || desired.state.virtual_services.keys();
    let mut transports: Vec<_> = ids().filter_map(transport).collect();
    transports.sort_unstable();
    transports.dedup();
    let listeners = facts::listeners(&transports);
    let heard = |id: &&ServiceId| listeners.iter().any(|it| is_heard(id, it));
    let services = ids().filter(heard);
    let services: Vec<String> = services.map(|it| name_of(it, desired)).collect();
    let named = some_of(services.iter().cloned())?;
    let own = desired.state.addresses.keys().find(|it| !it.is_vip())?;
    let message = format!(
        "a program of this machine listens on the port of {named}; clients of the VIP reach the real servers, those of {} reach this machine",
        own.address
    );
    let warning = Warning::new(Code::LocalListener, message);
    Some(services.into_iter().fold(warning, Warning::about))
}

fn name_of(id: &ServiceId, desired: &Desired) -> String {
    let name = desired.names.service(id).map(str::to_owned);
    name.unwrap_or_else(|| id.to_string())
}

fn transport(id: &ServiceId) -> Option<Transport> {
    match id {
        ServiceId::Address { protocol, .. } => match protocol {
            Protocol::Tcp => Some(Transport::Tcp),
            Protocol::Udp => Some(Transport::Udp),
            Protocol::Sctp => None,
        },
        ServiceId::FirewallMark { .. } => None,
    }
}

fn is_heard(id: &ServiceId, by: &Socket) -> bool {
    let ServiceId::Address { address, port, .. } = *id else {
        return false;
    };
    transport(id) == Some(by.transport) && hears(by, address, port)
}

/// The first few, and how many more.
fn some_of(mut all: impl Iterator<Item = String>) -> Option<String> {
    let mut shown: Vec<_> = all.by_ref().take(4).collect();
    let more = all.count();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    (!shown.is_empty()).then(|| shown.join(", "))
}
