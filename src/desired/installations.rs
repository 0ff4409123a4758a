//! Installations: for each real server with a MAC the files that its installer reads.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::document::{
    AbsolutePath, Address, Export, Installer, KickstartProfile, KickstartTarget, MacAddress,
    NfsMount, PackageName, Partition, RealServer,
};
use crate::lint::{Code, Warning};
use crate::resources::file::{Content, File};

use super::files::with_content;
use super::machines::Machines;
use super::node::{Node, all_addresses};
use super::ports::{OpenPorts, Ports};
use super::problem::{Findings, Problem};
use super::render;
use super::services::Balanced;
use super::ssh;
use super::template::Templates;

/// Where they are exported from; installers that are told nothing look for `/kickstart/ADDRESS-kickstart`.
pub(super) const DIRECTORY: &str = "/kickstart";

/// One machine with everything that its installation needs: the profile, and what is different.
pub(super) struct Installation<'a> {
    pub machine: &'a RealServer,
    pub profile: &'a KickstartProfile,
    /// Where the profile stands in the document.
    pub position: usize,
    pub mac: MacAddress,
    /// With the domain.
    pub full_name: String,
    pub language: &'a str,
    pub keyboard: &'a str,
    pub timezone: &'a str,
    pub disk: &'a str,
    pub partitions: &'a [Partition],
    pub packages: Vec<&'a str>,
    pub mounts: Vec<Mounted<'a>>,
    /// Who may log in as root.
    pub ssh_keys: Vec<String>,
    /// The ports of its services.
    pub open: Vec<Ports>,
}

/// A directory that it mounts.
pub(super) struct Mounted<'a> {
    /// `address:/directory`, as mount(8) and fstab(5) read it.
    pub source: String,
    pub at: &'a AbsolutePath,
    pub writable: bool,
}

impl Installation<'_> {
    pub fn target(&self) -> KickstartTarget {
        self.profile.target
    }
}

/// All files of all installations. The director has a key of its own, perhaps.
pub(super) fn files(
    node: &Node,
    machines: &Machines,
    table: &Balanced,
    own_key: Option<&str>,
    findings: &mut Findings,
) -> Vec<File> {
    let profiles: Vec<_> = profiles(node).collect();
    if profiles.is_empty() {
        return Vec::new();
    }
    let open = OpenPorts::of(node, table);
    let mut templates = Templates::of(node);
    let mut files = Vec::new();
    let mut used = BTreeSet::new();
    for machine in &machines.all {
        let profile = profile_of(machine, &profiles);
        let Some((profile, mac)) = profile.zip(machine.mac) else {
            continue;
        };
        let open = open.of_machine(machine);
        let keys = ssh::keys(profile.1, own_key);
        let installation = installation(node, machine, profile, (mac, keys), open, findings);
        used.insert(installation.position);
        files.extend(read_by_installer(&mut templates, &installation, findings));
    }
    used.iter()
        .for_each(|it| point_out_hash(profiles[*it], findings));
    files
}

/// What real servers can be installed as.
pub(super) fn profiles<'a>(node: &Node<'a>) -> impl Iterator<Item = &'a KickstartProfile> {
    let netboot = node.document.netboot.iter();
    netboot.flat_map(|it| &it.kickstart)
}

/// The one it names, or the only one there is, with its position.
pub(super) fn profile_of<'a>(
    machine: &RealServer,
    profiles: &[&'a KickstartProfile],
) -> Option<(usize, &'a KickstartProfile)> {
    let mut all = profiles.iter().copied().enumerate();
    match (&machine.kickstart, profiles) {
        (Some(name), _) => all.find(|(_, it)| it.name == *name),
        (None, [only]) => Some((0, only)),
        (None, _) => None,
    }
}

/// Every default, and every exception, is settled here.
fn installation<'a>(
    node: &Node<'a>,
    machine: &'a RealServer,
    (position, profile): (usize, &'a KickstartProfile),
    (mac, ssh_keys): (MacAddress, Vec<String>),
    open: Vec<Ports>,
    findings: &mut Findings,
) -> Installation<'a> {
    let mounts = mounts(node, machine, position, profile, findings);
    let own = machine.install.as_deref();
    let disk = own
        .and_then(|it| it.disk.as_ref())
        .or(profile.disk.as_ref());
    let partitions = own.and_then(|it| it.partitions.as_deref());
    let extra = own.map_or(&[][..], |it| &it.extra_packages);
    Installation {
        machine,
        profile,
        position,
        mac,
        full_name: render::full_name(&machine.name, node.document.domain.as_ref()),
        language: profile
            .language
            .as_ref()
            .map_or("en_US.UTF-8", |it| it.as_str()),
        keyboard: profile.keyboard.as_ref().map_or("us", |it| it.as_str()),
        timezone: profile.timezone.as_ref().map_or("UTC", |it| it.as_str()),
        disk: disk.map_or("sda", |it| it.as_str()),
        partitions: partitions.unwrap_or(&profile.partitions),
        packages: packages(profile, extra, !mounts.is_empty()),
        mounts,
        ssh_keys,
        open,
    }
}

/// Those of the profile, or its target's core, those of the machine, and what mounting needs; each once.
fn packages<'a>(
    profile: &'a KickstartProfile,
    extra: &'a [PackageName],
    mounts: bool,
) -> Vec<&'a str> {
    let (core, nfs) = match profile.target {
        KickstartTarget::Rhel7 => ("@core", "nfs-utils"),
        KickstartTarget::Rhel8 | KickstartTarget::Rhel9 | KickstartTarget::Rhel10 => {
            ("@^minimal-environment", "nfs-utils")
        }
        it if it.installer() == Installer::Anaconda => ("@core", "nfs-utils"),
        // What every machine of theirs has needs no mention.
        _ => ("", "nfs-common"),
    };
    let mut packages: Vec<&str> = profile.packages.iter().map(|it| it.as_str()).collect();
    if packages.is_empty() && !core.is_empty() {
        packages.push(core);
    }
    let more = extra
        .iter()
        .map(|it| it.as_str())
        .chain(mounts.then_some(nfs));
    for package in more {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages
}

fn mounts<'a>(
    node: &Node<'a>,
    machine: &RealServer,
    position: usize,
    profile: &'a KickstartProfile,
    findings: &mut Findings,
) -> Vec<Mounted<'a>> {
    let mut mounts = Vec::new();
    for (at, mount) in profile.mounts.iter().enumerate() {
        let server = mount
            .server
            .map(|it| it.get())
            .or_else(|| inside_address(node, machine));
        match server {
            Some(server) => mounts.push(mounted(node, mount, server)),
            None => {
                let path = format!("netboot.kickstart[{position}].mounts[{at}]");
                let message = format!(
                    "{} has no inside address where {} is",
                    node.director.name, machine.name
                );
                findings.refuse(Problem::new(path, message, "add \"server\""));
            }
        }
    }
    mounts
}

fn mounted<'a>(node: &Node<'a>, mount: &'a NfsMount, server: IpAddr) -> Mounted<'a> {
    let server = match server {
        IpAddr::V4(it) => it.to_string(),
        IpAddr::V6(it) => format!("[{it}]"),
    };
    // The innermost export decides, as it does in the server.
    let exports = node.document.exports.iter();
    let export: Option<&Export> = exports
        .filter(|it| it.path.holds(&mount.export))
        .max_by_key(|it| it.path.as_str().len());
    Mounted {
        source: format!("{server}:{}", mount.export),
        at: mount.at.as_ref().unwrap_or(&mount.export),
        writable: export.and_then(|it| it.writable).unwrap_or(false),
    }
}

/// The director's address in the network of the machine.
pub(super) fn inside_address(node: &Node, machine: &RealServer) -> Option<IpAddr> {
    let there = Address::get(machine.address);
    let addresses = node.inside().flat_map(all_addresses);
    addresses
        .filter(|it| it.network().contains(there))
        .map(|it| it.address())
        .next()
}

/// Paths and contents.
fn read_by_installer(
    templates: &mut Templates,
    it: &Installation,
    findings: &mut Findings,
) -> Vec<File> {
    let (name, target) = (&it.machine.name, it.target());
    let content = match (it.profile.template.is_empty(), target.installer()) {
        (false, _) => templates.content(it, findings).unwrap_or_default(),
        (true, Installer::Anaconda) => render::kickstart(it),
        (true, Installer::Debian) => render::preseed(it),
        (true, Installer::Subiquity) => render::autoinstall(it),
    };
    let file = |path: String, content: &Content| {
        with_content(format!("{DIRECTORY}/{path}"), content.clone())
    };
    match (target.installer(), it.machine.address.get()) {
        (Installer::Anaconda, IpAddr::V4(address)) => {
            vec![
                file(format!("{name}.cfg"), &content),
                file(format!("{address}-kickstart"), &content),
            ]
        }
        (Installer::Anaconda, IpAddr::V6(_)) => vec![file(format!("{name}.cfg"), &content)],
        (Installer::Debian, _) => vec![file(format!("{name}.preseed"), &content)],
        (Installer::Subiquity, _) => {
            vec![
                file(format!("{name}/user-data"), &content),
                file(format!("{name}/meta-data"), &render::meta_data(it)),
            ]
        }
    }
}

/// An installer has no credentials: it reads the file as nobody, over NFS or HTTP, and so can anybody else.
fn point_out_hash(profile: &KickstartProfile, findings: &mut Findings) {
    if profile.root_password_file.is_some() {
        let message = format!(
            "kickstart profile {}: whoever can reach {DIRECTORY} can read the hash of root's password; \
             without rootPasswordFile the password is locked",
            profile.name
        );
        findings.warn(Warning::new(Code::ReadableHash, message).about(profile.name.as_str()));
    }
}
