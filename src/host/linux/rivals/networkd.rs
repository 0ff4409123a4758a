//! systemd-networkd, and what it does to addresses of others on its interfaces.

use std::collections::BTreeMap;
use std::path::Path;

use super::{index, listed, text, value};

/// Its notes on each interface that it knows.
const LINKS: &str = "/run/systemd/netif/links";

/// Where drop-ins are, the later ones before the earlier of the same name.
const DIRECTORIES: [&str; 4] = [
    "/usr/lib/systemd/network",
    "/usr/local/lib/systemd/network",
    "/run/systemd/network",
    "/etc/systemd/network",
];

/// The `.network` file by which it manages an interface and drops addresses of others.
pub fn drops(root: &Path, interface: &str) -> Option<String> {
    let state = text(root, &format!("{LINKS}/{}", index(root, interface)?))?;
    let managed = value(&state, "", "ADMIN_STATE").is_some_and(|it| it != "unmanaged");
    let file = value(&state, "", "NETWORK_FILE").filter(|it| managed && !it.is_empty())?;
    let dropins = match value(&state, "", "NETWORK_FILE_DROPINS") {
        Some(loaded) => loaded
            .trim_matches('"')
            .split(':')
            .map(str::to_owned)
            .collect(),
        None => dropins(root, file),
    };
    let files = std::iter::once(file.to_owned()).chain(dropins);
    let texts: Vec<String> = files.filter_map(|it| text(root, &it)).collect();
    let stated = |it: &String| value(it, "Network", "KeepConfiguration").map(str::to_owned);
    let keep = texts.iter().filter_map(stated).next_back();
    let keeps = keep.is_some_and(|it| keeps_static(&it));
    (!keeps).then(|| file.to_owned())
}

/// By the name of the file: those of an older networkd, which does not note what it has loaded.
fn dropins(root: &Path, file: &str) -> Vec<String> {
    let name = file.rsplit('/').next().unwrap_or_default();
    let mut found = BTreeMap::new();
    for directory in DIRECTORIES {
        found.extend(listed(root, &format!("{directory}/{name}.d")));
    }
    found.retain(|name, _| name.ends_with(".conf"));
    found.into_values().collect()
}

/// Of the words for what is kept, those that mean addresses without a lease.
fn keeps_static(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        "static" | "yes" | "true" | "on" | "1" | "y" | "t"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::rivals::below;
    use std::fs;

    const NETWORK: &str = "/etc/systemd/network/10-eth0.network";
    const MINE: &str = "/etc/systemd/network/10-eth0.network.d/lvs-reconcile.conf";

    fn told(files: &[(&str, &str)]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = below(root.path(), path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        drops(root.path(), "eth0")
    }

    fn state(more: &str) -> String {
        format!("# This is private data.\nADMIN_STATE=configured\nNETWORK_FILE={NETWORK}\n{more}")
    }

    fn machine<'a>(state: &'a str, network: &'a str, mine: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("/sys/class/net/eth0/ifindex", "7\n"),
            ("/run/systemd/netif/links/7", state),
            (NETWORK, network),
            (MINE, mine),
        ]
    }

    const DHCP: &str = "[Match]\nName=eth0\n[Network]\nDHCP=yes\n";
    const KEEP: &str = "[Network]\nKeepConfiguration=static\n";

    #[test]
    fn a_managed_interface_keeps_addresses_when_it_is_told_to() {
        let state = state("");
        let file = Some(NETWORK.to_owned());
        assert_eq!(told(&machine(&state, DHCP, "")), file);
        assert_eq!(told(&machine(&state, DHCP, KEEP)), None);
        assert_eq!(told(&machine(&state, KEEP, "")), None);
        // A later file has the last word, dhcp is another word, and in another section it says nothing.
        let dhcp = "[Network]\nKeepConfiguration=dhcp\n";
        assert_eq!(told(&machine(&state, KEEP, dhcp)), file);
        let elsewhere = "[DHCPv4]\nKeepConfiguration=static\n";
        assert_eq!(told(&machine(&state, DHCP, elsewhere)), file);
        let commented = "[Network]\n#KeepConfiguration=static\n";
        assert_eq!(told(&machine(&state, DHCP, commented)), file);
    }

    #[test]
    fn what_was_not_loaded_yet_does_not_count() {
        let file = Some(NETWORK.to_owned());
        let before = state("NETWORK_FILE_DROPINS=\"\"\n");
        assert_eq!(told(&machine(&before, DHCP, KEEP)), file);
        let after = state(&format!("NETWORK_FILE_DROPINS=\"{MINE}\"\n"));
        assert_eq!(told(&machine(&after, DHCP, KEEP)), None);
    }

    #[test]
    fn an_interface_that_it_does_not_manage_is_nobodys() {
        let unmanaged = state("").replace("=configured", "=unmanaged");
        assert_eq!(told(&machine(&unmanaged, DHCP, "")), None);
        let other = "ADMIN_STATE=initialized\n";
        assert_eq!(told(&machine(other, DHCP, "")), None);
        assert_eq!(told(&[("/sys/class/net/eth0/ifindex", "7\n")]), None);
        assert_eq!(told(&[("/run/systemd/netif/links/7", &state(""))]), None);
    }
}
