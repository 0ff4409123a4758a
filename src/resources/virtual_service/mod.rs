//! A virtual service: protocol, VIP and port, or a firewall mark, that the director balances.

use crate::delta::{Delta, Resource};
use crate::plan::Phase;
use crate::resources::OnFile;

pub mod apply;
pub mod observe;

/// A virtual service, as the kernel holds it.
pub use crate::ipvs::Service as VirtualService;
/// The identity of a virtual service.
pub use crate::ipvs::ServiceId;

impl OnFile for ServiceId {}

impl Resource for VirtualService {
    type Key = ServiceId;

    fn key(&self) -> ServiceId {
        self.id
    }

    /// `mh` rebuilds its whole table at every added destination, 22 times the work of the others: a new service
    /// is made with `rr`, filled, and switched while no VIP leads to it yet.
    fn steps(delta: Delta<Self>, mut step: impl FnMut(Phase, Delta<Self>)) {
        match delta {
            Delta::Create { to } if to.scheduler.as_str() == "mh" => {
                let filling = VirtualService {
                    scheduler: crate::ipvs::Name::literal("rr"),
                    scheduler_flags: 0,
                    ..to
                };
                let switch = Delta::Update {
                    from: Box::new(filling),
                    to,
                };
                step(Phase::Service, Delta::Create { to: filling });
                step(Phase::ServiceEdit, switch);
            }
            Delta::Create { .. } => step(Phase::Service, delta),
            Delta::Delete { .. } => step(Phase::ServiceRemove, delta),
            _ => step(Phase::ServiceEdit, delta),
        }
    }
}
