//! Kickstart files that come over NFS, because no web server is to serve them.

use super::{Findings, index::Index};
use crate::document::{Export, ExportClient, Installer, KickstartProfile, Netboot, RealServer};
use std::{collections::BTreeSet, net::IpAddr};

/// Where kickstart files are.
const DIRECTORY: &str = "/kickstart";

/// Every machine that is installed can read its file.
pub fn kickstart_over_nfs(index: &Index<'_>, findings: &mut Findings) {
    let Some(netboot) = &index.document.netboot else {
        return;
    };
    let boot = netboot.boot.as_ref();
    if boot.and_then(|boot| boot.http) != Some(false) {
        return;
    }
    let installed: Vec<_> = index
        .real_servers()
        .filter_map(|(_, server)| Some((server, profile_of(server, netboot)?)))
        .collect();
    without_nfs(findings, &installed);
    let by_nfs = installed
        .iter()
        .filter(|(_, (_, profile))| profile.target.installer() == Installer::Anaconda);
    let by_nfs: Vec<&RealServer> = by_nfs.map(|(server, _)| *server).collect();
    if !by_nfs.is_empty() {
        mountable(index, findings, &by_nfs);
    }
}

/// A profile with its place in the list.
type Chosen<'d> = (usize, &'d KickstartProfile);

/// What a machine is installed by; that it may have none, or cannot choose, is a finding of its own.
fn profile_of<'d>(server: &RealServer, netboot: &'d Netboot) -> Option<Chosen<'d>> {
    server.mac?;
    let mut all = netboot.kickstart.iter().enumerate();
    match (&server.kickstart, netboot.kickstart.len()) {
        (Some(name), _) => all.find(|(_, it)| it.name == *name),
        (None, 1) => all.next(),
        (None, _) => None,
    }
}

fn without_nfs(findings: &mut Findings, installed: &[(&RealServer, Chosen<'_>)]) {
    let debian = installed
        .iter()
        .map(|(_, (at, profile))| (*at, profile.target.installer()))
        .filter(|(_, installer)| *installer == Installer::Debian);
    let places: BTreeSet<usize> = debian.map(|(at, _)| at).collect();
    for at in places {
        let message = "has an installer that reads no NFS, and netboot.boot.http is false";
        let fix = "remove \"http\" from netboot.boot, or install another target";
        findings.add(format_args!("netboot.kickstart[{at}].target"), message, fix);
    }
}

fn mountable(index: &Index<'_>, findings: &mut Findings, machines: &[&RealServer]) {
    let mut exports = index.document.exports.iter().enumerate();
    let found = exports.find(|(_, export)| export.path.as_str() == DIRECTORY);
    let Some((at, export)) = found else {
        let message = format!("leaves kickstart files to NFS, and {DIRECTORY} is not exported");
        let fix = format!("add {{ \"path\": \"{DIRECTORY}\" }} to exports, or remove this");
        let finding = findings.report("netboot.boot.http", message, fix);
        return finding.relying_on(&["exports"]);
    };
    let mut left_out = machines
        .iter()
        .filter(|machine| !may_mount(export, machine.address.get()));
    if let Some(first) = left_out.next() {
        let more = match left_out.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (name, address) = (&first.name, first.address);
        let message = format!("leave out {name} ({address}){more}, whose kickstart file is here");
        let fix = "add the network of its address, or remove them: default are the inside networks";
        let path = format_args!("exports[{at}].clients");
        findings
            .report(path, message, fix)
            .relying_on(&["realServers"]);
    }
}

/// Without clients it is for the inside networks, where machines are installed.
fn may_mount(export: &Export, machine: IpAddr) -> bool {
    let clients = export.clients.as_ref();
    clients.is_none_or(|clients| {
        clients.iter().any(|client| match client {
            ExportClient::Everyone => true,
            ExportClient::Network(network) => network.contains(machine),
        })
    })
}
