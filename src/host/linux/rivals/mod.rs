//! Other programs of this machine that change what we set, as their files tell. Nothing is started, and nobody asked.
//!
//! Every reader takes the root directory: `/`, or a test's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub mod keepalived;
pub mod network_manager;
pub mod networkd;
pub mod nftables;

/// No file of these programs is longer.
const LONGEST: u64 = 1 << 20;

/// The text of a file; nothing when there is none that can be read. What is not a plain file could keep us waiting.
fn text(root: &Path, path: &str) -> Option<String> {
    let path = below(root, path);
    let plain = fs::metadata(&path).ok()?;
    if !plain.is_file() || plain.len() > LONGEST {
        return None;
    }
    let bytes = fs::read(&path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// An absolute path, below another root.
fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The files of a directory by name, as absolute paths of the machine.
fn listed(root: &Path, directory: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(below(root, directory)).into_iter().flatten();
    let names = entries.flatten().map(|it| it.file_name());
    let names = names.filter_map(|it| it.into_string().ok());
    names
        .map(|name| {
            let path = format!("{directory}/{name}");
            (name, path)
        })
        .collect()
}

/// The number by which others know an interface.
fn index(root: &Path, interface: &str) -> Option<String> {
    let number = text(root, &format!("/sys/class/net/{interface}/ifindex"))?;
    Some(number.trim().to_owned())
}

/// The last value of a key in a section of a file like those of systemd and GLib.
fn value<'t>(text: &'t str, section: &str, key: &str) -> Option<&'t str> {
    let mut inside = section.is_empty();
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            inside = name == section;
        }
        let pair = line.split_once('=').filter(|_| inside);
        if let Some((_, value)) = pair.filter(|(name, _)| name.trim() == key) {
            found = Some(value.trim());
        }
    }
    found
}
