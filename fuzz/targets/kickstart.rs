//! A kickstart file, read line by line: a command and its options, then the packages.

use lvs_reconcile::document::{Document, KickstartProfile, KickstartTarget, RealServer};

use super::daemons::lines;

/// Every command, in its order; `part` may come again.
const COMMANDS: [&str; 22] = [
    "text",
    "reboot",
    "lang",
    "keyboard",
    "timezone",
    "url",
    "network",
    "rootpw",
    "auth",
    "authselect",
    "selinux",
    "firewall",
    "firstboot",
    "skipx",
    "ignoredisk",
    "zerombr",
    "clearpart",
    "bootloader",
    "autopart",
    "reqpart",
    "part",
    "%packages",
];

pub fn assert_read(document: &Document, path: &str, text: &str) {
    let machine = machine_of(document, path);
    let profiles = document.netboot.iter().flat_map(|it| &it.kickstart);
    let mut profiles = profiles.filter(|it| {
        machine
            .kickstart
            .as_ref()
            .is_none_or(|name| it.name == *name)
    });
    let profile = profiles.next().expect("a profile");
    let (commands, packages) = text.split_once("\n%packages\n").expect("packages");
    let commands: Vec<(&str, Vec<&str>)> = lines(commands).map(command).collect();
    let places: Vec<_> = commands
        .iter()
        .map(|(name, _)| COMMANDS.iter().position(|it| it == name))
        .collect();
    assert!(
        places.is_sorted() && places.iter().all(Option::is_some),
        "{commands:?}"
    );
    let option = |name: &str| {
        let found: Vec<_> = commands.iter().filter(|(it, _)| *it == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0].1.clone()
    };
    assert_eq!(option("url"), [format!("--url={}", profile.url)]);
    assert_eq!(
        option("rootpw")[0] == "--lock",
        profile.root_password_file.is_none()
    );
    let full = match &document.domain {
        Some(domain) => format!("{}.{domain}", machine.name),
        None => machine.name.to_string(),
    };
    let mac = machine.mac.expect("a MAC");
    let network = option("network");
    assert!(
        network.contains(&format!("--hostname={full}").as_str()),
        "{network:?}"
    );
    assert!(
        network.contains(&format!("--device={mac}").as_str()),
        "{network:?}"
    );
    let disk = profile.disk.as_ref().map_or("sda", |it| it.as_str());
    assert_eq!(option("ignoredisk"), [format!("--only-use={disk}")]);
    partitions(profile, disk, &commands);
    assert_packages(profile, packages);
}

/// `/kickstart/NAME.cfg` or `/kickstart/ADDRESS-kickstart`.
fn machine_of<'a>(document: &'a Document, path: &str) -> &'a RealServer {
    let file = path
        .strip_prefix("/kickstart/")
        .unwrap_or_else(|| panic!("{path} is nobody's"));
    let is_its = |it: &&RealServer| match file.strip_suffix(".cfg") {
        Some(name) => it.name.as_str() == name,
        None => file.strip_suffix("-kickstart") == Some(it.address.to_string().as_str()),
    };
    document
        .real_servers
        .iter()
        .find(is_its)
        .unwrap_or_else(|| panic!("{path} is nobody's"))
}

/// pykickstart splits as a shell does, and takes `#` for a comment.
fn command(line: &str) -> (&str, Vec<&str>) {
    assert!(!line.contains(['"', '\'', '\\', '#', '`', '$']), "{line:?}");
    let mut words = line.split(' ');
    (words.next().unwrap_or_default(), words.collect())
}

fn partitions(profile: &KickstartProfile, disk: &str, commands: &[(&str, Vec<&str>)]) {
    let read: Vec<_> = commands
        .iter()
        .filter(|(name, _)| *name == "part")
        .map(|(_, it)| it)
        .collect();
    assert_eq!(read.len(), profile.partitions.len());
    for (read, wanted) in read.iter().zip(&profile.partitions) {
        assert_eq!(read[0], wanted.mount.as_str());
        assert!(
            read.contains(&format!("--size={}", wanted.size_mib).as_str()),
            "{read:?}"
        );
        assert!(
            read.contains(&format!("--ondisk={disk}").as_str()),
            "{read:?}"
        );
        assert_eq!(read.contains(&"--grow"), wanted.grow == Some(true));
    }
}

fn assert_packages(profile: &KickstartProfile, text: &str) {
    let read: Vec<&str> = text
        .strip_suffix("%end\n")
        .expect("an end")
        .lines()
        .collect();
    let wanted: Vec<&str> = profile.packages.iter().map(|it| it.as_str()).collect();
    match (profile.target, wanted.is_empty()) {
        (_, false) => assert_eq!(read, wanted),
        (KickstartTarget::Rhel7, true) => assert_eq!(read, ["@core"]),
        (_, true) => assert_eq!(read, ["@^minimal-environment"]),
    }
    assert!(
        read.iter().all(|it| !it.contains(['%', '#', ' '])),
        "{read:?}"
    );
}
