//! One kickstart file, in the commands that its target knows.

use std::fmt::Write as _;

use crate::document::{
    AbsolutePath, DomainName, KickstartProfile, KickstartTarget, MacAddress, Name, Partition,
};
use crate::resources::file::{Content, Piece};

use super::super::ports::Ports;
use super::{HEADER, full_name};

/// The whole file. The hash of root's password is put in where the file is written, and seen nowhere else.
pub(in super::super) fn kickstart(
    profile: &KickstartProfile,
    name: &Name,
    mac: MacAddress,
    domain: Option<&DomainName>,
    open: &[Ports],
) -> Content {
    let mut text = String::from(HEADER);
    write_install(&mut text, profile);
    let name = full_name(name, domain);
    let _ = writeln!(
        text,
        "network --bootproto=dhcp --device={mac} --hostname={name} --onboot=yes --activate"
    );
    let mut rest = String::new();
    write_security(&mut rest, profile.target, open);
    write_disk(&mut rest, profile);
    write_packages(&mut rest, profile);
    root_password(text, profile.root_password_file.as_ref(), rest)
}

fn root_password(before: String, hash: Option<&AbsolutePath>, after: String) -> Content {
    match hash {
        None => Content::text(format!("{before}rootpw --lock\n{after}")),
        Some(path) => Content(vec![
            Piece::Text(format!("{before}rootpw --iscrypted ")),
            Piece::Secret(path.to_string()),
            Piece::Text(format!("\n{after}")),
        ]),
    }
}

fn write_install(text: &mut String, profile: &KickstartProfile) {
    let language = profile
        .language
        .as_ref()
        .map_or("en_US.UTF-8", |it| it.as_str());
    let keyboard = profile.keyboard.as_ref().map_or("us", |it| it.as_str());
    let timezone = profile.timezone.as_ref().map_or("UTC", |it| it.as_str());
    let url = &profile.url;
    let _ = write!(
        text,
        "text\n\
         reboot\n\
         lang {language}\n\
         keyboard --vckeymap={keyboard} --xlayouts={keyboard}\n\
         timezone {timezone} --utc\n\
         url --url={url}\n"
    );
}

fn write_security(text: &mut String, target: KickstartTarget, open: &[Ports]) {
    let accounts = match target {
        KickstartTarget::Rhel7 => "auth --enableshadow --passalgo=sha512",
        KickstartTarget::Rhel8 | KickstartTarget::Rhel9 => "authselect select minimal",
        // authselect 1.5 has `local` in its place.
        KickstartTarget::Rhel10 => "authselect select local",
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

fn port((protocol, first, last): &Ports) -> String {
    if first == last {
        format!("{first}:{protocol}")
    } else {
        format!("{first}-{last}:{protocol}")
    }
}

fn write_disk(text: &mut String, profile: &KickstartProfile) {
    let disk = profile.disk.as_ref().map_or("sda", |it| it.as_str());
    let _ = write!(
        text,
        "ignoredisk --only-use={disk}\n\
         zerombr\n\
         clearpart --all --initlabel --drives={disk}\n\
         bootloader --location=mbr --boot-drive={disk}\n"
    );
    if profile.partitions.is_empty() {
        text.push_str("autopart\n");
        return;
    }
    let has_boot = profile
        .partitions
        .iter()
        .any(|it| it.mount.as_str() == "/boot");
    // What the firmware needs, and /boot unless it is stated.
    text.push_str(if has_boot {
        "reqpart\n"
    } else {
        "reqpart --add-boot\n"
    });
    for partition in &profile.partitions {
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

fn write_packages(text: &mut String, profile: &KickstartProfile) {
    text.push_str("\n%packages\n");
    if profile.packages.is_empty() {
        text.push_str(match profile.target {
            KickstartTarget::Rhel7 => "@core\n",
            KickstartTarget::Rhel8 | KickstartTarget::Rhel9 | KickstartTarget::Rhel10 => {
                "@^minimal-environment\n"
            }
        });
    }
    for package in &profile.packages {
        let _ = writeln!(text, "{package}");
    }
    text.push_str("%end\n");
}
