//! The generated files, read by the programs they are for. These tests need root and the daemons:
//! `cargo test --test rendered -- --include-ignored`. A program that is missing fails them, unless `WITHOUT` names it
//! (`WITHOUT=dhcpd,kea-dhcp4,dnsmasq,exportfs,ksvalidator,debconf-set-selections,busybox,python,ssh`).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lvs_reconcile::desired;

use super::{everything, resolved};

/// The text of the generated file with this name, of every case.
fn generated(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let files = everything().into_iter().flat_map(|(case, director)| {
        let desired = resolved(&case, &director);
        let files = desired::render(&desired).map(|(path, text)| (path.to_string(), text));
        files
            .map(|(path, text)| (format!("{case}: {path}"), text))
            .collect::<Vec<_>>()
    });
    files.filter(|(name, _)| wanted(name)).collect()
}

/// The program, when it is there or must be.
fn validator(program: &str) -> Option<String> {
    let without = env::var("WITHOUT").unwrap_or_default();
    if without.split(',').any(|it| it == program) {
        eprintln!("{program}: not tried, WITHOUT names it");
        return None;
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lab = env::var_os("LVS_LAB_DIR").map_or(repository.join("target/lab"), PathBuf::from);
    let places = [
        lab.join("venv/bin"),
        "/usr/sbin".into(),
        "/usr/bin".into(),
        "/sbin".into(),
    ];
    let found = places
        .iter()
        .map(|it| it.join(program))
        .find(|it| it.exists());
    let found =
        found.unwrap_or_else(|| panic!("{program} is not installed; tests/lab/install brings it"));
    Some(found.to_str().unwrap().to_string())
}

/// Stands where a secret does.
const HASH: &str = "$6$abcdefgh$01234567890123456789";

/// Runs a program over a file with this content, and returns what it said when it refused.
fn refusal(program: &str, arguments: &[&str], text: &str) -> Option<String> {
    let (said, good) = said(program, arguments, text);
    (!good).then_some(said)
}

/// The same, whatever came of it.
fn said(program: &str, arguments: &[&str], text: &str) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("candidate");
    fs::write(&path, text).unwrap();
    let output = Command::new(program)
        .args(arguments)
        .arg(&path)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (said, output.status.success())
}

#[test]
#[ignore = "needs root and the daemons"]
fn dhcpd_accepts_its_file() {
    let Some(dhcpd) = validator("dhcpd") else {
        return;
    };
    let files = generated(|it| it.ends_with("/dhcpd.conf"));
    assert!(files.len() >= 2);
    for (name, text) in files {
        assert_eq!(refusal(&dhcpd, &["-t", "-cf"], &text), None, "{name}");
    }
}

/// Kea wants the interfaces there, with the addresses that it is told.
#[test]
#[ignore = "needs root and the daemons"]
fn kea_accepts_its_file() {
    let Some(kea) = validator("kea-dhcp4") else {
        return;
    };
    let files = generated(|it| it.ends_with("/kea-dhcp4.conf"));
    assert!(files.len() >= 2);
    for (name, text) in files {
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        let interface = config["Dhcp4"]["interfaces-config"]["interfaces"][0]
            .as_str()
            .unwrap();
        let (interface, address) = interface.split_once('/').unwrap();
        let script = format!(
            "ip link add {interface} type veth peer name far; ip addr add {address}/16 dev {interface}
             KEA_LOCKFILE_DIR=none exec {kea} -t \"$1\""
        );
        let alone = ["-n", "sh", "-ec", &script, "sh"];
        assert_eq!(refusal("unshare", &alone, &text), None, "{name}");
    }
}

/// It does not read the file of reservations, whose lines are given to it as configuration.
#[test]
#[ignore = "needs root and the daemons"]
fn dnsmasq_accepts_its_files() {
    let Some(dnsmasq) = validator("dnsmasq") else {
        return;
    };
    let files = generated(|it| it.contains("/dnsmasq.d/"));
    assert!(files.len() >= 4);
    for (name, text) in files {
        let lines = text.lines().filter(|it| !it.starts_with('#'));
        let text: String = match name.ends_with(".hosts") {
            true => lines.map(|it| format!("dhcp-host={it}\n")).collect(),
            false => text,
        };
        assert_eq!(refusal(&dnsmasq, &["--test", "-C"], &text), None, "{name}");
    }
}

#[test]
#[ignore = "needs root and the daemons"]
fn ksvalidator_accepts_every_kickstart_file() {
    let Some(ksvalidator) = validator("ksvalidator") else {
        return;
    };
    let files = generated(|it| it.contains("/kickstart/") && it.ends_with(".cfg"));
    assert!(files.len() >= 15);
    for (name, text) in files {
        let version = version(&name);
        // `-e` stops at the first error: the exit status counts them, and wraps at 256.
        let text = text.replace("(secret)", HASH);
        assert_eq!(
            refusal(&ksvalidator, &["-e", "-v", &version], &text),
            None,
            "{name}"
        );
    }
}

/// What ksvalidator calls the target of the machine that `case: /kickstart/MACHINE.cfg` is for.
fn version(name: &str) -> String {
    let (case, path) = name.split_once(": ").unwrap();
    let file = path.rsplit('/').next().unwrap();
    let machine = file.strip_suffix(".cfg").unwrap();
    let document = super::document(case);
    let machine = document
        .real_servers
        .iter()
        .find(|it| it.name.as_str() == machine);
    let profile = machine.unwrap().kickstart.clone();
    let profiles = document.netboot.unwrap().kickstart.into_iter();
    let mut profiles = profiles.filter(|it| profile.as_ref().is_none_or(|name| it.name == *name));
    let target = profiles.next().unwrap().target.to_string();
    target.to_uppercase().replace("FEDORA", "F")
}

/// Unknown types are warnings to debconf, and a success: nothing may be said at all.
#[test]
#[ignore = "needs root and the daemons"]
fn debconf_accepts_every_preseed_file() {
    let Some(debconf) = validator("debconf-set-selections") else {
        return;
    };
    let files = generated(|it| it.ends_with(".preseed"));
    assert!(files.len() >= 3);
    for (name, text) in files {
        let text = text.replace("(secret)", HASH);
        let said = said(&debconf, &["--checkonly"], &text);
        assert_eq!(said, (String::new(), true), "{name}");
    }
}

/// A script on one line of a preseed file is the script again once the shell of the installer has read the line.
#[test]
#[ignore = "needs root and the daemons"]
fn the_installers_shell_writes_the_scripts() {
    let Some(busybox) = validator("busybox") else {
        return;
    };
    let files = generated(|it| it.ends_with("/debian12.preseed"));
    let (_, text) = files.first().unwrap();
    let late = text
        .lines()
        .find_map(|it| it.strip_prefix("d-i preseed/late_command string "));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("root")).unwrap();
    let script = late
        .unwrap()
        .replace("/target", folder.path().to_str().unwrap());
    let script = format!("in_target() {{ true; }}; alias in-target=in_target\n{script}\n");
    assert_eq!(refusal(&busybox, &["sh"], &script), None);
    let written = fs::read_to_string(folder.path().join("root/lvs-post")).unwrap();
    let document = super::document("profiles");
    let profiles = document.netboot.unwrap().kickstart;
    let profile = profiles.iter().find(|it| it.name.as_str() == "debian12");
    let meant: String = profile
        .unwrap()
        .post
        .iter()
        .map(|it| format!("{it}\n"))
        .collect();
    assert_eq!(written, meant);
}

/// cloud-init reads YAML, and we write JSON: both must be the same to it.
#[test]
#[ignore = "needs root and the daemons"]
fn yaml_and_json_agree_on_autoinstall() {
    let Some(python) = validator("python") else {
        return;
    };
    let files = generated(|it| it.ends_with("/user-data") || it.ends_with("/meta-data"));
    assert!(files.len() >= 6);
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    for (name, text) in files {
        let (read, good) = said(&python, &["-c", script], &text);
        assert!(good, "{name}: {read}");
        let read: serde_json::Value = serde_json::from_str(&read).unwrap();
        let json = text.lines().filter(|it| !it.starts_with('#'));
        let meant: serde_json::Value = serde_json::from_str(&json.collect::<String>()).unwrap();
        assert_eq!(read, meant, "{name}");
    }
}

/// exportfs has no check mode, and ends with 0 when it dropped an entry: what counts is the table it made.
#[test]
#[ignore = "needs root and the daemons"]
fn exportfs_makes_the_table_that_is_meant() {
    let Some(exportfs) = validator("exportfs") else {
        return;
    };
    let files = generated(|it| it.ends_with(".exports"));
    assert!(files.len() >= 2);
    for (name, text) in files {
        // Any directory that exists will do in place of the exported ones.
        let places = [
            ("/kickstart", "/etc"),
            ("/opt/lvs_software", "/usr"),
            ("/srv/data", "/opt"),
            ("/srv/www", "/home"),
            ("/srv/upload", "/var"),
            ("/srv/public", "/home"),
        ];
        let text = places
            .iter()
            .fold(text, |text, (from, to)| text.replace(from, to));
        let said = exported(&exportfs, &text);
        let mut got: Vec<String> = said.lines().map(entry).collect();
        let mut meant: Vec<String> = text.lines().skip(1).flat_map(entries).collect();
        got.sort();
        meant.sort();
        assert_eq!(got, meant, "{name}: {said}");
    }
}

/// What `exportfs -s` prints, and everything it complains about, in namespaces of its own.
fn exported(exportfs: &str, text: &str) -> String {
    let script = "
        mount -t tmpfs t /var/lib/nfs && : >/var/lib/nfs/etab && : >/var/lib/nfs/rmtab && mkdir /var/lib/nfs/sm
        [ ! -d /etc/exports.d ] || mount -t tmpfs t /etc/exports.d
        mount --bind \"$1\" /etc/exports
        \"$0\" -ra 2>&1; \"$0\" -s";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exports");
    fs::write(&path, text).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args("-m -n --propagation private sh -c".split(' '));
    let output = unshare
        .args([script, exportfs])
        .arg(&path)
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// `path client ro|rw (no_)root_squash` of a line as `exportfs -s` prints it.
fn entry(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (path, client) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    meaning(path, client)
}

/// The same of a line as we write it, for each client.
fn entries(line: &str) -> Vec<String> {
    let mut words = line.split(' ');
    let path = words.next().unwrap_or_default();
    words.map(|client| meaning(path, client)).collect()
}

fn meaning(path: &str, client: &str) -> String {
    let (who, options) = client
        .trim_end_matches(')')
        .split_once('(')
        .unwrap_or((client, "?"));
    let of = |wanted: &[&str]| {
        let found = options.split(',').find(|it| wanted.contains(it));
        found.unwrap_or("?").to_string()
    };
    let (access, root) = (of(&["ro", "rw"]), of(&["root_squash", "no_root_squash"]));
    format!("{path} {who} {access} {root}")
}

/// Debian's init script sources it.
#[test]
#[ignore = "needs root and the daemons"]
fn the_shell_reads_the_interfaces() {
    for (name, text) in generated(|it| it.ends_with("/default/isc-dhcp-server")) {
        let script = format!("{text}\n[ \"$INTERFACESv4\" = eth1 ] && [ -z \"$INTERFACESv6\" ]");
        assert_eq!(refusal("sh", &["-eu"], &script), None, "{name}");
    }
}

/// By its short name and its full one, and nobody else: what ssh makes of the file is what the document says.
#[test]
#[ignore = "needs root and the daemons"]
fn ssh_finds_the_real_servers() {
    let Some(ssh) = validator("ssh") else {
        return;
    };
    let mut seen = 0;
    for (case, director) in everything() {
        let document = super::document(&case);
        let desired = resolved(&case, &director);
        let Some((_, text)) = desired::render(&desired).find(|it| it.0.contains("/ssh_config.d/"))
        else {
            continue;
        };
        let domain = document
            .domain
            .as_ref()
            .map(|it| it.as_str())
            .unwrap_or_default();
        for machine in &document.real_servers {
            for name in [
                machine.name.to_string(),
                format!("{}.{domain}", machine.name),
            ] {
                let asked = asked(&ssh, &text, &name);
                assert_eq!(
                    asked,
                    (machine.address.to_string(), "root".into()),
                    "{case}: {name}"
                );
                assert_eq!(
                    self::asked(&ssh, &text, &format!("{name}x")).0,
                    format!("{name}x")
                );
                seen += 1;
            }
        }
        let other = asked(&ssh, &text, "rs9");
        assert_eq!(other.0, "rs9", "{case}");
    }
    assert!(seen >= 8, "{seen}");
}

/// Where ssh goes for a name, and as whom.
fn asked(ssh: &str, config: &str, name: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs::write(&path, config).unwrap();
    let output = Command::new(ssh)
        .args(["-G", "-F"])
        .arg(&path)
        .arg(name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let of = |word: &str| {
        let mut lines = said.lines().filter_map(|it| it.split_once(' '));
        lines.find(|it| it.0 == word).unwrap().1.to_owned()
    };
    (of("hostname"), of("user"))
}
