//! Processes and the clocks they are measured by.

use std::fs;
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// A moment of the wall clock, as files have it: seconds and nanoseconds.
pub(super) type Moment = (i64, i64);

/// A process that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Clock ticks after boot: with the pid, what makes it this process and no later one.
    pub(super) ticks: u64,
}

impl Process {
    /// The one with this id, when it runs the program `comm`. A dead one that nobody has buried does not run.
    pub(super) fn of(pid: u32, comm: &str) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, state, ticks) = parsed(&stat)?;
        (name == comm && !matches!(state, "Z" | "X")).then_some(Self { pid, ticks })
    }

    /// The one with this id, whatever it runs.
    pub(super) fn with_id(pid: u32) -> Option<Self> {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Self::of(pid, comm.trim_end_matches('\n'))
    }

    /// The oldest one here that runs the program `comm`. Machines that live in namespaces of this one have their own.
    pub(super) fn named(comm: &str) -> Option<Self> {
        let entries = fs::read_dir("/proc").ok()?;
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|pid| Self::of(pid, comm))
            .filter(Self::shares_our_network)
            .min_by_key(|it| it.ticks)
    }

    fn shares_our_network(&self) -> bool {
        let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
        network(&self.pid.to_string()) == network("thread-self")
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = i32::try_from(self.pid).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(pid), signal).map_err(|error| error.desc().to_owned())
    }

    /// When it started, by the wall clock of now.
    pub(super) fn started(&self) -> Option<Moment> {
        let since_boot = Duration::from_millis(self.ticks * 1000 / ticks_per_second());
        ago(ClockId::CLOCK_BOOTTIME, since_boot)
    }
}

/// The wall clock's reading at the moment when `clock` showed `reading`.
pub(super) fn ago(clock: ClockId, reading: Duration) -> Option<Moment> {
    let now = Duration::from(clock_gettime(clock).ok()?);
    let then = SystemTime::now().checked_sub(now.checked_sub(reading)?)?;
    let wall = then.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((
        i64::try_from(wall.as_secs()).ok()?,
        wall.subsec_nanos().into(),
    ))
}

/// One value for each boot of the machine.
pub(super) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// `pid (name) state … starttime` of proc_pid_stat(5). The name may hold anything, brackets and blanks too: the last
/// bracket ends it. `starttime` is field 22, the twentieth after the name.
fn parsed(stat: &str) -> Option<(&str, &str, u64)> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let mut fields = after.split_ascii_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?.parse().ok()?;
    Some((name, state, ticks))
}

/// The kernel's USER_HZ: 100 on every architecture with a Linux that is alive (`asm-generic/param.h`).
fn ticks_per_second() -> u64 {
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1";
        assert_eq!(parsed(stat), Some(("a) b (c)", "S", 987_654)));
    }

    #[test]
    fn we_started_a_moment_ago() {
        let comm = fs::read_to_string("/proc/self/comm").unwrap();
        let me = Process::of(std::process::id(), comm.trim_end()).unwrap();
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let age = i64::try_from(now.as_secs()).unwrap() - me.started().unwrap().0;
        assert!((0..600).contains(&age), "{age}");
    }
}
