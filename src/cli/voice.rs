//! Who is spoken to. What people read can be turned off; what was asked for as data cannot.

use clap::Args;

use super::{print, put};
use crate::error::Error;
use crate::host::followed::Followed;
use crate::host::linux::LinuxHost;

/// How much people are told.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Voice {
    /// Print only what is for programs, such as `--format json`; refusals, warnings and failures go to standard error.
    /// What changes the machine needs --yes.
    #[arg(long, short, global = true)]
    quiet: bool,
}

impl Voice {
    /// For whoever wants to know.
    pub fn say(self, text: &str) {
        if !self.quiet {
            print(text);
        }
    }

    /// For somebody, in any case.
    pub fn insist(self, text: &str) {
        match self.quiet {
            false => print(text),
            true => put(std::io::stderr().lock(), text),
        }
    }

    /// The first for whoever wants to know, and of it the second for somebody in any case.
    pub fn tell(self, all: impl FnOnce() -> String, urgent: impl FnOnce() -> String) {
        match self.quiet {
            false => print(&all()),
            true => self.insist(&urgent()),
        }
    }

    /// This machine; at a terminal it is said what it is at.
    pub fn machine(self) -> Followed<LinuxHost> {
        match self.quiet {
            false => Followed::on_terminal(LinuxHost::new()),
            true => Followed::by_nobody(LinuxHost::new()),
        }
    }

    /// A question without its plan cannot be answered; it is said before anything is done.
    pub fn is_answered(self, yes: bool) -> Result<(), Error> {
        match self.quiet && !yes {
            true => Err(Error::Usage(
                "with --quiet nobody is shown what would be asked: say --yes, too".to_owned(),
            )),
            false => Ok(()),
        }
    }
}
