//! What machines find that boot from the network: their installer when they are armed, their disk when not.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::document::{
    Boot, Document, Installer, Interface, KickstartProfile, KickstartTarget, RealServer,
};
use crate::lint::{Code, Warning};
use crate::resources::file::File;
use crate::resources::unit::OnChange;

use super::backend;
use super::dhcp::Place;
use super::facts::{Backend, Facts};
use super::files::{Served, whole};
use super::installations::{self, DIRECTORY as KICKSTART};
use super::machines::Machines;
use super::node::Node;
use super::problem::{Findings, Problem};
use super::render::{self, Copies, Install, Loaded, Web};

const BOOT_DIRECTORY: &str = "/srv/tftp";
pub(super) const TFTP: &str = "/etc/dnsmasq.d/lvs-reconcile-tftp.conf";
const WEB_ROOT: &str = "/srv/http";
pub(super) const NGINX: &str = "/etc/nginx/conf.d/lvs-reconcile.conf";
/// Which kickstart files were fetched over HTTP; see `render::nginx`.
pub const WEB_LOG: &str = "/var/log/nginx/lvs-reconcile.log";

/// The section, and the director's own address in the network that machines boot in.
pub(super) struct Booting<'a> {
    boot: &'a Boot,
    own: Ipv4Addr,
    network: Ipv4Net,
    interface: &'a Interface,
}

impl<'a> Booting<'a> {
    /// None when the document leaves booting alone, or has no place for it, which is said elsewhere.
    pub fn of(node: &Node<'a>) -> Option<Self> {
        let netboot = node.document.netboot.as_ref()?;
        let place = Place::of(node, netboot.dhcp.as_ref()?)?;
        Some(Self {
            boot: netboot.boot.as_ref()?,
            own: place.own,
            network: place.network,
            interface: place.interface,
        })
    }

    fn directory(&self) -> &'a str {
        let named = self.boot.directory.as_ref();
        named.map_or(BOOT_DIRECTORY, |it| it.as_str())
    }

    fn has_web(&self) -> bool {
        self.boot.http.unwrap_or(true)
    }

    /// For a firmware that boots over HTTP. An iPXE that uses the firmware's driver of the network card, as that of 2019
    /// with drivers of its own (`ipxe.efi` of Debian) does not come back from `exit`, and no disk is booted (OVMF 2022.11).
    fn web_loader(&self) -> Option<String> {
        let loaders = self.boot.loaders.as_ref();
        let named = loaders.and_then(|it| it.uefi_http.as_ref());
        self.has_web().then(|| Loaded::file(named, "snponly.efi"))
    }

    /// What DHCP hands out.
    pub fn loaded(&self) -> Loaded {
        let named = self.boot.loaders.clone().unwrap_or_default();
        Loaded {
            bios: Loaded::file(named.bios.as_ref(), "pxelinux.0"),
            uefi: Loaded::file(named.uefi.as_ref(), "grubnetx64.efi"),
            uefi_arm: Loaded::file(named.uefi_arm.as_ref(), "grubnetaa64.efi"),
            tftp: self
                .boot
                .tftp
                .unwrap_or(true)
                .then(|| self.directory().to_owned()),
            uefi_http: self
                .web_loader()
                .map(|file| format!("http://{}/boot/{file}", self.own)),
        }
    }

    /// What nginx serves.
    fn web(&self) -> File {
        let root = self.boot.web_root.as_ref();
        let web = Web {
            address: self.own,
            clients: self.network,
            boot: self.directory(),
            kickstart: KICKSTART,
            root: root.map_or(WEB_ROOT, |it| it.as_str()),
            log: WEB_LOG,
        };
        whole(NGINX, render::nginx(&web))
    }

    fn install<'m>(
        &self,
        machine: &'m RealServer,
        profile: &KickstartProfile,
    ) -> Option<Install<'m>> {
        let tree = profile.url.as_str().trim_end_matches('/');
        let (kernel, initrd) = installer(profile.target)?;
        let mut arguments = self.told(machine, profile.target, tree)?;
        arguments.extend(self.boot.kernel_arguments.iter().map(ToString::to_string));
        Some(Install {
            name: &machine.name,
            mac: machine.mac?,
            kernel: format!("{tree}/{kernel}"),
            initrd: format!("{tree}/{initrd}"),
            copies: Copies::of(&profile.name),
            arguments,
        })
    }

    /// What its kernel is told, so that the installer asks nobody.
    fn told(
        &self,
        machine: &RealServer,
        target: KickstartTarget,
        tree: &str,
    ) -> Option<Vec<String>> {
        let (own, name) = (self.own, &machine.name);
        if target.installer() == Installer::Debian {
            // d-i reads no NFS.
            let url = format!("preseed/url=http://{own}{KICKSTART}/{name}.preseed");
            let told = ["auto=true", "priority=critical", &url].map(String::from);
            return self.has_web().then(|| told.into());
        }
        let path = format!("{KICKSTART}/{name}.cfg");
        let kickstart = match self.has_web() {
            true => format!("inst.ks=http://{own}{path}"),
            false => format!("inst.ks=nfs:{own}:{path}"),
        };
        let mut told = vec![format!("inst.repo={tree}"), kickstart];
        if target == KickstartTarget::Rhel7 {
            told.push("ksdevice=bootif".into());
        }
        Some(told)
    }

    fn files(&self, armed: &[Install]) -> Vec<File> {
        let directory = self.directory();
        let at = |path: &str, text: String| whole(format!("{directory}/{path}"), text);
        let mut files = vec![
            at("pxelinux.cfg/default", render::pxelinux_default()),
            at("grub/grub.cfg", render::grub_default(armed)),
            at(render::IPXE, render::ipxe_default()),
        ];
        for machine in armed {
            let (card, mac) = (machine.card(), render::dashed(machine.mac));
            files.extend([
                at(&format!("pxelinux.cfg/{card}"), render::pxelinux(machine)),
                at(
                    &format!("grub/{}", render::grub_name(machine)),
                    render::grub(machine),
                ),
                at(&format!("ipxe/{mac}.ipxe"), render::ipxe(machine)),
            ]);
        }
        files
    }
}

/// The boot files, with an installer for every machine that is armed.
pub(super) fn files(
    node: &Node,
    machines: &Machines,
    facts: &Facts,
    findings: &mut Findings,
) -> Vec<File> {
    let Some(booting) = Booting::of(node) else {
        return Vec::new();
    };
    let profiles: Vec<&KickstartProfile> = installations::profiles(node).collect();
    let machine = |name: &&String| machines.all.iter().find(|it| it.name.as_str() == **name);
    let mut armed = Vec::new();
    for name in &facts.armed {
        let Some(machine) = machine(&name) else {
            let message = format!("{name} is armed, and no real server is called so");
            findings.warn(Warning::new(Code::ArmedNobody, message));
            continue;
        };
        let profile = installations::profile_of(machine, &profiles).map(|(_, it)| it);
        match profile.and_then(|it| booting.install(machine, it)) {
            Some(install) => armed.push(install),
            None => findings.refuse(unable(machine, profile)),
        }
    }
    booting.files(&armed)
}

/// The web server, when it is to serve.
pub(super) fn web(node: &Node, facts: &Facts, findings: &mut Findings) -> Option<Served> {
    let booting = Booting::of(node).filter(Booting::has_web)?;
    let Some(unit) = &facts.web_unit else {
        let message = format!("nginx is not installed on {}", node.director.name);
        let fix = "install nginx, or set \"http\" to false: kickstart files then come over NFS";
        findings.refuse(Problem::new("netboot.boot.http", message, fix));
        return None;
    };
    Some(Served::new(unit, OnChange::Renew, vec![booting.web()]))
}

/// dnsmasq for TFTP alone, where another serves DHCP.
pub(super) fn tftp(node: &Node, facts: &Facts, findings: &mut Findings) -> Option<Served> {
    let booting = Booting::of(node)?;
    let dhcp = node.document.netboot.as_ref()?.dhcp.as_ref()?;
    let directory = booting.loaded().tftp?;
    if backend::chosen(node, dhcp, facts).ok()?.0.backend == Backend::Dnsmasq {
        return None;
    }
    let Some(dnsmasq) = facts.dhcp.iter().find(|it| it.backend == Backend::Dnsmasq) else {
        let message = format!(
            "dnsmasq, which serves TFTP, is not installed on {}",
            node.director.name
        );
        let fix = format!(
            "install dnsmasq, or serve {directory} by another server and set \"tftp\" to false"
        );
        findings.refuse(Problem::new("netboot.boot.tftp", message, fix));
        return None;
    };
    let text = render::tftp(&booting.interface.name, &directory, facts.serves_dns);
    Some(Served::new(
        &dnsmasq.unit,
        OnChange::Restart,
        vec![whole(TFTP, text)],
    ))
}

/// Where the installer of one machine comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// What is reserved for the machine.
    pub address: IpAddr,
    /// URLs.
    pub kernel: String,
    pub initrd: String,
    /// Where copies of both go, on the director.
    pub copies: [String; 2],
    /// Files of the director, one of which the firmware loads first.
    pub loaders: Vec<String>,
}

/// What installing `machine` takes.
///
/// # Errors
/// When the document does not say how.
pub fn sources(document: &Document, director: &str, machine: &str) -> Result<Sources, Problem> {
    let node = Node::find(document, director)?;
    let booting = Booting::of(&node).ok_or_else(|| {
        let message = "the document in force has no network boot";
        Problem::new("netboot.boot", message, "add \"boot\": {} and apply it")
    })?;
    let mut all = document.real_servers.iter();
    let machine = all.find(|it| it.name.as_str() == machine).ok_or_else(|| {
        let message = format!("no real server is called {machine:?}");
        Problem::new("realServers", message, "see `lvs-reconcile status`")
    })?;
    let profiles: Vec<&KickstartProfile> = installations::profiles(&node).collect();
    let profile = installations::profile_of(machine, &profiles).map(|(_, it)| it);
    let install = profile.and_then(|it| booting.install(machine, it));
    let install = install.ok_or_else(|| unable(machine, profile))?;
    let Loaded {
        bios,
        uefi,
        uefi_arm,
        ..
    } = booting.loaded();
    let at = |name: String| format!("{}/{name}", booting.directory());
    Ok(Sources {
        address: machine.address.get(),
        copies: [install.copies.kernel, install.copies.initrd].map(at),
        kernel: install.kernel,
        initrd: install.initrd,
        loaders: [bios, uefi, uefi_arm]
            .into_iter()
            .chain(booting.web_loader())
            .map(at)
            .collect(),
    })
}

/// Kernel and initrd of an installer, below the URL of its packages. A mirror of Ubuntu has none.
fn installer(target: KickstartTarget) -> Option<(String, String)> {
    let both = |directory: &str, kernel: &str, initrd: &str| {
        (
            format!("{directory}/{kernel}"),
            format!("{directory}/{initrd}"),
        )
    };
    match (target.installer(), target) {
        (Installer::Anaconda, _) => Some(both("images/pxeboot", "vmlinuz", "initrd.img")),
        (Installer::Debian, KickstartTarget::Debian12) => {
            Some(both(&netboot("bookworm"), "linux", "initrd.gz"))
        }
        (Installer::Debian, _) => Some(both(&netboot("trixie"), "linux", "initrd.gz")),
        (Installer::Subiquity, _) => None,
    }
}

fn netboot(suite: &str) -> String {
    format!("dists/{suite}/main/installer-amd64/current/images/netboot/debian-installer/amd64")
}

fn unable(machine: &RealServer, profile: Option<&KickstartProfile>) -> Problem {
    let (lacks, fix) = match (machine.mac, profile) {
        (None, _) => ("it has no mac", "add it"),
        (_, None) => ("it has no kickstart profile", "add one"),
        (_, Some(it)) if it.target.installer() == Installer::Debian => (
            "Debian's installer needs HTTP",
            "set netboot.boot.http to true",
        ),
        _ => (
            "a mirror of its packages holds no installer",
            "boot it from the ISO of its target",
        ),
    };
    let message = format!(
        "{} cannot be installed over the network: {lacks}",
        machine.name
    );
    Problem::new("realServers", message, fix)
}
