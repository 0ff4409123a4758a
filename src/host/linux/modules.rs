//! Which kernel modules there are. Looking loads none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Module names here have `_` where file names may have `-`.
pub fn normal(name: &str) -> String {
    name.replace('-', "_")
}

/// Of `names`, those that are loaded or built in.
pub fn present<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut loaded = None;
    let mut built_in = None;
    let mut is_present = |name: &str| {
        let name = normal(name);
        is_built_in_by_sysfs(&name)
            || loaded.get_or_insert_with(loaded_modules).contains(&name)
            || built_in
                .get_or_insert_with(built_in_modules)
                .contains(&name)
    };
    names.into_iter().filter(|name| is_present(name)).collect()
}

/// True when this one is loaded or built in.
pub fn is_present(name: &str) -> bool {
    !present([name]).is_empty()
}

/// True when asking the kernel for what this one does would load it. Where nobody can tell what is built in (no
/// modules at all, or no list of them), it is taken for built in: better to load something than to be blind.
pub fn would_load(name: &str) -> bool {
    let tells = Path::new("/proc/modules").exists() && built_in_list().is_some();
    tells && !is_present(name)
}

/// proc(5): name, size, users, by whom, state. One that is still loading, or being unloaded, is not there.
fn loaded_modules() -> BTreeSet<String> {
    let list = fs::read_to_string("/proc/modules").unwrap_or_default();
    list.lines().filter_map(live_module).collect()
}

fn live_module(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    (words.nth(3)? == "Live").then(|| name.to_owned())
}

/// A directory without `initstate` belongs to code that is part of the kernel
/// (Documentation/ABI/testing/sysfs-module); built-in code without parameters has none.
fn is_built_in_by_sysfs(name: &str) -> bool {
    let directory = Path::new("/sys/module").join(name);
    !name.contains('/') && directory.is_dir() && !directory.join("initstate").exists()
}

fn built_in_modules() -> BTreeSet<String> {
    let list = built_in_list().unwrap_or_default();
    list.lines().filter_map(built_in_module).collect()
}

fn built_in_list() -> Option<String> {
    let directory = Path::new("/lib/modules").join(running_kernel());
    fs::read_to_string(directory.join("modules.builtin")).ok()
}

/// `kernel/net/netfilter/ipvs/ip_vs.ko`.
fn built_in_module(line: &str) -> Option<String> {
    let file = line.rsplit('/').next()?;
    file.split_once(".ko").map(|(name, _)| normal(name))
}

/// As `uname -r` prints it.
pub fn running_kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_modules() {
        let loaded = "nf_conntrack_ftp 24576 1 nf_nat_ftp, Live 0xffffffffc0b5d000";
        assert_eq!(live_module(loaded).as_deref(), Some("nf_conntrack_ftp"));
        assert_eq!(live_module("ip_vs 188416 0 - Loading 0x0"), None);
        assert_eq!(live_module(""), None);
    }

    #[test]
    fn lines_of_modules_builtin() {
        let line = "kernel/net/netfilter/xt-thing.ko";
        assert_eq!(built_in_module(line).as_deref(), Some("xt_thing"));
    }

    #[test]
    fn what_no_kernel_has_is_absent() {
        assert!(!is_present("no_such_module"));
        assert!(!is_present("../../etc"));
    }
}
