//! Document and node to the state of this node: every default is resolved here, and only here. Pure.
//!
//! ```text
//!  Document ─┐                      ┌─▶ links, addresses, routes, services, destinations
//!  director ─┼─▶ Node, Machines ────┼─▶ what follows from them: modules, sysctls, our nftables table
//!  Facts    ─┘                      └─▶ files (one renderer each, in `render/`) and the units that read them
//! ```

mod addresses;
pub mod armed;
mod backend;
mod boot;
mod dhcp;
mod facts;
pub mod files;
mod firewall;
mod hosts;
mod installations;
mod links;
mod machines;
pub mod modules;
mod names;
mod node;
mod places;
mod plain;
mod pools;
mod ports;
mod problem;
mod render;
mod routes;
mod services;
mod ssh;
mod sysctls;
mod template;
mod words;

#[cfg(test)]
mod tests;

pub use addresses::External;
pub use boot::{Sources, WEB_LOG, sources};
pub use facts::{Backend, DhcpServer, Facts, HostsFile, OLDEST_KEA, Origin, PublicKey, Standing};
pub use names::Names;
pub use problem::Problem;
pub use services::protocols_of;

use crate::delta::Set;
use crate::document::{self, Document};
use crate::lint::Warning;
use crate::resources::State;
use crate::resources::timeouts::Timeouts;

use machines::Machines;
use node::Node;
use problem::Findings;

/// What one director is to be.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// Everything we manage on it.
    pub state: State,
    /// What the document calls things; for output only, so that renaming changes nothing.
    pub names: Names,
    /// Addresses that others set: looked at, never touched.
    pub external: Vec<External>,
    /// What is allowed and probably not meant, with what the document silences.
    pub warnings: Vec<Warning>,
    /// What was left to us, and how it was decided.
    pub choices: Vec<String>,
    /// The IPVS table is ours alone.
    pub exclusive: bool,
}

/// What `document` means for the director called `director`, on a machine of which `facts` are known.
///
/// # Errors
/// All problems that only the node can tell, together.
pub fn resolve(
    document: &Document,
    director: &str,
    facts: &Facts,
) -> Result<Desired, Vec<Problem>> {
    // A document without directors asks for nothing; that it then deletes too much is a guard's to say.
    if document.directors.is_empty() {
        return Ok(Desired::default());
    }
    let node = Node::find(document, director).map_err(|problem| vec![problem])?;
    let mut findings = Findings::default();
    let mut desired = resolved(&node, facts, &mut findings);
    match findings {
        Findings {
            problems,
            warnings,
            choices,
        } if problems.is_empty() => {
            desired.warnings = warnings;
            desired.choices = choices;
            Ok(desired)
        }
        Findings { problems, .. } => Err(problems),
    }
}

/// The generated files, as they may be shown: path and content, secrets not resolved.
pub fn render(desired: &Desired) -> impl Iterator<Item = (&str, String)> {
    let files = desired.state.files.iter();
    files.map(|file| (file.key.path.as_str(), file.content.shown()))
}

fn resolved(node: &Node, facts: &Facts, findings: &mut Findings) -> Desired {
    let machines = Machines::of(&node.document.real_servers);
    let balanced = services::balanced(node, &machines, findings);
    let sysctls = sysctls::sysctls(node, &balanced);
    let modules = modules::modules(node, &balanced);
    let files = files::Files::of(node, &machines, facts, &balanced, findings)
        .with_boot_files(&modules, &sysctls)
        .with_plain_files(node, findings);
    let ipvs = node.document.ipvs.as_ref();
    Desired {
        names: Names::of(node, balanced.names),
        external: addresses::external(node),
        warnings: Vec::new(),
        choices: Vec::new(),
        exclusive: ipvs.and_then(|it| it.exclusive).unwrap_or(false),
        state: State {
            links: links::links(node),
            nftables: firewall::table(node, findings).into_iter().collect(),
            addresses: addresses::addresses(node, findings),
            routes: routes::routes(node, findings),
            timeouts: ipvs.and_then(timeouts).into_iter().collect(),
            virtual_services: balanced.services.into_iter().collect(),
            destinations: Set::of_pairs(balanced.destinations),
            modules,
            sysctls,
            files: files.files,
            units: files.units,
        },
    }
}

/// Those that the document states.
fn timeouts(ipvs: &document::Ipvs) -> Option<Timeouts> {
    let document::Timeouts {
        tcp_seconds,
        tcp_fin_seconds,
        udp_seconds,
    } = ipvs.timeouts.as_ref()?;
    // Of none there is nothing to set.
    tcp_seconds.or(*tcp_fin_seconds).or(*udp_seconds)?;
    Some(Timeouts {
        tcp_seconds: tcp_seconds.map(|it| it.get()),
        tcp_fin_seconds: tcp_fin_seconds.map(|it| it.get()),
        udp_seconds: udp_seconds.map(|it| it.get()),
    })
}
