//! One kickstart file, in the commands that its target knows.

use std::fmt::Write as _;

use crate::document::{KickstartTarget, Partition};
use crate::resources::file::Content;

use super::super::installations::Installation;
use super::super::ports::Ports;
use super::HEADER;
use super::finish::{By, finish, joined};
use super::secret::{PASSWORD, with_password};

/// The whole file.
pub(in super::super) fn kickstart(it: &Installation) -> Content {
    let mut text = String::from(HEADER);
    write_install(&mut text, it);
    let (mac, name) = (it.mac, &it.full_name);
    let _ = writeln!(
        text,
        "network --bootproto=dhcp --device={mac} --hostname={name} --onboot=yes --activate"
    );
    write_root(&mut text, it);
    write_security(&mut text, it.target(), &it.open);
    write_disk(&mut text, it);
    if !it.profile.enabled_services.is_empty() {
        let services: Vec<&str> = it
            .profile
            .enabled_services
            .iter()
            .map(|it| it.as_str())
            .collect();
        let _ = writeln!(text, "services --enabled={}", services.join(","));
    }
    let _ = write!(text, "\n%packages\n{}%end\n", joined(&it.packages));
    write_scripts(&mut text, it);
    with_password(text, it.profile.root_password_file.as_ref())
}

/// The password of root, and the keys that may come in its place.
fn write_root(text: &mut String, it: &Installation) {
    match &it.profile.root_password_file {
        Some(_) => text.extend(["rootpw --iscrypted ", &PASSWORD.to_string(), "\n"]),
        None => text.push_str("rootpw --lock\n"),
    }
    if keys_by(it) == By::Installer {
        for key in &it.ssh_keys {
            let key = shell_words::quote(key);
            let _ = writeln!(text, "sshkey --username=root {key}");
        }
    }
}

/// Red Hat 7 has no command for keys, and the others take one for each account: a second one is an error.
fn keys_by(it: &Installation) -> By {
    match (it.target(), it.ssh_keys.as_slice()) {
        (KickstartTarget::Rhel7, _) | (_, [_, _, ..]) => By::Script,
        _ => By::Installer,
    }
}

/// Where each script leaves its output: in memory before there is a system, in root's home then.
fn write_scripts(text: &mut String, it: &Installation) {
    let ours = joined(&finish(it, keys_by(it), By::Installer));
    let scripts = [
        (
            "%pre --erroronfail --log=/tmp/ks-pre.log",
            joined(&it.profile.pre),
        ),
        ("%post --erroronfail --log=/root/ks-finish.log", ours),
        (
            "%post --erroronfail --log=/root/ks-post.log",
            joined(&it.profile.post),
        ),
    ];
    for (section, body) in scripts.iter().filter(|(_, body)| !body.is_empty()) {
        let _ = write!(text, "\n{section}\n{body}%end\n");
    }
}

fn write_install(text: &mut String, it: &Installation) {
    let Installation {
        language, keyboard, ..
    } = it;
    let _ = write!(
        text,
        "text\n\
         reboot\n\
         lang {language}\n\
         keyboard --vckeymap={keyboard} --xlayouts={keyboard}\n"
    );
    write_time(text, it);
    let _ = writeln!(text, "url --url={}", it.profile.url);
    for repository in &it.profile.repositories {
        let _ = writeln!(
            text,
            "repo --name={} --baseurl={}",
            repository.name, repository.url
        );
    }
}

/// Servers are an option of the time zone up to Red Hat 8, and commands from 9 on.
fn write_time(text: &mut String, it: &Installation) {
    let servers: Vec<&str> = it
        .profile
        .ntp_servers
        .iter()
        .map(|it| it.as_str())
        .collect();
    let has_timesource = !matches!(it.target(), KickstartTarget::Rhel7 | KickstartTarget::Rhel8);
    let _ = write!(text, "timezone {} --utc", it.timezone);
    if !servers.is_empty() && !has_timesource {
        let _ = write!(text, " --ntpservers={}", servers.join(","));
    }
    text.push('\n');
    for server in servers.iter().filter(|_| has_timesource) {
        let _ = writeln!(text, "timesource --ntp-server={server}");
    }
}

fn write_security(text: &mut String, target: KickstartTarget, open: &[Ports]) {
    let accounts = match target {
        KickstartTarget::Rhel7 => "auth --enableshadow --passalgo=sha512",
        KickstartTarget::Rhel8 | KickstartTarget::Rhel9 => "authselect select minimal",
        // authselect 1.5 has `local` in its place.
        _ => "authselect select local",
    };
    let ports: Vec<String> = open.iter().map(port).collect();
    let ports = match ports.as_slice() {
        [] => String::new(),
        ports => format!(" --port={}", ports.join(",")),
    };
    let _ = write!(
        text,
        "{accounts}\n\
         selinux --enforcing\n\
         firewall --enabled --service=ssh{ports}\n\
         firstboot --disable\n\
         skipx\n"
    );
}

/// `80:tcp`, `5000-5003:udp`.
pub(in super::super) fn port((protocol, first, last): &Ports) -> String {
    if first == last {
        format!("{first}:{protocol}")
    } else {
        format!("{first}-{last}:{protocol}")
    }
}

fn write_disk(text: &mut String, it: &Installation) {
    let Installation {
        disk, partitions, ..
    } = it;
    let _ = write!(
        text,
        "ignoredisk --only-use={disk}\n\
         zerombr\n\
         clearpart --all --initlabel --drives={disk}\n\
         bootloader --location=mbr --boot-drive={disk}\n"
    );
    if partitions.is_empty() {
        text.push_str("autopart\n");
        return;
    }
    let has_boot = partitions.iter().any(|it| it.mount.as_str() == "/boot");
    // What the firmware needs, and /boot unless it is stated.
    text.push_str(if has_boot {
        "reqpart\n"
    } else {
        "reqpart --add-boot\n"
    });
    for partition in *partitions {
        write_partition(text, partition, disk);
    }
}

fn write_partition(text: &mut String, partition: &Partition, disk: &str) {
    let Partition {
        mount,
        size_mib,
        grow,
    } = partition;
    let file_system = match mount.as_str() {
        "swap" => "swap",
        "biosboot" => "biosboot",
        _ => "xfs",
    };
    let grow = if grow.unwrap_or(false) { " --grow" } else { "" };
    let _ = writeln!(
        text,
        "part {mount} --fstype={file_system} --size={size_mib}{grow} --ondisk={disk}"
    );
}
