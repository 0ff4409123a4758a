//! The public entry: open, execute commands, ask single questions. Whole tables are read in `table`.

use super::batch::{Batch, Target};
use super::command::{Command, service_only};
use super::error::{Error, Refusal};
use super::members::MemberFile;
use super::netlink::{Netlink, Reply};
use super::service::{Flaw, parse_service};
use super::sockopt::OldInterface;
use super::table::GET_SERVICE;
use super::types::{Service, ServiceId, Timeouts};
use super::wire::{Attributes, Malformed, get_u16, get_u32, put};
use std::fmt;

const GET_CONFIG: u8 = 13;
const GET_INFO: u8 = 15;
/// The attribute that holds a service, in requests and replies.
pub(super) const SERVICE: u16 = 1;

/// The controller of generic netlink families.
const CONTROLLER: Target = Target {
    family: 0x10,
    command: 3,
};
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// A connection to the IPVS of one network namespace.
///
/// Not for sharing between threads; open one per thread.
#[derive(Debug)]
pub struct Client {
    pub(super) netlink: Netlink,
    pub(super) old: Option<OldInterface>,
    pub(super) members: Option<MemberFile>,
    batch: Batch,
    family: u16,
}

/// Sees each attribute of an answer.
type Take<'a> = &'a mut dyn FnMut(u16, &[u8]) -> Result<(), Malformed>;

/// Which IPVS the kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Version of IPVS itself: major, minor, patch (1.2.1 for the last fifteen years).
    pub ipvs: [u8; 3],
    /// Number of buckets of the connection table.
    pub connection_table_size: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.ipvs;
        write!(
            f,
            "{major}.{minor}.{patch} (size={})",
            self.connection_table_size
        )
    }
}

impl Client {
    /// Opens the sockets in the network namespace of the calling thread, where they stay.
    ///
    /// This asks for the netlink family `IPVS`, and **the kernel loads the module `ip_vs` to answer**. Look at
    /// `/proc/modules` first if a mere look must not change the machine.
    ///
    /// # Errors
    /// [`Error::NoFamily`] if the kernel has no IPVS; [`Error::Socket`] if there is no netlink. Missing rights show
    /// at the first request only.
    pub fn open() -> Result<Self, Error> {
        let operation = "open a netlink socket";
        let netlink = Netlink::open().map_err(|source| Error::Socket { operation, source })?;
        let mut client = Self {
            netlink,
            old: None,
            members: None,
            batch: Batch::default(),
            family: 0,
        };
        client.family = client.resolve()?;
        client.old = OldInterface::open();
        client.members = MemberFile::open();
        Ok(client)
    }

    fn resolve(&mut self) -> Result<u16, Error> {
        let mut family = None;
        let found = self.ask(
            CONTROLLER,
            "look for the netlink family IPVS",
            |out| put(out, FAMILY_NAME, b"IPVS\0"),
            &mut |kind, value| {
                if kind == FAMILY_ID {
                    family = Some(get_u16(value)?);
                }
                Ok(())
            },
        );
        match found {
            Err(Error::Refused {
                errno: libc::ENOENT,
                ..
            }) => Err(Error::NoFamily),
            Err(e) => Err(e),
            Ok(()) => family.ok_or(Error::NoFamily),
        }
    }

    /// Carries out all commands in order, also those after one that is refused, and returns one outcome for each.
    ///
    /// Many go out in one send. `Ok` means that the kernel has done it. If an answer is lost, those that it may
    /// concern are [`Refusal::Unknown`] and what follows is [`Refusal::NotAttempted`]: look again.
    pub fn execute(&mut self, commands: &[Command]) -> Vec<Result<(), Refusal>> {
        self.run(commands, |outcomes| outcomes.iter().any(is_unknown))
    }

    /// As [`Client::execute`], but sends nothing more after the batch (at most 64 commands) in which something was
    /// refused. Later commands of the same batch were carried out all the same, and their true outcome is
    /// returned; the rest is [`Refusal::NotAttempted`].
    pub fn execute_until_error(&mut self, commands: &[Command]) -> Vec<Result<(), Refusal>> {
        self.run(commands, |outcomes| outcomes.iter().any(Result::is_err))
    }

    fn run(
        &mut self,
        commands: &[Command],
        ends: fn(&[Result<(), Refusal>]) -> bool,
    ) -> Vec<Result<(), Refusal>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        while outcomes.len() < commands.len() {
            let start = outcomes.len();
            self.run_batch(&commands[start..], &mut outcomes);
            if ends(&outcomes[start..]) {
                break;
            }
        }
        outcomes.resize(commands.len(), Err(Refusal::NotAttempted));
        outcomes
    }

    /// Sends as many as fit and appends their outcomes. What is invalid is not sent and takes no place.
    fn run_batch(&mut self, commands: &[Command], outcomes: &mut Vec<Result<(), Refusal>>) {
        let mut sent = Vec::with_capacity(commands.len().min(64));
        self.batch.clear();
        for command in commands {
            if self.batch.is_full() {
                break;
            }
            match command.check() {
                Err(reason) => outcomes.push(Err(Refusal::Invalid(reason))),
                Ok(()) => {
                    let target = Target {
                        family: self.family,
                        command: command.number(),
                    };
                    self.batch.push(target, |out| command.encode(out));
                    sent.push(outcomes.len());
                    outcomes.push(Ok(()));
                }
            }
        }
        let gap = self.netlink.exchange(&mut self.batch, &mut |index, reply| {
            if let Reply::Refused(errno, message) = reply {
                outcomes[sent[index]] = Err(Refusal::Kernel { errno, message });
            }
        });
        if let Err(gap) = gap {
            let unsure = Refusal::Unknown(gap.to_string());
            for index in sent {
                outcomes[index] = outcomes[index].clone().and(Err(unsure.clone()));
            }
        }
    }

    /// Timeouts of idle connections.
    ///
    /// # Errors
    /// [`Error::Refused`] without the rights, [`Error::Socket`] or [`Error::Malformed`] if the answer is lost or broken.
    pub fn timeouts(&mut self) -> Result<Timeouts, Error> {
        let mut timeouts = Timeouts {
            tcp: 0,
            tcp_fin: 0,
            udp: 0,
        };
        self.ask(
            self.target(GET_CONFIG),
            "read the timeouts",
            |_| {},
            &mut |kind, value| {
                match kind {
                    4 => timeouts.tcp = get_u32(value)?,
                    5 => timeouts.tcp_fin = get_u32(value)?,
                    6 => timeouts.udp = get_u32(value)?,
                    _ => {}
                }
                Ok(())
            },
        )?;
        Ok(timeouts)
    }

    /// Version and size of the connection table.
    ///
    /// # Errors
    /// As for [`Client::timeouts`].
    pub fn info(&mut self) -> Result<Version, Error> {
        let (mut version, mut connection_table_size) = (0, 0);
        self.ask(
            self.target(GET_INFO),
            "read the version of IPVS",
            |_| {},
            &mut |kind, value| {
                match kind {
                    1 => version = get_u32(value)?,
                    2 => connection_table_size = get_u32(value)?,
                    _ => {}
                }
                Ok(())
            },
        )?;
        let [_, major, minor, patch] = version.to_be_bytes();
        Ok(Version {
            ipvs: [major, minor, patch],
            connection_table_size,
        })
    }

    /// True where the kernel has the old interface, so that IPv4 is read quickly.
    pub const fn has_old_interface(&self) -> bool {
        self.old.is_some()
    }

    /// Gives the kernel this little room (in bytes) for its answers, so that some are lost. For tests.
    ///
    /// # Errors
    /// [`Error::Socket`] if the kernel refuses.
    #[doc(hidden)]
    pub fn shrink_receive_buffer(&mut self, bytes: i32) -> Result<(), Error> {
        let operation = "shrink the receive buffer";
        let shrunk = self.netlink.shrink_receive_buffer(bytes);
        shrunk.map_err(|source| Error::Socket { operation, source })
    }

    /// A request of this family.
    pub(super) const fn target(&self, command: u8) -> Target {
        Target {
            family: self.family,
            command,
        }
    }

    /// One request; `take` sees each attribute of the answer.
    fn ask(
        &mut self,
        target: Target,
        operation: &'static str,
        body: impl FnOnce(&mut Vec<u8>),
        take: Take<'_>,
    ) -> Result<(), Error> {
        self.batch.clear();
        self.batch.push(target, body);
        let mut result = Err(Error::Malformed("a question was not answered"));
        let gap = self
            .netlink
            .exchange(&mut self.batch, &mut |_, reply| match reply {
                Reply::Content(bytes) => {
                    result = Attributes(bytes)
                        .try_for_each(|item| item.and_then(|(kind, value)| take(kind, value)))
                        .map_err(Error::from);
                }
                Reply::Refused(errno, message) => {
                    result = Err(Error::Refused {
                        operation,
                        errno,
                        message,
                    });
                }
            });
        gap.map_err(|gap| gap.during(operation)).and(result)
    }

    /// Asks for services one by one, many in one send, each exact at its moment: `None` if there is none.
    /// Those that cannot be expressed go to `unreadable`.
    pub(super) fn look_up(
        &mut self,
        ids: &[ServiceId],
        unreadable: &mut Vec<String>,
    ) -> Result<Vec<Option<Service>>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        // Half a batch: a reply takes up more of the receive buffer than an acknowledgement.
        for chunk in ids.chunks(32) {
            self.look_up_batch(chunk, &mut found, unreadable)?;
        }
        Ok(found)
    }

    fn look_up_batch(
        &mut self,
        ids: &[ServiceId],
        found: &mut Vec<Option<Service>>,
        unreadable: &mut Vec<String>,
    ) -> Result<(), Error> {
        let operation = "look up a service";
        let target = self.target(GET_SERVICE);
        self.batch.clear();
        for id in ids {
            self.batch.push(target, |out| service_only(out, *id));
        }
        let start = found.len();
        found.resize(start + ids.len(), None);
        let mut answered = 0;
        let mut result = Ok(());
        let gap = self.netlink.exchange(&mut self.batch, &mut |index, reply| {
            answered += 1;
            match reply {
                Reply::Content(bytes) => match one_service(bytes, unreadable) {
                    Ok(service) => found[start + index] = service,
                    Err(flaw) => result = Err(flaw.into()),
                },
                Reply::Refused(libc::ESRCH, _) => {}
                Reply::Refused(errno, message) => {
                    result = Err(Error::Refused {
                        operation,
                        errno,
                        message,
                    });
                }
            }
        });
        gap.map_err(|gap| gap.during(operation)).and(result)?;
        match answered == self.batch.count() {
            true => Ok(()),
            false => Err(Error::Malformed("a question was not answered")),
        }
    }
}

fn is_unknown(outcome: &Result<(), Refusal>) -> bool {
    matches!(outcome, Err(Refusal::Unknown(_)))
}

/// The service in one message; what cannot be expressed is noted and left out.
pub(super) fn one_service(
    bytes: &[u8],
    unreadable: &mut Vec<String>,
) -> Result<Option<Service>, Malformed> {
    for item in Attributes(bytes) {
        let (SERVICE, value) = item? else { continue };
        return match parse_service(value) {
            Ok(service) => Ok(Some(service)),
            Err(Flaw::Inexpressible(text)) => {
                unreadable.push(text);
                Ok(None)
            }
            Err(Flaw::Malformed(flaw)) => Err(flaw),
        };
    }
    Err(Malformed("a reply holds no service"))
}
