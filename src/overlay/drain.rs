//! A destination that was taken out of the document stays, quiesced, until its connections end or its time is up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delta::{Delta, Resource};
use crate::host::Connections;
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::{Change, State};

/// Time since boot, and which boot: clocks may jump, this one does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    pub boot_id: String,
    /// CLOCK_BOOTTIME, which goes on while the machine sleeps.
    pub seconds: u64,
}

/// One destination that drains, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    pub destination: DestinationKey,
    pub until: Moment,
}

/// The drains under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Drains(pub Vec<Drain>);

/// What happens to connections of a destination that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They may end by themselves, for this long.
    Wait(Duration),
    /// They are cut.
    Now,
}

/// The destinations of which `changes` would cut connections.
pub fn leaving(changes: &[Change]) -> BTreeSet<DestinationKey> {
    let gone = changes.iter().filter_map(|change| match change {
        Change::Destination(Delta::Delete { from }) => Some(from.key()),
        _ => None,
    });
    gone.collect()
}

impl Drains {
    /// Which of the leaving destinations go on draining at `now`: those with connections whose time is not up. A
    /// drain from before a reboot has no connections left to wait for, and starts anew if it has.
    pub fn continued(
        &self,
        leaving: &BTreeSet<DestinationKey>,
        connections: &BTreeMap<DestinationKey, Connections>,
        now: &Moment,
        limit: Duration,
    ) -> Self {
        let busy = |key: &&DestinationKey| {
            connections
                .get(key)
                .is_some_and(|it| it.active + it.inactive > 0)
        };
        let drains = leaving
            .iter()
            .filter(busy)
            .map(|key| self.drain_of(key, now, limit));
        Self(drains.filter(|it| it.until.seconds > now.seconds).collect())
    }

    fn drain_of(&self, key: &DestinationKey, now: &Moment, limit: Duration) -> Drain {
        let known = self
            .0
            .iter()
            .find(|it| it.destination == *key && it.until.boot_id == now.boot_id);
        known.cloned().unwrap_or_else(|| Drain {
            destination: *key,
            until: Moment {
                seconds: now.seconds.saturating_add(limit.as_secs()),
                ..now.clone()
            },
        })
    }

    /// `desired` with the draining destinations of `live` kept at weight 0, their services and VIPs with them.
    pub fn laid_over(&self, desired: &State, live: &State) -> State {
        let mut desired = desired.clone();
        for drain in &self.0 {
            if let Some(destination) = live.destinations.get(&drain.destination) {
                keep(&mut desired, live, destination);
            }
        }
        desired
    }
}

fn keep(desired: &mut State, live: &State, destination: &Destination) {
    let service = destination.service;
    if !desired.virtual_services.contains(&service) {
        desired
            .virtual_services
            .extend(live.virtual_services.get(&service).copied());
        let vip = |key: &crate::resources::address::AddressKey| matches!(service, crate::ipvs::ServiceId::Address { address, .. } if address == key.address);
        let missing = live
            .addresses
            .iter()
            .filter(|it| vip(&it.key) && !desired.addresses.contains(&it.key));
        let kept: Vec<_> = missing.cloned().collect();
        desired.addresses.extend(kept);
    }
    let mut quiesced = *destination;
    quiesced.at.weight = 0;
    desired.destinations.insert(quiesced);
}
