//! The files of an installation. A kickstart file line by line: a command and its options, the packages, the scripts.

use lvs_reconcile::document::{
    Document, Installer, KickstartProfile, KickstartTarget, Partition, RealServer, ScriptLine,
};

use super::daemons::lines;

/// Every command, in its order; `part` may come again.
const COMMANDS: [&str; 26] = [
    "text",
    "reboot",
    "lang",
    "keyboard",
    "timezone",
    "timesource",
    "url",
    "repo",
    "network",
    "rootpw",
    "sshkey",
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
    "services",
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
    if !profile.template.is_empty() {
        return;
    }
    assert!(text.ends_with('\n'), "{path}: {text:?}");
    match profile.target.installer() {
        Installer::Anaconda => assert_kickstart(document, machine, profile, text),
        Installer::Debian => assert_preseed(text),
        Installer::Subiquity => assert_autoinstall(text),
    }
}

/// Owner, question and type, and a value that no line goes on from.
fn assert_preseed(text: &str) {
    for line in lines(text) {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(
            ["d-i", "tasksel", "popularity-contest"].contains(&words[0]),
            "{line:?}"
        );
        assert!(words.len() >= 3 && !line.ends_with('\\'), "{line:?}");
    }
}

fn assert_autoinstall(text: &str) {
    let json: String = text.lines().filter(|it| !it.starts_with('#')).collect();
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(value.is_object());
}

fn assert_kickstart(
    document: &Document,
    machine: &RealServer,
    profile: &KickstartProfile,
    text: &str,
) {
    let (commands, rest) = text.split_once("\n%packages\n").expect("packages");
    let (packages, scripts) = rest.split_once("%end\n").expect("an end");
    assert_scripts(profile, scripts);
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
    let own = machine.install.as_deref();
    let disk = own
        .and_then(|it| it.disk.as_ref())
        .or(profile.disk.as_ref());
    let disk = disk.map_or("sda", |it| it.as_str());
    assert_eq!(option("ignoredisk"), [format!("--only-use={disk}")]);
    let stated = own
        .and_then(|it| it.partitions.as_ref())
        .unwrap_or(&profile.partitions);
    partitions(stated, disk, &commands);
    assert_packages(profile, machine, packages);
}

/// The scripts of the document stand in it whole, and every section has its end.
fn assert_scripts(profile: &KickstartProfile, text: &str) {
    let whole = |lines: &[ScriptLine]| lines.iter().map(|it| format!("{it}\n")).collect::<String>();
    for (section, lines) in [("%pre", &profile.pre), ("%post", &profile.post)] {
        let body = whole(lines);
        assert!(
            lines.is_empty() || text.contains(&format!(".log\n{body}%end\n")),
            "{section}: {text}"
        );
    }
    let begins = text
        .lines()
        .filter(|it| it.starts_with("%pre --") || it.starts_with("%post --"));
    assert_eq!(
        begins.count(),
        text.lines().filter(|it| *it == "%end").count()
    );
}

/// `/kickstart/NAME.cfg` or `/kickstart/ADDRESS-kickstart`.
fn machine_of<'a>(document: &'a Document, path: &str) -> &'a RealServer {
    let file = path
        .strip_prefix("/kickstart/")
        .unwrap_or_else(|| panic!("{path} is nobody's"));
    let named = [".cfg", ".preseed", "/user-data", "/meta-data"]
        .iter()
        .find_map(|it| file.strip_suffix(it));
    let is_its = |it: &&RealServer| match named {
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
    if let Some(key) = line.strip_prefix("sshkey --username=root '") {
        let key = key.strip_suffix('\'').expect("a closed quote");
        assert!(!key.contains(['"', '\'', '\\', '#', '`', '$']), "{line:?}");
        return ("sshkey", vec![key]);
    }
    assert!(!line.contains(['"', '\'', '\\', '#', '`', '$']), "{line:?}");
    let mut words = line.split(' ');
    (words.next().unwrap_or_default(), words.collect())
}

fn partitions(stated: &[Partition], disk: &str, commands: &[(&str, Vec<&str>)]) {
    let read: Vec<_> = commands
        .iter()
        .filter(|(name, _)| *name == "part")
        .map(|(_, it)| it)
        .collect();
    assert_eq!(read.len(), stated.len());
    for (read, wanted) in read.iter().zip(stated) {
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

fn assert_packages(profile: &KickstartProfile, machine: &RealServer, text: &str) {
    let read: Vec<&str> = text.lines().collect();
    let mut wanted: Vec<&str> = profile.packages.iter().map(|it| it.as_str()).collect();
    if wanted.is_empty() {
        wanted.push(match profile.target {
            KickstartTarget::Rhel8 | KickstartTarget::Rhel9 | KickstartTarget::Rhel10 => {
                "@^minimal-environment"
            }
            _ => "@core",
        });
    }
    let extra = machine.install.iter().flat_map(|it| &it.extra_packages);
    let nfs = profile.mounts.first().map(|_| "nfs-utils");
    for package in extra.map(|it| it.as_str()).chain(nfs) {
        if !wanted.contains(&package) {
            wanted.push(package);
        }
    }
    assert_eq!(read, wanted);
    assert!(
        read.iter().all(|it| !it.contains(['%', '#', ' '])),
        "{read:?}"
    );
}
