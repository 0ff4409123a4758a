//! `/etc/hosts` beside our lines: what others have in it, and who else writes it.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::resources::file::block;

const HOSTS: &str = "/etc/hosts";

/// cloud-init's own settings, and what it was told from outside, which counts more.
const CLOUD: &str = "/etc/cloud/cloud.cfg";
const CLOUD_MORE: &str = "/etc/cloud/cloud.cfg.d";
const CLOUD_TOLD: &str = "/var/lib/cloud/instance/cloud-config.txt";
const CLOUD_DISABLED: &str = "/etc/cloud/cloud-init.disabled";

/// Names that stand outside of our block, each with its address, in the order of the file.
pub fn others() -> Vec<(IpAddr, String)> {
    let bytes = fs::read(HOSTS).unwrap_or_default();
    // With markers that are not two, the plan says so itself.
    let rest = block::without(&bytes).unwrap_or_default();
    names(&String::from_utf8_lossy(&rest))
}

/// `ADDRESS NAME...`, and `#` ends a line anywhere. A line that starts with no address counts for nobody; capitals are
/// looked up like small letters.
fn names(text: &str) -> Vec<(IpAddr, String)> {
    let mut names = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next().and_then(|it| it.parse().ok()) else {
            continue;
        };
        names.extend(words.map(|name| (address, name.to_ascii_lowercase())));
    }
    names
}

/// The file in which cloud-init is told to write `/etc/hosts` anew at every boot.
pub fn rewritten_by() -> Option<PathBuf> {
    if Path::new(CLOUD_DISABLED).exists() {
        return None;
    }
    let entries = fs::read_dir(CLOUD_MORE).into_iter().flatten().flatten();
    let mut more: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    more.retain(|it| it.extension().is_some_and(|it| it == "cfg"));
    more.sort();
    let files = [PathBuf::from(CLOUD)].into_iter().chain(more);
    let mut rewritten = None;
    for file in files.chain([CLOUD_TOLD.into()]) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if let Some(rewrites) = rewrites(&text) {
            rewritten = rewrites.then_some(file);
        }
    }
    rewritten
}

/// What a file of cloud-init says about `/etc/hosts`, if anything. `localhost` is the one word by which the file is
/// edited and not replaced.
fn rewrites(text: &str) -> Option<bool> {
    let mut values = text
        .lines()
        .filter_map(|it| it.strip_prefix("manage_etc_hosts:"));
    let value = values.next_back()?.split('#').next()?.trim();
    let value = value.trim_matches(['"', '\'']).to_ascii_lowercase();
    Some(matches!(value.as_str(), "true" | "yes" | "on" | "template"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_resolver_reads_them() {
        let text = "127.0.0.1\tlocalhost # rs9\n10.0.0.300 rs8\n#10.0.0.1 rs7\r\n10.1.1.1 RS1.x rs1\r\nfd00::1 rs1\n";
        let shown: Vec<String> = names(text)
            .iter()
            .map(|(address, name)| format!("{address} {name}"))
            .collect();
        let read = [
            "127.0.0.1 localhost",
            "10.1.1.1 rs1.x",
            "10.1.1.1 rs1",
            "fd00::1 rs1",
        ];
        assert_eq!(shown, read);
    }

    #[test]
    fn cloud_init_is_understood() {
        for (text, told) in [
            ("", None),
            ("#manage_etc_hosts: true\n", None),
            ("manage_etc_hosts: true\n", Some(true)),
            ("manage_etc_hosts: True # as ever\n", Some(true)),
            ("manage_etc_hosts: \"template\"\n", Some(true)),
            ("manage_etc_hosts: localhost\n", Some(false)),
            (
                "manage_etc_hosts: true\nmanage_etc_hosts: false\n",
                Some(false),
            ),
        ] {
            assert_eq!(rewrites(text), told, "{text}");
        }
    }
}
