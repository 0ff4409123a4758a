//! Installations: what a profile asks for, its installer can do.

use super::{Findings, index::Index, names::once, netboot::asked_by_clients};
use crate::document::{
    InstallException, Installer, KickstartProfile, MountPoint, NfsMount, PackageName, Partition,
};
use std::collections::BTreeSet;
use std::fmt::{Arguments, Display};

/// Profiles can be installed.
pub fn profiles(index: &Index<'_>, findings: &mut Findings) {
    for (at, profile) in kickstart(index).enumerate() {
        let path = format_args!("netboot.kickstart[{at}]");
        partitions(
            findings,
            format_args!("{path}.partitions"),
            &profile.partitions,
        );
        lists(findings, path, profile);
        packages(
            findings,
            format_args!("{path}.packages"),
            &profile.packages,
            profile,
        );
        expressible(findings, path, profile);
        for (position, mount) in profile.mounts.iter().enumerate() {
            mounted(
                index,
                findings,
                format_args!("{path}.mounts[{position}]"),
                mount,
            );
        }
    }
}

fn kickstart<'d>(index: &Index<'d>) -> impl Iterator<Item = &'d KickstartProfile> + use<'d> {
    let netboot = index.document.netboot.iter();
    netboot.flat_map(|it| &it.kickstart)
}

fn lists(findings: &mut Findings, path: Arguments<'_>, profile: &KickstartProfile) {
    once(
        findings,
        format_args!("{path}.ntpServers"),
        "",
        &profile.ntp_servers,
    );
    for (at, server) in profile.ntp_servers.iter().enumerate() {
        if let Ok(server) = server.as_str().parse() {
            asked_by_clients(findings, format_args!("{path}.ntpServers[{at}]"), server);
        }
    }
    let repositories = profile.repositories.iter().map(|it| &it.name);
    once(
        findings,
        format_args!("{path}.repositories"),
        "name",
        repositories,
    );
    once(
        findings,
        format_args!("{path}.sshKeys"),
        "",
        &profile.ssh_keys,
    );
    once(
        findings,
        format_args!("{path}.enabledServices"),
        "",
        &profile.enabled_services,
    );
    let places = profile
        .mounts
        .iter()
        .map(|it| it.at.as_ref().unwrap_or(&it.export));
    once(findings, format_args!("{path}.mounts"), "at", places);
}

/// One environment at most for Anaconda; for the others names of packages as dpkg has them, no groups and no patterns.
fn packages(
    findings: &mut Findings,
    path: impl Display,
    packages: &[PackageName],
    profile: &KickstartProfile,
) {
    once(findings, &path, "", packages);
    let target = profile.target;
    if target.installer() == Installer::Anaconda {
        let names = packages.iter().enumerate();
        let environments = names.filter(|(_, it)| it.as_str().starts_with("@^"));
        for (at, _) in environments.skip(1) {
            let message = "is a second environment, and the installer takes the last one only";
            findings.add(format_args!("{path}[{at}]"), message, "keep one");
        }
        return;
    }
    for (at, _) in packages
        .iter()
        .enumerate()
        .filter(|(_, it)| !is_of_dpkg(it))
    {
        let message = format!("is no package of {target}");
        let fix = "write the name of one package: a-z, 0-9, \"+\", \"-\" and \".\"";
        findings.add(format_args!("{path}[{at}]"), message, fix);
    }
}

fn is_of_dpkg(package: &PackageName) -> bool {
    let name = package.as_str();
    name.len() > 1
        && name
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "+-.".contains(it))
}

/// Fields that the installer has no words for.
fn expressible(findings: &mut Findings, path: Arguments<'_>, profile: &KickstartProfile) {
    let target = profile.target;
    let mut refuse = |field: &str, fix: &str| {
        let message = format!("cannot be said to the installer of {target}");
        findings
            .report(format_args!("{path}.{field}"), message, fix)
            .alone();
    };
    let installer = target.installer();
    if installer == Installer::Subiquity && !profile.template.is_empty() {
        refuse(
            "template",
            "remove it: templates are for kickstart and preseed",
        );
    } else if !profile.template.is_empty() {
        // It says things in its own way.
        return;
    }
    if installer != Installer::Anaconda && !profile.partitions.is_empty() {
        refuse("partitions", "remove them: it divides \"disk\" itself");
    }
    if installer != Installer::Anaconda && !profile.repositories.is_empty() {
        refuse(
            "repositories",
            "remove them, and add the repository in \"post\"",
        );
    }
    if installer == Installer::Debian && profile.ntp_servers.len() > 1 {
        refuse("ntpServers[1]", "keep one: it asks for one server");
    }
}

/// What is mounted is exported, and it is known who serves it.
fn mounted(index: &Index<'_>, findings: &mut Findings, path: Arguments<'_>, mount: &NfsMount) {
    let exports = || index.document.exports.iter().map(|it| &it.path);
    if mount.server.is_none() && !exports().any(|it| it.holds(&mount.export)) {
        let fix = findings.suggest(mount.export.as_str(), exports().map(|it| it.as_str()));
        let message = "is in none of the exports";
        findings
            .report(format_args!("{path}.export"), message, fix)
            .relying_on(&["exports"]);
    }
    if mount.server.is_none() && index.document.directors.len() > 1 {
        let message = "there are several directors, and a mount outlives any of them";
        let fix = "add \"server\", such as the inside address that they share";
        findings
            .report(path, message, fix)
            .relying_on(&["directors"]);
    }
}

fn partitions(findings: &mut Findings, path: Arguments<'_>, partitions: &[Partition]) {
    let mounts = || partitions.iter().map(|partition| &partition.mount);
    once(findings, path, "mount", mounts());
    let is_root = |mount: &MountPoint| mount.as_str() == "/";
    if !partitions.is_empty() && !mounts().any(is_root) {
        let fix = "add { \"mount\": \"/\", \"sizeMiB\": 4096, \"grow\": true }";
        findings.add(path, "no partition is mounted at \"/\"", fix);
    }
}

/// What is different about a machine is right, too, and can be said to the installer of its profile.
pub fn exceptions(index: &Index<'_>, findings: &mut Findings) {
    for (at, server) in index.real_servers() {
        let Some(install) = &server.install else {
            continue;
        };
        let path = format_args!("realServers[{at}].install");
        if server.mac.is_none() {
            let name = &server.name;
            let message = format!("has no effect: without a mac {name} is not installed");
            findings.add(path, message, "add its mac, or remove this");
        }
        let own = install.partitions.as_deref().unwrap_or_default();
        partitions(findings, format_args!("{path}.partitions"), own);
        let named = |it: &&KickstartProfile| {
            server
                .kickstart
                .as_ref()
                .is_none_or(|name| it.name == *name)
        };
        match kickstart(index).find(named) {
            Some(profile) => exception(findings, path, install, profile),
            None => findings
                .report(
                    path,
                    "there is no profile to differ from",
                    "add one to netboot.kickstart",
                )
                .relying_on(&["netboot"]),
        }
    }
}

fn exception(
    findings: &mut Findings,
    path: Arguments<'_>,
    install: &InstallException,
    profile: &KickstartProfile,
) {
    let extra = format_args!("{path}.extraPackages");
    packages(findings, extra, &install.extra_packages, profile);
    let target = profile.target;
    let expressible = target.installer() == Installer::Anaconda || !profile.template.is_empty();
    if install.partitions.is_some() && !expressible {
        let message = format!("cannot be said to the installer of {target}");
        findings
            .report(format_args!("{path}.partitions"), message, "remove them")
            .relying_on(&["netboot"]);
    }
}

/// Every machine that is installed knows its profile.
pub fn chosen_profiles(index: &Index<'_>, findings: &mut Findings) {
    let names: BTreeSet<&str> = kickstart(index).map(|it| it.name.as_str()).collect();
    for (at, server) in index.real_servers() {
        match &server.kickstart {
            Some(name) if !names.contains(name.as_str()) => {
                let fix = findings.suggest(name.as_str(), names.iter().copied());
                let path = format_args!("realServers[{at}].kickstart");
                let finding = findings.report(path, "is no profile", fix);
                finding.alone().relying_on(&["netboot"]);
            }
            None if server.mac.is_some() && names.len() > 1 => {
                let some: Vec<&str> = names.iter().copied().take(8).collect();
                let message = format!("{} has a mac and could have several profiles", server.name);
                let fix = format!("add \"kickstart\": one of {}", some.join(", "));
                findings.add(format_args!("realServers[{at}]"), message, fix);
            }
            _ => {}
        }
    }
}
