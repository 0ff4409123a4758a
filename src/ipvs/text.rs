//! The identity of a service as text, and back.

use super::types::{Family, Protocol, ServiceId};
use std::net::SocketAddr;
use std::str::FromStr;

/// Why a text is no [`ServiceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a service is `tcp 192.0.2.10:80`, `udp [2001:db8::1]:53`, `fwmark 7` or `fwmark 7 IPv6`")]
pub struct ServiceIdError;

/// Reads what [`ServiceId`] prints.
impl FromStr for ServiceId {
    type Err = ServiceIdError;

    fn from_str(text: &str) -> Result<Self, ServiceIdError> {
        let (word, rest) = text.split_once(' ').ok_or(ServiceIdError)?;
        let protocol = match word {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            "fwmark" => return firewall_mark(rest),
            _ => return Err(ServiceIdError),
        };
        let at: SocketAddr = rest.parse().map_err(|_| ServiceIdError)?;
        Ok(Self::Address {
            protocol,
            address: at.ip(),
            port: at.port(),
        })
    }
}

fn firewall_mark(text: &str) -> Result<ServiceId, ServiceIdError> {
    let (family, mark) = match text.strip_suffix(" IPv6") {
        Some(mark) => (Family::V6, mark),
        None => (Family::V4, text),
    };
    let mark = mark.parse().map_err(|_| ServiceIdError)?;
    Ok(ServiceId::FirewallMark { family, mark })
}

impl TryFrom<String> for ServiceId {
    type Error = ServiceIdError;
    fn try_from(text: String) -> Result<Self, ServiceIdError> {
        text.parse()
    }
}

impl From<ServiceId> for String {
    fn from(id: ServiceId) -> Self {
        id.to_string()
    }
}
