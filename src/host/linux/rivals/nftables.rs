//! The unit that loads `/etc/nftables.conf`.

use std::fs;
use std::path::Path;

use super::{below, text};

/// What it loads.
pub const FILE: &str = "/etc/nftables.conf";

/// Where systemd notes that it is enabled: Debian's way, and what `systemctl enable` makes of other units.
const ENABLED: [&str; 2] = [
    "/etc/systemd/system/sysinit.target.wants/nftables.service",
    "/etc/systemd/system/multi-user.target.wants/nftables.service",
];

/// Whether the unit is enabled and its file flushes our table, too.
pub fn flushes(root: &Path) -> bool {
    // A link into the unit's directory: what it leads to is not asked.
    let is_there = |path: &&str| fs::symlink_metadata(below(root, path)).is_ok();
    let is_enabled = ENABLED.iter().any(is_there);
    is_enabled && text(root, FILE).is_some_and(|it| flushes_ours(&it))
}

/// `flush ruleset` concerns every family, unless it names one; our table is of family `inet`.
fn flushes_ours(text: &str) -> bool {
    let lines = text
        .lines()
        .map(|it| it.split('#').next().unwrap_or_default());
    let mut statements = lines.flat_map(|it| it.split(';'));
    statements.any(|it| {
        let words: Vec<&str> = it.split_whitespace().collect();
        matches!(
            words[..],
            ["flush", "ruleset"] | ["flush", "ruleset", "inet"]
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_flushes_our_family_counts() {
        for (text, flushes) in [
            ("#!/usr/sbin/nft -f\n\nflush ruleset\n", true),
            ("  flush   ruleset; add table inet x\n", true),
            ("flush ruleset inet # ours\n", true),
            ("# flush ruleset\n", false),
            ("flush ruleset ip6\n", false),
            ("flush table inet filter\n", false),
            ("include \"flush ruleset\"\n", false),
        ] {
            assert_eq!(flushes_ours(text), flushes, "{text}");
        }
    }

    #[test]
    fn a_unit_that_is_not_enabled_flushes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let wants = below(root.path(), "/etc/systemd/system/sysinit.target.wants");
        fs::create_dir_all(&wants).unwrap();
        fs::write(below(root.path(), FILE), "flush ruleset\n").unwrap();
        assert!(!flushes(root.path()));
        symlink(
            "/lib/systemd/system/nftables.service",
            wants.join("nftables.service"),
        )
        .unwrap();
        assert!(flushes(root.path()));
        fs::write(below(root.path(), FILE), "table inet filter\n").unwrap();
        assert!(!flushes(root.path()));
        fs::remove_file(below(root.path(), FILE)).unwrap();
        assert!(!flushes(root.path()));
    }
}
