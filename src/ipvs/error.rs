//! What can go wrong: with a reading ([`Error`]), with one command ([`Refusal`]).

use super::command::Command;
use super::types::{Forwarding, ServiceId};
use std::io;

/// Why a client could not be opened or a reading failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel has no IPVS and could not load it.
    #[error("the kernel has no IPVS: module ip_vs is not loaded and could not be loaded")]
    NoFamily,
    /// The kernel refused a reading. Without `CAP_NET_ADMIN` in the initial user namespace it is `EPERM`.
    #[error("cannot {operation}: {}{}", io::Error::from_raw_os_error(*errno), suffix(message))]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// The kernel's error number.
        errno: i32,
        /// The kernel's extended error text.
        message: Option<String>,
    },
    /// A system call on our own socket failed, or the reply did not come or did not fit.
    #[error("cannot {operation}: {source}")]
    Socket {
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel's reply breaks the rules of netlink or lacks what it must hold.
    #[error("malformed reply from the kernel: {0}")]
    Malformed(&'static str),
    /// Another process changes this service faster than it can be read consistently.
    #[error("the destinations of {0} change faster than they can be read")]
    Torn(ServiceId),
    /// Another process adds services faster than they can be listed.
    #[error("services are added faster than they can be listed")]
    Growing,
}

/// Why a command was not carried out, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The kernel said no; nothing was changed by this command.
    #[error("{}{}", io::Error::from_raw_os_error(*errno), suffix(message))]
    Kernel {
        /// The kernel's error number.
        errno: i32,
        /// The kernel's extended error text.
        message: Option<String>,
    },
    /// The value is outside of what the kernel can hold, so the command was not sent.
    #[error("{0}")]
    Invalid(&'static str),
    /// Sent, but the answer was lost: done or not done, look again.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// Not sent, because of what happened before it.
    #[error("not attempted")]
    NotAttempted,
}

fn suffix(message: &Option<String>) -> String {
    message
        .as_ref()
        .map_or_else(String::new, |m| format!(" ({m})"))
}

impl Refusal {
    /// The kernel's error number, if it answered.
    pub const fn errno(&self) -> Option<i32> {
        match self {
            Self::Kernel { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// What it means for this very command. The same number means different things for different commands.
    pub fn explain(&self, command: &Command) -> String {
        let Self::Kernel { errno, message } = self else {
            return self.to_string();
        };
        match meaning(*errno, command) {
            Some(text) => format!("{text}{}", suffix(message)),
            None => self.to_string(),
        }
    }
}

fn meaning(errno: i32, command: &Command) -> Option<String> {
    use Command as C;
    let plain = match (errno, command) {
        (libc::EPERM, _) => "needs CAP_NET_ADMIN in the initial user namespace",
        (libc::ESRCH, _) => "there is no such service",
        (libc::ENOENT, C::NewService(s) | C::SetService(s)) => return Some(no_module(s)),
        (libc::ENOENT, _) => "there is no such destination in the service",
        (libc::EEXIST, C::NewService(_)) => "the service exists already",
        (libc::EEXIST, _) => "the destination exists already in the service",
        (libc::ERANGE, _) => "weight or thresholds are out of range",
        (libc::EAFNOSUPPORT, _) => "the kernel's IPVS does not know this address family",
        (libc::EINVAL, C::NewService(_) | C::SetService(_)) => {
            "the scheduler or the kernel does not accept these settings of the service"
        }
        (libc::EINVAL, C::NewDestination(id, d) | C::SetDestination(id, d)) => {
            return Some(bad_destination(*id, d.address.is_ipv4(), d.forwarding));
        }
        (libc::EINVAL, C::SetTimeouts(_)) => "a timeout is out of range",
        _ => return None,
    };
    Some(plain.to_owned())
}

fn no_module(service: &super::Service) -> String {
    match service.engine {
        Some(engine) => format!(
            "there is no module for scheduler \"{}\" (ip_vs_{}) or for persistence engine \"{engine}\" (ip_vs_pe_{engine})",
            service.scheduler, service.scheduler
        ),
        None => format!(
            "there is no module for scheduler \"{}\" (ip_vs_{})",
            service.scheduler, service.scheduler
        ),
    }
}

fn bad_destination(id: ServiceId, is_ipv4: bool, forwarding: Forwarding) -> String {
    let same_family = (id.family() == super::Family::V4) == is_ipv4;
    match (same_family, forwarding) {
        (false, Forwarding::Tunnel(_)) => {
            "a destination of the other address family is refused while a synchronisation daemon runs, \
             or its address is not unicast with the addresses configured now"
        }
        (false, _) => "a destination of the other address family needs forwarding by tunnel",
        (true, _) => {
            "the address of the destination is not unicast with the addresses configured now \
             (are the interfaces and lo up?)"
        }
    }
    .to_owned()
}
