//! Machines that install themselves when they boot next: for a while, and once. A machine that stayed armed would
//! install itself again at every boot.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Who is armed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Armed(Vec<Arm>);

/// One machine that is armed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Arm {
    pub machine: String,
    /// Where its installer fetches from.
    pub address: IpAddr,
    /// In seconds since 1970, as is the next.
    pub since: u64,
    pub until: u64,
}

/// A file that was fetched over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// In seconds since 1970.
    pub at: u64,
    pub by: IpAddr,
    pub path: String,
}

impl Armed {
    /// Arms a machine, or changes until when it is.
    pub fn arm(&mut self, arm: Arm) {
        self.disarm(&arm.machine);
        self.0.push(arm);
    }

    /// Disarms a machine; false when it was not armed.
    pub fn disarm(&mut self, machine: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|it| it.machine != machine);
        self.0.len() < before
    }

    /// Those that are still to install themselves: their time is not up, and none has fetched its kickstart file, from
    /// the address that is reserved for it, since it was armed.
    pub fn still(mut self, now: u64, fetched: &[Fetch]) -> Self {
        self.0
            .retain(|it| now < it.until && !it.is_installing(fetched));
        self
    }

    /// Their names.
    pub fn names(&self) -> BTreeSet<String> {
        self.0.iter().map(|it| it.machine.clone()).collect()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arm> {
        self.0.iter()
    }
}

impl Arm {
    fn is_installing(&self, fetched: &[Fetch]) -> bool {
        let its = |path: &str| {
            let name = path.rsplit('/').next().and_then(|it| it.split('.').next());
            path.starts_with("/kickstart/") && name == Some(&self.machine)
        };
        let since = |it: &&Fetch| it.at >= self.since && it.by == self.address;
        fetched.iter().filter(since).any(|it| its(&it.path))
    }
}

/// Lines `SECONDS.MILLISECONDS ADDRESS STATUS PATH`, as our server for nginx logs them; of what was served.
pub fn fetches(log: &str) -> Vec<Fetch> {
    let fetch = |line: &str| {
        let mut words = line.split(' ');
        let at = words.next()?.split('.').next()?.parse().ok()?;
        let by = words.next()?.parse().ok()?;
        let served = words.next()? == "200";
        let path = words.next()?.to_owned();
        served.then_some(Fetch { at, by, path })
    };
    log.lines().filter_map(fetch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rs1() -> Armed {
        let mut armed = Armed::default();
        armed.arm(Arm {
            machine: "rs1".into(),
            address: "172.16.0.21".parse().unwrap(),
            since: 1000,
            until: 2000,
        });
        armed
    }

    fn after(now: u64, log: &str) -> bool {
        rs1().still(now, &fetches(log)).names().contains("rs1")
    }

    #[test]
    fn who_is_armed_stays_so_until_the_time_is_up() {
        assert!(after(1999, ""));
        assert!(!after(2000, ""));
    }

    /// Whoever else fetches the file, fetches it before, or gets no file, has not installed the machine.
    #[test]
    fn who_fetched_his_kickstart_file_is_armed_no_longer() {
        assert!(!after(
            1100,
            "1050.123 172.16.0.21 200 /kickstart/rs1.cfg\n"
        ));
        assert!(!after(
            1100,
            "rubbish\n1000.000 172.16.0.21 200 /kickstart/rs1.preseed\n"
        ));
        for other in [
            "999.999 172.16.0.21 200 /kickstart/rs1.cfg",
            "1050.123 172.16.0.22 200 /kickstart/rs1.cfg",
            "1050.123 172.16.0.21 404 /kickstart/rs1.cfg",
            "1050.123 172.16.0.21 200 /kickstart/rs11.cfg",
            "1050.123 172.16.0.21 200 /RH72/rs1.cfg",
            "1050.123 172.16.0.21",
            "",
        ] {
            assert!(after(1100, other), "{other}");
        }
    }

    #[test]
    fn arming_again_changes_the_time() {
        let mut armed = rs1();
        let again = armed.iter().next().unwrap().clone();
        armed.arm(Arm {
            until: 9000,
            ..again
        });
        assert_eq!(armed.iter().count(), 1);
        assert!(armed.disarm("rs1"));
        assert!(!armed.disarm("rs1"));
    }
}
