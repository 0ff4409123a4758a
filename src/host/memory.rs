//! A host made of a `State`, as strict as the kernel: it refuses what the kernel refuses, and takes away by the way
//! what the kernel takes away.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Connections, Host, HostError, Observation, Outcome, Scope};
use crate::delta::{Delta, Resource, Set, Verb};
use crate::plan::Step;
use crate::resources::address::Address;
use crate::resources::destination::DestinationKey;
use crate::resources::link::{Link, LinkKind};
use crate::resources::route::Route;
use crate::resources::{Change, State};

/// A machine in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryHost {
    pub state: State,
    /// The step that is refused, counted from 0 over the life of the host.
    pub refuse_at: Option<usize>,
    /// Steps taken so far.
    pub taken: usize,
    /// Connections of destinations, for drains.
    pub connections: BTreeMap<DestinationKey, Connections>,
}

impl MemoryHost {
    /// A machine in this state.
    pub fn new(state: State) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }

    fn take(&mut self, change: &Change) -> Outcome {
        let at = self.taken;
        self.taken += 1;
        if self.refuse_at == Some(at) {
            return refused(change, "refused by the test");
        }
        match self.complaint(change) {
            Some(reason) => refused(change, reason),
            None if change.verb() == Verb::Delete && self.state.value_of(change).is_none() => {
                Outcome::AlreadySo
            }
            None => {
                self.state.perform(change);
                self.consequences(change);
                Outcome::Done
            }
        }
    }

    /// What the kernel would say against it.
    fn complaint(&self, change: &Change) -> Option<&'static str> {
        let exists = self.state.value_of(change).is_some();
        match (change.verb(), exists) {
            (Verb::Create, true) => return Some("file exists (EEXIST)"),
            (Verb::Update | Verb::Replace, false) => return Some("no such object (ENOENT)"),
            _ => {}
        }
        match change {
            Change::Destination(Delta::Create { to }) => {
                (!self.state.virtual_services.contains(&to.service))
                    .then_some("no such service (ESRCH)")
            }
            Change::VirtualService(Delta::Create { .. }) => {
                (!self.has_module("ip_vs")).then_some("no IPVS in this kernel")
            }
            Change::Sysctl(delta) => {
                let missing = delta.subject().key.path().starts_with("net/ipv4/vs/")
                    && !self.has_module("ip_vs");
                missing.then_some("no such file (ENOENT)")
            }
            Change::Address(Delta::Create { to }) => self
                .state
                .links
                .get(&to.key.interface)
                .is_none()
                .then_some("no such device (ENODEV)"),
            Change::Route(Delta::Create { to } | Delta::Update { to, .. }) => self.unroutable(to),
            Change::Link(Delta::Create { to }) => self.unmakeable(to),
            _ => None,
        }
    }

    fn has_module(&self, name: &str) -> bool {
        self.state.modules.iter().any(|it| it.name.0 == name)
    }

    fn unroutable(&self, route: &Route) -> Option<&'static str> {
        let up = self
            .state
            .links
            .get(&route.interface)
            .is_some_and(|it| it.up);
        let reached = route
            .via
            .is_none_or(|via| self.reaches(&route.interface, via));
        match (up, reached) {
            (false, _) => Some("network is down (ENETDOWN)"),
            (_, false) => Some("nexthop has invalid gateway (EINVAL)"),
            _ => None,
        }
    }

    fn reaches(&self, interface: &str, gateway: IpAddr) -> bool {
        self.state.addresses.iter().any(|it| {
            it.key.interface == interface && network(it).is_some_and(|net| net.contains(&gateway))
        })
    }

    fn unmakeable(&self, link: &Link) -> Option<&'static str> {
        match &link.kind {
            LinkKind::Physical => Some("a network card cannot be made"),
            LinkKind::Vlan { parent, .. } if !self.state.links.contains(parent) => {
                Some("no such device (ENODEV)")
            }
            _ => None,
        }
    }

    /// What goes, or comes, along with it.
    fn consequences(&mut self, change: &Change) {
        match change {
            Change::VirtualService(Delta::Delete { from }) => {
                retain(&mut self.state.destinations, |it| it.service != from.id);
            }
            Change::Link(Delta::Delete { from }) => {
                retain(&mut self.state.addresses, |it| {
                    it.key.interface != from.name
                });
                retain(&mut self.state.routes, |it| it.interface != from.name);
            }
            Change::Link(Delta::Update { from, to }) if from.up && !to.up => {
                retain(&mut self.state.routes, |it| it.interface != from.name);
                let v6 = |it: &Address| it.key.interface == from.name && it.key.address.is_ipv6();
                retain(&mut self.state.addresses, |it| !v6(it));
            }
            Change::Address(Delta::Delete { from }) => self.forget_routes_through(from),
            _ => {}
        }
    }

    /// A gateway that no address reaches any more takes its routes along.
    fn forget_routes_through(&mut self, gone: &Address) {
        let lost: Vec<_> = self
            .state
            .routes
            .iter()
            .filter(|it| it.interface == gone.key.interface && self.unroutable(it).is_some())
            .map(Resource::key)
            .collect();
        for key in lost {
            self.state.routes.remove(&key);
        }
    }
}

fn network(address: &Address) -> Option<IpNet> {
    IpNet::new(address.key.address, address.key.prefix)
        .ok()
        .map(|net| net.trunc())
}

fn retain<T: Resource>(set: &mut Set<T>, keep: impl Fn(&T) -> bool) {
    let kept: Vec<T> = set.iter().filter(|it| keep(it)).cloned().collect();
    *set = kept.into_iter().collect();
}

fn refused(change: &Change, reason: &str) -> Outcome {
    let action = format!("cannot change {} {}", change.kind().word(), change.name());
    Outcome::Failed(HostError::new(action, reason))
}

impl Host for MemoryHost {
    async fn observe(&mut self, _scope: &Scope<'_>) -> Result<Observation, HostError> {
        Ok(Observation {
            state: self.state.clone(),
            ..Observation::default()
        })
    }

    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(run.len());
        for step in run {
            let failed = matches!(
                outcomes.last(),
                Some(Outcome::Failed(_) | Outcome::NotAttempted)
            );
            outcomes.push(if failed {
                Outcome::NotAttempted
            } else {
                self.take(&step.change)
            });
        }
        outcomes
    }

    async fn check(&mut self, _steps: &[Step]) -> Result<(), Vec<HostError>> {
        Ok(())
    }

    async fn connections(&mut self) -> Result<BTreeMap<DestinationKey, Connections>, HostError> {
        Ok(self.connections.clone())
    }

    async fn interfaces(&mut self) -> Result<Vec<String>, HostError> {
        Ok(self.state.links.keys().cloned().collect())
    }
}
