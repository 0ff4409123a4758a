//! `adopt-machine`: one entry more in the document.

use std::path::{Path, PathBuf};

use clap::Args;

use super::voice::Voice;
use crate::document::edit::{self, Added, Wanted};
use crate::document::{Address, Address6, Document, MacAddress, Name, Weight};
use crate::error::{Error, Success};
use crate::output::{diff, escaped};
use crate::resources::file::rewrite::rewrite;
use crate::session::{self, Loaded, Target};
use crate::source::Trust;

const ABOUT: &str = "\
Examples:
  lvs-reconcile discover                              whose MAC asked for an address
  lvs-reconcile adopt-machine 52:54:00:12:34:56       the next name, the next address
  lvs-reconcile adopt-machine 52:54:00:12:34:56 --name rs3 --like rs2 --dry-run
  lvs-reconcile adopt-machine 52:54:00:12:34:56 --name db1 --service mysql cluster.json

It edits the file of the document and nothing else: neither root nor a director is needed. The
entry goes behind the last one of realServers and is written as that one is; every other byte
stays. The edited document is checked as a whole before anything is written. When it would not
be right, all its problems are printed and the file stays as it is.

What the entry gets:
  name, mac   as given; without --name the one that follows the others: rs3 after rs1 and rs2
  address     as given, else the next one that is free after the highest of the real servers,
              in the network that DHCP serves, or without DHCP in the neighbour's. Passed over
              are what DHCP hands out, VIPs, addresses of directors, gateways, and those that
              end in .0 and .255
  address6    as given, else the next one that is free, when the neighbour has one
  kickstart   as given, else the neighbour's profile
  weight, tags, install
              not copied, unless --like names the real server that it is to be like
The neighbour is the one that --like names, else the last real server that has a MAC and is in
a network of a director.

A service that names its real servers, or picks them by a tag, does not balance to the machine
unless --service or --like says so; those that do not are listed. A service with neither
balances to every real server: to install the machine before it gets clients, give it
--weight 0, and remove that from the document afterwards.";

/// Arguments of `adopt-machine`.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub struct AdoptMachine {
    /// Its hardware address, as `discover` lists it.
    mac: MacAddress,
    /// The document: a file, which may be reached by symbolic links.
    #[arg(default_value = session::DOCUMENT, env = "LVS_RECONCILE_DOCUMENT")]
    document: PathBuf,
    /// Its host name. Default: the one that follows those of the other real servers.
    #[arg(long)]
    name: Option<Name>,
    /// Its address. Default: the next one that is free.
    #[arg(long)]
    address: Option<Address>,
    /// Its IPv6 address beside an IPv4 one. Default: the next one that is free, when its neighbour has one.
    #[arg(long)]
    address6: Option<Address6>,
    /// The real server that it is like: profile, weight, tags and what is different about its installation are copied.
    #[arg(long, value_name = "REAL SERVER")]
    like: Option<Name>,
    /// The profile that installs it. Default: its neighbour's.
    #[arg(long, value_name = "PROFILE")]
    kickstart: Option<Name>,
    /// Its share of new connections. Default: none is written, which means 1.
    #[arg(long, value_parser = weight)]
    weight: Option<Weight>,
    /// Add it to this service: to its real servers, or by its tag. May be given several times.
    #[arg(long, value_name = "SERVICE")]
    service: Vec<Name>,
    /// Show the change of the document, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    voice: Voice,
}

impl AdoptMachine {
    pub fn run(self) -> Result<Success, Error> {
        must_be_a_file(&self.document)?;
        let Loaded {
            content, document, ..
        } = session::load(&self.target(), Trust::Any)?;
        let before = String::from_utf8_lossy(&content.bytes);
        let wanted = self.wanted(&document)?;
        let added = edit::add_machine(&before, &content.name, &wanted)
            .map_err(|refusal| Error::Usage(refusal.to_string()))?;
        if !self.dry_run {
            rewrite(&self.document, &content.bytes, added.text.as_bytes())?;
        }
        self.voice
            .say(&changes(&self.document, (&before, &added.text)));
        self.voice.say(&self.remarks(&added, &document));
        Ok(Success::Done)
    }

    fn target(&self) -> Target {
        Target {
            document: self.document.clone(),
            node: None,
            state_dir: PathBuf::new(),
            lock: PathBuf::new(),
        }
    }

    fn wanted(&self, document: &Document) -> Result<Wanted, Error> {
        let next = || edit::next_names(document).next();
        let none = || {
            let text = "the names of the real servers follow no pattern; give one with --name";
            Error::Usage(text.to_owned())
        };
        Ok(Wanted {
            name: self.name.clone().or_else(next).ok_or_else(none)?,
            mac: self.mac,
            address: self.address,
            address6: self.address6,
            weight: self.weight,
            kickstart: self.kickstart.clone(),
            like: self.like.clone(),
            services: self.service.clone(),
        })
    }

    /// The services that do not balance to it, and how they would.
    fn outside(&self, added: &Added) -> String {
        const SHOWN: usize = 8;
        let names = added.outside.iter().map(Name::as_str);
        let mut shown: Vec<_> = names.take(SHOWN).map(str::to_owned).collect();
        if let more @ 1.. = added.outside.len() - shown.len() {
            shown.push(format!("{more} more"));
        }
        let fix = match self.dry_run {
            true => "--service NAME adds it",
            false => "add its name there, or their tag to it",
        };
        let name = &added.machine.name;
        format!(
            "note  {name} gets no clients of {}: they name their real servers, or pick them by a tag; {fix}\n",
            shown.join(", ")
        )
    }

    /// What is worth knowing, and what comes next.
    fn remarks(&self, added: &Added, document: &Document) -> String {
        let mut said: String = added
            .notes
            .iter()
            .map(|it| format!("note  {it}\n"))
            .collect();
        let name = &added.machine.name;
        if !added.outside.is_empty() {
            said += &self.outside(added);
        }
        if self.dry_run {
            return said + "nothing was written\n";
        }
        let path = shell_words::quote(&self.document.to_string_lossy()).into_owned();
        let path = escaped(&path);
        said += &format!("next  lvs-reconcile plan {path}\n      lvs-reconcile apply {path}\n");
        let boots = document
            .netboot
            .as_ref()
            .is_some_and(|it| it.boot.is_some());
        if boots {
            said += &format!("      lvs-reconcile arm {name}      then power it on\n");
        }
        said
    }
}

/// What comes through a pipe cannot be written back.
fn must_be_a_file(document: &Path) -> Result<(), Error> {
    let is_none = std::fs::metadata(document).is_ok_and(|it| !it.is_file());
    if is_none || document == Path::new("-") {
        return Err(Error::Usage(format!(
            "{} is no regular file, and cannot be edited; name the file that holds the document",
            escaped(&document.to_string_lossy())
        )));
    }
    Ok(())
}

fn changes(document: &Path, (before, after): (&str, &str)) -> String {
    let path = document.to_string_lossy();
    let path = path.trim_start_matches('/');
    diff::between(
        (before, &format!("a/{path}")),
        (after, &format!("b/{path}")),
    )
}

/// As the document judges it.
fn weight(text: &str) -> Result<Weight, String> {
    let wrong = |_| "write a number from 0 to 65535".to_owned();
    serde_json::from_str(text).map_err(wrong)
}
