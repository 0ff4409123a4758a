//! This machine: the network namespace of the calling thread, its files and its daemons.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use crate::host::{Connections, Host, HostError, Observation, Outcome, Scope};
use crate::ipvs;
use crate::plan::Step;
use crate::resources::destination::DestinationKey;
use crate::resources::{self as kinds, Change, Keys, Kind, State};

pub mod arp;
pub mod attributes;
pub mod balancer;
pub mod child;
pub mod facts;
pub mod hosts;
pub mod kea;
pub mod leases;
pub mod links;
pub mod modules;
pub mod nfnl;
pub mod packet;
pub mod proc_sys;
pub mod public_key;
pub mod rivals;
pub mod rtnl;
pub mod sessions;
pub mod sockets;
pub mod web;

use links::Links;
use rtnl::Rtnl;

/// This machine. Connections to the kernel are opened when first used, and kept.
#[derive(Default)]
pub struct LinuxHost {
    rtnl: Option<Rtnl>,
    ipvs: Option<ipvs::Client>,
    look: Look,
    /// Our nftables table as it was last listed.
    pub(crate) nftables: kinds::nftables::observe::Memory,
}

/// What one look shares between the kinds.
#[derive(Default)]
struct Look {
    links: Option<Arc<Links>>,
    balanced: Option<balancer::Balanced>,
    marked: Keys,
    unreadable: Vec<String>,
}

impl LinuxHost {
    /// Opens nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The routing socket.
    pub(crate) fn rtnl(&mut self) -> Result<&mut Rtnl, HostError> {
        match &mut self.rtnl {
            Some(rtnl) => Ok(rtnl),
            closed => Ok(closed.insert(Rtnl::open()?)),
        }
    }

    /// The interfaces, listed once per look and once per run of steps.
    pub(crate) async fn links(&mut self) -> Result<Arc<Links>, HostError> {
        if let Some(links) = &self.look.links {
            return Ok(Arc::clone(links));
        }
        self.fresh_links().await
    }

    /// The interfaces, as they are now.
    pub(crate) async fn fresh_links(&mut self) -> Result<Arc<Links>, HostError> {
        let links = Arc::new(Links::read(self.rtnl()?).await?);
        self.look.links = Some(Arc::clone(&links));
        Ok(links)
    }

    /// Remembers that an object carries our mark.
    pub(crate) fn mark(&mut self, mark: impl FnOnce(&mut Keys) -> bool) {
        mark(&mut self.look.marked);
    }

    /// Remembers that something exists which we have no words for.
    pub(crate) fn note(&mut self, what: String) {
        self.look.unreadable.push(what);
    }
}

/// The deltas of one kind among some steps.
macro_rules! deltas {
    ($run:expr, $kind:ident) => {
        $run.iter()
            .filter_map(|step| match &step.change {
                Change::$kind(delta) => Some(delta),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}

impl Host for LinuxHost {
    async fn observe(&mut self, scope: &Scope<'_>) -> Result<Observation, HostError> {
        self.look = Look::default();
        let state = State {
            modules: kinds::module::observe::observe(self, scope).await?,
            links: kinds::link::observe::observe(self, scope).await?,
            nftables: kinds::nftables::observe::observe(self, scope).await?,
            sysctls: kinds::sysctl::observe::observe(self, scope).await?,
            addresses: kinds::address::observe::observe(self, scope).await?,
            routes: kinds::route::observe::observe(self, scope).await?,
            timeouts: kinds::timeouts::observe::observe(self, scope).await?,
            virtual_services: kinds::virtual_service::observe::observe(self, scope).await?,
            destinations: kinds::destination::observe::observe(self, scope).await?,
            files: kinds::file::observe::observe(self, scope).await?,
            units: kinds::unit::observe::observe(self, scope).await?,
        };
        let look = mem::take(&mut self.look);
        Ok(Observation {
            state,
            marked: look.marked,
            unreadable: look.unreadable,
        })
    }

    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome> {
        self.look = Look::default();
        let mut outcomes = apply_run(self, run).await;
        // A kind that stops after a failure says nothing of the rest.
        outcomes.resize_with(run.len(), || Outcome::NotAttempted);
        outcomes
    }

    async fn check(&mut self, steps: &[Step]) -> Result<(), Vec<HostError>> {
        let mut refusals = Vec::new();
        for table in deltas!(steps, Nftables).iter().filter_map(|it| it.to()) {
            refusals.extend(kinds::nftables::apply::check(table).await.err());
        }
        let files = kinds::file::check::check(&deltas!(steps, File)).await;
        refusals.extend(files.err());
        match refusals.is_empty() {
            true => Ok(()),
            false => Err(refusals),
        }
    }

    async fn connections(&mut self) -> Result<BTreeMap<DestinationKey, Connections>, HostError> {
        balancer::connections(self)
    }

    async fn interfaces(&mut self) -> Result<Vec<String>, HostError> {
        let links = self.fresh_links().await?;
        Ok(links.iter().map(|it| it.name.clone()).collect())
    }
}

async fn apply_run(host: &mut LinuxHost, run: &[Step]) -> Vec<Outcome> {
    let Some(first) = run.first() else {
        return Vec::new();
    };
    match first.change.kind() {
        Kind::Module => kinds::module::apply::apply(host, &deltas!(run, Module)).await,
        Kind::Link => kinds::link::apply::apply(host, &deltas!(run, Link)).await,
        Kind::Nftables => kinds::nftables::apply::apply(host, &deltas!(run, Nftables)).await,
        Kind::Sysctl => kinds::sysctl::apply::apply(host, &deltas!(run, Sysctl)).await,
        Kind::Address => kinds::address::apply::apply(host, &deltas!(run, Address)).await,
        Kind::Route => kinds::route::apply::apply(host, &deltas!(run, Route)).await,
        Kind::Timeouts => kinds::timeouts::apply::apply(host, &deltas!(run, Timeouts)).await,
        Kind::VirtualService => {
            kinds::virtual_service::apply::apply(host, &deltas!(run, VirtualService)).await
        }
        Kind::Destination => {
            kinds::destination::apply::apply(host, &deltas!(run, Destination)).await
        }
        Kind::File => kinds::file::apply::apply(host, &deltas!(run, File)).await,
        Kind::Unit => kinds::unit::apply::apply(host, &deltas!(run, Unit)).await,
    }
}
