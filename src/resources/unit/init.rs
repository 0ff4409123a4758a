//! The two init systems: systemd, and the init scripts of those before it and of containers.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::time::ClockId;
use tokio::time::{Instant, sleep};

use crate::host::HostError;
use crate::host::linux::child::{self, Output, ask};
use crate::host::linux::facts::booted_by_systemd;

use super::process::{Moment, Process, ago};

/// systemd gives a unit 90 s to start unless the unit says otherwise.
const LIMIT: Duration = Duration::from_secs(100);

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// As the kernel names its process.
const KEA: &str = "kea-dhcp4";

/// Who starts and stops daemons here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Init {
    Systemd,
    Sysvinit,
}

/// What is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Start,
    Restart,
    Reload,
    Stop,
}

/// A unit that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    /// Which run of it this is; another one has read its files anew.
    pub(super) run: String,
    /// When it started, as far as that can be known.
    pub(super) started: Option<Moment>,
}

/// What a unit that we know really is: the init systems say "active" of a script whose daemon died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Daemon {
    Dhcpd,
    Kea,
    Dnsmasq,
    Nfsd,
    Unknown,
}

impl Command {
    /// As both init systems call it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::Stop => "stop",
        }
    }
}

impl Init {
    /// The one of this machine.
    pub(super) fn here() -> Self {
        match booted_by_systemd() {
            true => Self::Systemd,
            false => Self::Sysvinit,
        }
    }

    /// The unit as it runs now; `None` when it does not.
    pub(super) async fn running(self, unit: &str) -> Result<Option<Running>, HostError> {
        match self {
            Self::Systemd => {
                let name = format!("{unit}.service");
                let output =
                    child::run("systemctl", &["show", PROPERTIES, "--", &name], None).await?;
                Ok(shown(&output.text(), daemon(unit)))
            }
            Self::Sysvinit => match daemon(unit) {
                Daemon::Dhcpd => Ok(dhcpd()),
                Daemon::Kea => Ok(Process::named(KEA).map(|it| run_of(&it))),
                Daemon::Dnsmasq => Ok(dnsmasq().map(|it| run_of(&it))),
                Daemon::Nfsd => Ok(nfsd()),
                Daemon::Unknown => by_script(unit).await,
            },
        }
    }

    /// Asks for it. What was said is worth telling when the unit then does not run: scripts exit with 0 all the same.
    pub(super) async fn command(self, unit: &str, command: Command) -> Result<Output, String> {
        let word = command.word();
        let asked = match self {
            Self::Systemd => {
                same_network_as_systemd()?;
                // `start` does nothing for a unit that is active while its daemon is gone; `restart` starts as well.
                let word = match command {
                    Command::Stop | Command::Reload => word,
                    Command::Start | Command::Restart => Command::Restart.word(),
                };
                let name = format!("{unit}.service");
                ask(
                    "systemctl",
                    &["--no-ask-password", word, "--", &name],
                    None,
                    LIMIT,
                )
                .await
            }
            Self::Sysvinit => {
                if daemon(unit) == Daemon::Kea {
                    make_way_for_kea(command).await?;
                }
                ask("service", &[unit, word], None, LIMIT).await
            }
        };
        if self == Self::Sysvinit && command == Command::Stop && nfsd_serves(unit) {
            // Debian's script signals the kernel's threads, which does not end them (seen on Linux 6.1); this is the
            // way of rpc.nfsd(8).
            let told = child::run("rpc.nfsd", &["0"], None).await;
            told.map_err(|error| error.to_string())?;
        }
        let output = asked.map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(output),
            false => Err(format!("it said: {}", words(&output))),
        }
    }

    /// Signals the daemon itself. systemd does it for us: its sandbox keeps us from processes of others.
    pub(super) async fn hang_up(self, unit: &str) -> Result<(), String> {
        match self {
            Self::Systemd => {
                let name = format!("{unit}.service");
                let args = ["kill", "--kill-who=main", "--signal=HUP", "--", &name];
                let told = child::run("systemctl", &args, None).await;
                told.map(drop).map_err(|error| error.to_string())
            }
            Self::Sysvinit => match dnsmasq() {
                Some(process) => process.signal(Signal::SIGHUP),
                None => Err("it does not run".into()),
            },
        }
    }

    /// The last lines of its log, when there is one that we know of.
    pub(super) async fn log(self, unit: &str) -> String {
        if self == Self::Sysvinit {
            return String::new();
        }
        let args = [
            "--unit",
            unit,
            "--lines",
            "5",
            "--no-pager",
            "--output",
            "cat",
        ];
        match ask("journalctl", &args, None, child::TIME_LIMIT).await {
            Ok(output) => child::first_lines(&output.text()),
            Err(_) => String::new(),
        }
    }
}

/// What a start, restart or stop had to say. dhcpd introduces itself in four lines before it complains.
pub(super) fn words(output: &Output) -> String {
    const INTRODUCTION: [&str; 4] = [
        "Internet Systems Consortium",
        "Copyright ",
        "All rights reserved",
        "For info, please visit",
    ];
    let said = [output.complaint(), output.text()].join("\n");
    let lines = said
        .lines()
        .filter(|line| !INTRODUCTION.iter().any(|it| line.starts_with(it)));
    match child::first_lines(&lines.collect::<Vec<_>>().join("\n")) {
        lines if lines.is_empty() => format!("nothing ({})", output.status),
        lines => lines,
    }
}

/// What could be the reason that this unit does not run, beyond what it said.
pub(super) fn known_obstacle(unit: &str) -> Option<&'static str> {
    let filesystems = fs::read_to_string("/proc/filesystems").ok()?;
    let served = filesystems.lines().any(|line| line.ends_with("\tnfsd"));
    (daemon(unit) == Daemon::Nfsd && !served)
        .then_some("this kernel has no NFS server, or may not load its module (nfsd)")
}

fn daemon(unit: &str) -> Daemon {
    match unit {
        "isc-dhcp-server" | "dhcpd" => Daemon::Dhcpd,
        "kea-dhcp4-server" | "kea-dhcp4" => Daemon::Kea,
        "dnsmasq" => Daemon::Dnsmasq,
        "nfs-server" | "nfs-kernel-server" => Daemon::Nfsd,
        _ => Daemon::Unknown,
    }
}

const PROPERTIES: &str = "--property=LoadState,ActiveState,SubState,ExecMainStartTimestampMonotonic,InactiveExitTimestampMonotonic";

/// `systemctl show`: one `Name=value` per line, org.freedesktop.systemd1(5).
fn shown(text: &str, daemon: Daemon) -> Option<Running> {
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines
            .find(|(it, _)| *it == name)
            .map_or("", |(_, value)| value)
    };
    let active = matches!(value("ActiveState"), "active" | "reloading");
    // A unit generated from an init script stays active when its daemon is gone.
    let exited = daemon == Daemon::Dhcpd && value("SubState") == "exited";
    if !active || exited {
        return None;
    }
    let microseconds = |name: &str| value(name).parse::<u64>().ok().filter(|&it| it > 0);
    // A unit without a main process has no start of one; its own start is never later.
    let start = microseconds("ExecMainStartTimestampMonotonic")
        .or_else(|| microseconds("InactiveExitTimestampMonotonic"));
    Some(Running {
        run: start.unwrap_or_default().to_string(),
        started: start.and_then(|it| ago(ClockId::CLOCK_MONOTONIC, Duration::from_micros(it))),
    })
}

/// systemd starts daemons in its own network namespace, whichever we are in.
fn same_network_as_systemd() -> Result<(), String> {
    let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
    match (network("thread-self"), network("1")) {
        (Some(ours), Some(its)) if ours != its => Err(
            "systemd would start it in another network namespace than the one that is managed"
                .into(),
        ),
        _ => Ok(()),
    }
}

/// Debian's init script says "running" of nothing when no interface is named in its defaults: its process tells.
fn dhcpd() -> Option<Running> {
    const PID_FILES: [&str; 2] = ["/run/dhcpd.pid", "/run/dhcp-server/dhcpd.pid"];
    let process = PID_FILES.iter().find_map(|path| by_pid_file(path, "dhcpd"));
    process
        .or_else(|| Process::named("dhcpd"))
        .map(|it| run_of(&it))
}

/// Its threads are the kernel's. Each network namespace has a number of its own, nfsd(7).
fn nfsd() -> Option<Running> {
    let threads = fs::read_to_string("/proc/fs/nfsd/threads").ok()?;
    let count: u32 = threads.trim().parse().ok()?;
    (count > 0).then(|| Running {
        run: "nfsd".into(),
        started: None,
    })
}

fn nfsd_serves(unit: &str) -> bool {
    daemon(unit) == Daemon::Nfsd && nfsd().is_some()
}

async fn by_script(unit: &str) -> Result<Option<Running>, HostError> {
    let pid = fs::read_to_string(format!("/run/{unit}.pid")).ok();
    let process = pid.and_then(|it| Process::with_id(it.trim().parse().ok()?));
    if let Some(process) = process {
        return Ok(Some(run_of(&process)));
    }
    let output = ask("service", &[unit, "status"], None, LIMIT).await?;
    Ok(output.status.success().then(|| Running {
        run: "status".into(),
        started: None,
    }))
}

/// The one that its script started: libvirt, say, has its own.
fn dnsmasq() -> Option<Process> {
    const PID_FILES: [&str; 2] = ["/run/dnsmasq/dnsmasq.pid", "/run/dnsmasq.pid"];
    PID_FILES
        .iter()
        .find_map(|path| by_pid_file(path, "dnsmasq"))
}

/// Debian's script for Kea looks for a process by a file that nobody writes: `stop` waits for half a minute and kills.
/// It makes none of the directories either that systemd makes, and without which Kea ends.
async fn make_way_for_kea(command: Command) -> Result<(), String> {
    const DIRECTORIES: [&str; 2] = ["/run/kea", "/var/lib/kea"];
    if command != Command::Start {
        let process = Process::named(KEA);
        process.map_or(Ok(()), |it| it.signal(Signal::SIGTERM))?;
        let deadline = Instant::now() + LIMIT;
        while Process::named(KEA).is_some() && Instant::now() < deadline {
            sleep(BETWEEN_LOOKS).await;
        }
    }
    for directory in DIRECTORIES.iter().filter(|_| command != Command::Stop) {
        let made = fs::DirBuilder::new().mode(0o750).create(directory);
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(format!("cannot make {directory}: {error}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn by_pid_file(path: &str, comm: &str) -> Option<Process> {
    let pid = fs::read_to_string(path).ok()?;
    Process::of(pid.trim().parse().ok()?, comm)
}

fn run_of(process: &Process) -> Running {
    Running {
        run: format!("{} {}", process.pid, process.ticks),
        started: process.started(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(active: &str, sub: &str, main: &str, exit: &str) -> String {
        format!(
            "LoadState=loaded\nActiveState={active}\nSubState={sub}\nInactiveExitTimestampMonotonic={exit}\nExecMainStartTimestampMonotonic={main}\n"
        )
    }

    #[test]
    fn what_systemd_shows_of_a_daemon() {
        let running = shown(
            &said("active", "running", "2000000", "1000000"),
            Daemon::Unknown,
        );
        assert_eq!(running.unwrap().run, "2000000");
        let without_main = shown(&said("active", "running", "0", "1000000"), Daemon::Dhcpd);
        assert_eq!(without_main.unwrap().run, "1000000");
    }

    #[test]
    fn what_does_not_run_is_absent() {
        for state in ["inactive", "failed", "activating", "deactivating"] {
            assert_eq!(shown(&said(state, "dead", "5", "5"), Daemon::Unknown), None);
        }
        assert_eq!(
            shown(
                "LoadState=not-found\nActiveState=inactive\n",
                Daemon::Unknown
            ),
            None
        );
    }

    #[test]
    fn an_init_script_whose_daemon_died_does_not_run_and_an_nfs_server_does() {
        assert_eq!(
            shown(&said("active", "exited", "5", "5"), Daemon::Dhcpd),
            None
        );
        assert!(shown(&said("active", "exited", "5", "5"), Daemon::Nfsd).is_some());
    }
}
