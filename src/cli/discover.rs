//! `discover`: machines that asked for an address and are in no document.

use std::path::Path;

use clap::Args;

use super::voice::Voice;
use super::{Format, Target, print_json};
use crate::error::{Error, Success};
use crate::host::linux::leases;
use crate::journal::seconds_since_1970;
use crate::output::strangers::Strangers;
use crate::session::{DOCUMENT, load};
use crate::source::Trust;

const ABOUT: &str = "\
Examples:
  lvs-reconcile discover                    power a new machine on, wait until it asks, and look
  lvs-reconcile discover --format json cluster.json

Listed is every machine to which a DHCP server of this director gave a lease, as far as it still
knows, and whose MAC no real server of the document has; the newest first. Each line ends in
what to type: `adopt-machine` adds the machine to the document. A lease that has expired counts
too; dnsmasq forgets those.

Read are the lease files of ISC dhcpd, Kea and dnsmasq, where Debian and Red Hat keep them,
whichever of them serves now. The host name is what the machine says of itself.";

/// Arguments of `discover`.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct Discover {
    #[command(flatten)]
    target: Target,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    voice: Voice,
}

impl Discover {
    pub fn run(self) -> Result<Success, Error> {
        let loaded = load(&self.target, Trust::Any)?;
        let leases = leases::read(Path::new("/"))?;
        let path = self.target.document.to_string_lossy();
        let strangers = Strangers {
            leases: &leases,
            document: &loaded.document,
            path: Some(&*path).filter(|it| *it != DOCUMENT),
            now: seconds_since_1970(),
        };
        match self.format {
            Format::Text => self.voice.say(&strangers.text()),
            Format::Json => print_json(&strangers.json()),
        }
        Ok(Success::Done)
    }
}
