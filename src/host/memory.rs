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

/// What goes wrong at one step.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It is refused, and nothing behind it in its run is attempted.
    Refuse,
    /// It is refused; what stands behind it in its run was on its way already, and is made.
    RefuseAmidst,
    /// The connection ends: neither it nor what stands behind it in its run is attempted.
    Stop,
    /// The process is killed before it, or, behind the last step, before the look that follows: the machine never
    /// answers, and whoever waits for it must be dropped.
    Die,
    /// It is made, and the answer is lost.
    LoseAnswer,
    /// It never arrives, and nobody says so.
    LoseRequest,
    /// It is made; from then on the machine cannot be looked at.
    GoBlind,
    /// It is made; right after it somebody else changes the machine.
    Interfere(fn(&mut State)),
}

/// A machine in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryHost {
    pub state: State,
    /// What goes wrong, by the number of the step, counted from 0 over the life of the host.
    pub faults: BTreeMap<usize, Fault>,
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

    fn take(&mut self, change: &Change, fault: Option<Fault>) -> Outcome {
        self.taken += 1;
        match fault {
            Some(Fault::Refuse | Fault::RefuseAmidst) => refused(change, "refused by the test"),
            Some(Fault::Stop) => Outcome::NotAttempted,
            Some(Fault::LoseRequest) => Outcome::Unknown,
            Some(Fault::LoseAnswer) => {
                self.make(change);
                Outcome::Unknown
            }
            Some(Fault::Interfere(somebody)) => {
                let outcome = self.make(change);
                somebody(&mut self.state);
                outcome
            }
            None | Some(Fault::Die | Fault::GoBlind) => self.make(change),
        }
    }

    /// True where the process is killed.
    fn is_dead(&self) -> bool {
        matches!(self.faults.get(&self.taken), Some(Fault::Die))
    }

    fn is_blind(&self) -> bool {
        let passed = self.faults.range(..self.taken);
        passed
            .into_iter()
            .any(|(_, it)| matches!(it, Fault::GoBlind))
    }

    fn make(&mut self, change: &Change) -> Outcome {
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

    /// A link-local gateway is on every link.
    fn reaches(&self, interface: &str, gateway: IpAddr) -> bool {
        let on_link = matches!(gateway, IpAddr::V6(it) if it.is_unicast_link_local());
        on_link
            || self.state.addresses.iter().any(|it| {
                it.key.interface == interface
                    && network(it).is_some_and(|net| net.contains(&gateway))
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
        if self.taken > 0 && self.is_dead() {
            std::future::pending::<()>().await;
        }
        if self.is_blind() {
            return Err(HostError::new(
                "cannot look at the machine",
                "blinded by the test",
            ));
        }
        Ok(Observation {
            state: self.state.clone(),
            ..Observation::default()
        })
    }

    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(run.len());
        let mut halted = false;
        for step in run {
            if halted {
                outcomes.push(Outcome::NotAttempted);
                continue;
            }
            let fault = self.faults.get(&self.taken).copied();
            if self.is_dead() {
                std::future::pending::<()>().await;
            }
            let outcome = self.take(&step.change, fault);
            halted = matches!(outcome, Outcome::Failed(_) | Outcome::NotAttempted)
                && !matches!(fault, Some(Fault::RefuseAmidst));
            outcomes.push(outcome);
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
