//! The generated files, read as the programs read them that they are for, and compared with the document.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use lvs_reconcile::desired::{self, Desired};
use lvs_reconcile::document::{Director, Document, Role};

use super::{boot, dhcpd, kickstart, leases, own};

/// Of all generated files of one director.
pub fn assert_read(document: &Document, director: &Director, desired: &Desired) {
    for (path, text) in desired::render(desired) {
        match own::is_free(document, path) {
            true => assert_lines(path, &text),
            false => assert_plain(path, &text),
        }
        match path {
            _ if own::assert_read(document, path, &text) => {}
            "/etc/hosts" => hosts(document, &text),
            "/etc/exports.d/lvs-reconcile.exports" => exports(document, director, &text),
            "/etc/sysctl.d/60-lvs-reconcile.conf" => sysctls(desired, &text),
            "/etc/modules-load.d/lvs-reconcile.conf" => modules(desired, &text),
            "/etc/default/isc-dhcp-server" => listening(director, &text),
            "/etc/dhcp/dhcpd.conf" => dhcpd::assert_read(document, director, &text),
            "/etc/kea/kea-dhcp4.conf" => leases::assert_kea(document, director, &text),
            "/etc/dnsmasq.d/lvs-reconcile.conf" => {
                leases::assert_dnsmasq(document, director, &text);
            }
            "/etc/dnsmasq.d/.lvs-reconcile.hosts" => leases::assert_dnsmasq_hosts(document, &text),
            _ if boot::assert_read(document, director, path, &text) => {}
            _ => kickstart::assert_read(document, path, &text),
        }
    }
}

/// Lines of printable characters: nothing continues a line, and nothing ends one that should not end.
fn assert_plain(path: &str, text: &str) {
    assert!(text.ends_with('\n'), "{path}: {text:?}");
    for line in text.lines() {
        let is_plain = line.chars().all(|c| matches!(c, '\t' | ' '..='~'));
        assert!(is_plain && !line.ends_with('\\'), "{path}: {line:?}");
    }
}

/// Lines of text: scripts, templates and files of one's own say what they like on them.
fn assert_lines(path: &str, text: &str) {
    let is_line = |line: &str| line.chars().all(|c| c == '\t' || !c.is_control());
    assert!(text.split('\n').all(is_line), "{path}: {text:?}");
}

/// Lines that are no comments.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|it| !it.starts_with('#') && !it.is_empty())
}

/// hosts(5): an address and its names; a `#` begins a comment anywhere.
fn hosts(document: &Document, text: &str) {
    let domain = document.domain.as_ref().map(|it| it.as_str());
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let address: IpAddr = words
            .next()
            .expect("an address")
            .parse()
            .expect("an address");
        let names: Vec<&str> = words.collect();
        let name = match (domain, names.as_slice()) {
            (Some(domain), [full, short]) if *full == format!("{short}.{domain}") => *short,
            (None, [short]) => *short,
            _ => panic!("{line:?}"),
        };
        assert!(found.insert((address, name.to_owned())), "twice: {line:?}");
    }
    let machines = document.real_servers.iter().flat_map(|it| {
        let addresses = [Some(it.address.get()), it.address6.map(IpAddr::from)];
        addresses
            .into_iter()
            .flatten()
            .map(|address| (address, it.name.to_string()))
    });
    for entry in machines {
        assert!(found.remove(&entry), "{entry:?} is missing");
    }
    for (address, name) in found {
        let director = document
            .directors
            .iter()
            .find(|it| it.name.as_str() == name);
        let interfaces = &director.expect("a node").interfaces;
        let mut own = interfaces.iter().flat_map(|it| &it.addresses);
        assert!(
            own.any(|it| it.address() == address),
            "{name} is not at {address}"
        );
    }
}

/// exports(5): a path, in which bytes may be octal, and clients with options.
fn exports(document: &Document, director: &Director, text: &str) {
    let mut exports = document.exports.iter();
    for line in lines(text) {
        let export = exports.next().expect("one line for each export");
        let mut words = line.split_ascii_whitespace();
        assert_eq!(
            words.next().map(unescaped).as_deref(),
            Some(export.path.as_str())
        );
        let clients: Vec<String> = match &export.clients {
            Some(clients) => clients.iter().map(ToString::to_string).collect(),
            None => inside(director).iter().map(ToString::to_string).collect(),
        };
        let words: Vec<&str> = words.collect();
        assert_eq!(words.len(), clients.len(), "{line:?}");
        for (word, client) in words.iter().zip(&clients) {
            let (name, options) = word.split_once('(').expect("options at every client");
            let options: Vec<&str> = options.trim_end_matches(')').split(',').collect();
            assert_eq!(name, client);
            assert_eq!(options.contains(&"rw"), export.writable == Some(true));
            assert_eq!(
                options.contains(&"no_root_squash"),
                export.root_squash == Some(false)
            );
            assert_eq!(options.len(), 4, "{line:?}");
        }
    }
    assert_eq!(exports.next(), None);
}

fn unescaped(word: &str) -> String {
    let mut rest = word.bytes().peekable();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        let digits: Vec<u8> = match byte {
            b'\\' => rest.by_ref().take(3).collect(),
            _ => vec![byte],
        };
        let octal = || u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok();
        bytes.push(if byte == b'\\' {
            octal().expect("three digits")
        } else {
            byte
        });
    }
    String::from_utf8(bytes).expect("paths are UTF-8")
}

/// The networks that exports without clients are for.
fn inside(director: &Director) -> Vec<IpNet> {
    let inside = director
        .interfaces
        .iter()
        .filter(|it| it.role == Some(Role::Inside));
    let addresses = inside.flat_map(|it| it.addresses.iter().chain(&it.external_addresses));
    let networks = addresses.map(|it| it.network().get());
    let mut all: Vec<IpNet> = Vec::new();
    for network in networks.filter(|it| it.prefix_len() < it.max_prefix_len()) {
        if !all.contains(&network) {
            all.push(network);
        }
    }
    all
}

/// sysctl.d(5): a key, in which dots and slashes change places when the first of them is a dot.
fn sysctls(desired: &Desired, text: &str) {
    let swapped = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let read: BTreeMap<String, &str> = lines(text)
        .map(|line| {
            let (key, value) = line.split_once('=').expect("a key and a value");
            let key = key.trim().trim_start_matches('-');
            assert!(
                key.find('.') < key.find('/') || !key.contains('/'),
                "{line:?}"
            );
            (key.chars().map(swapped).collect(), value.trim())
        })
        .collect();
    let wanted = desired.state.sysctls.iter();
    let wanted = wanted
        .map(|it| (it.key.path().to_owned(), it.value.as_str()))
        .collect();
    assert_eq!(read, wanted);
}

/// modules-load.d(5): a name per line.
fn modules(desired: &Desired, text: &str) {
    let read: Vec<&str> = lines(text).map(str::trim).collect();
    let wanted: Vec<&str> = desired
        .state
        .modules
        .iter()
        .map(|it| it.name.0.as_str())
        .collect();
    assert_eq!(read, wanted);
    let is_plain = |it: &&str| it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    assert!(read.iter().all(is_plain), "{read:?}");
}

/// A shell sources it, so the name may hold nothing that a shell knows in quotes.
fn listening(director: &Director, text: &str) {
    let lines: Vec<&str> = lines(text).collect();
    let [v4, "INTERFACESv6=\"\""] = lines.as_slice() else {
        panic!("{text:?}");
    };
    let name = v4
        .strip_prefix("INTERFACESv4=\"")
        .and_then(|it| it.strip_suffix('"'));
    let name = name.expect("an assignment");
    assert!(!name.contains(['$', '`', '"', '\\', ' ']), "{name:?}");
    let inside = director
        .interfaces
        .iter()
        .filter(|it| it.role == Some(Role::Inside));
    assert!(
        inside.map(|it| it.name.as_str()).any(|it| it == name),
        "{name:?}"
    );
}
