//! Generated files and the units that read them.

use crate::delta::Set;
use crate::document::Export;
use crate::lint::Warning;
use crate::resources::file::{Content, File, FileKey, Form};
use crate::resources::module::Module;
use crate::resources::sysctl::Sysctl;
use crate::resources::unit::{OnChange, Unit};

use super::facts::{DhcpServer, Facts, Origin};
use super::machines::Machines;
use super::node::Node;
use super::problem::{Findings, Problem};
use super::services::Balanced;
use super::{boot, dhcp, hosts, installations, plain, render, ssh};

const MODULES: &str = "/etc/modules-load.d/lvs-reconcile.conf";
const SYSCTLS: &str = "/etc/sysctl.d/60-lvs-reconcile.conf";
const EXPORTS: &str = "/etc/exports.d/lvs-reconcile.exports";

/// Where the files of any document stand that are not in places of its own.
pub fn of_any_document(facts: &Facts) -> Vec<FileKey> {
    let of_server = |it: &DhcpServer| [Some(it.config.clone()), it.interfaces.clone()];
    let servers = facts.dhcp.iter().flat_map(of_server).flatten();
    let whole = [
        MODULES,
        SYSCTLS,
        EXPORTS,
        ssh::CONFIG,
        boot::TFTP,
        boot::NGINX,
        dhcp::DNSMASQ_HOSTS,
    ];
    let whole = whole.into_iter().map(str::to_owned).chain(servers);
    let whole = whole.map(|path| FileKey {
        path,
        form: Form::Whole,
    });
    whole.chain([hosts::place()]).collect()
}

/// Files and units of this node.
#[derive(Default)]
pub(super) struct Files {
    pub files: Set<File>,
    pub units: Set<Unit>,
}

impl Files {
    /// All but the boot files, which follow from the rest of the state.
    pub fn of(
        node: &Node,
        machines: &Machines,
        facts: &Facts,
        table: &Balanced,
        findings: &mut Findings,
    ) -> Self {
        let mut all = Self::default();
        all.files.extend(hosts::block(node, facts, findings));
        all.files.extend(ssh::config(node));
        let key = ssh::key(node, facts, findings);
        all.files.extend(installations::files(
            node,
            machines,
            table,
            key.as_deref(),
            findings,
        ));
        all.files
            .extend(boot::files(node, machines, facts, findings));
        all.add(exports(node, facts, findings));
        all.add(dhcp::server(node, machines, facts, findings));
        all.add(boot::web(node, facts, findings));
        all.add(boot::tftp(node, facts, findings));
        if facts.origin == Origin::Assumed && !all.units.is_empty() {
            let names: Vec<&str> = all.units.iter().map(|it| it.name.as_str()).collect();
            let names = names.join(", ");
            findings.warn(Warning::note(format!(
                "the director was not looked at: {names} as on Debian assumed"
            )));
        }
        all
    }

    /// With what makes a reboot come back as it was.
    pub fn with_boot_files(mut self, modules: &Set<Module>, sysctls: &Set<Sysctl>) -> Self {
        if !modules.is_empty() {
            self.files.insert(whole(MODULES, render::modules(modules)));
        }
        if !sysctls.is_empty() {
            self.files.insert(whole(SYSCTLS, render::sysctls(sysctls)));
        }
        self
    }

    /// With those of the author's own, which find every other place taken.
    pub fn with_plain_files(mut self, node: &Node, findings: &mut Findings) -> Self {
        let plain = plain::files(node, &self.files, findings);
        self.files.extend(plain);
        self
    }

    fn add(&mut self, served: Option<Served>) {
        let Some(Served { files, unit }) = served else {
            return;
        };
        self.files.extend(files);
        self.units.insert(unit);
    }
}

/// A daemon and all files that it reads.
pub(super) struct Served {
    pub files: Vec<File>,
    pub unit: Unit,
}

impl Served {
    pub fn new(unit: &str, on_change: OnChange, files: Vec<File>) -> Self {
        let shown: Vec<String> = files.iter().map(|it| it.content.shown()).collect();
        let paths = files.iter().map(|it| it.key.path.as_str());
        let mut unit = Unit {
            name: unit.to_string(),
            reads: paths.clone().map(String::from).collect(),
            on_change,
            config: None,
        };
        unit.config = Some(unit.digest(paths.zip(shown.iter().map(String::as_str))));
        Self { files, unit }
    }
}

/// A file of ours from its first byte to its last; everybody may read it.
pub(super) fn whole(path: impl Into<String>, text: String) -> File {
    with_content(path, Content::text(text))
}

/// The same, with a content that may refer to secrets.
pub(super) fn with_content(path: impl Into<String>, content: Content) -> File {
    File {
        key: FileKey {
            path: path.into(),
            form: Form::Whole,
        },
        content,
        mode: Some(0o644),
        owner: None,
        untouched_default: false,
    }
}

fn exports(node: &Node, facts: &Facts, findings: &mut Findings) -> Option<Served> {
    let exports: &[Export] = &node.document.exports;
    let inside = node.inside_networks();
    for (index, export) in exports.iter().enumerate() {
        // A path without clients would be exported to everyone.
        if export.clients.as_ref().map_or(inside.len(), Vec::len) == 0 {
            let message = format!("{} has no inside network to export to", node.director.name);
            let path = format!("exports[{index}]");
            findings.refuse(Problem::new(path, message, "name its clients"));
        }
    }
    if facts.nfs_unit.is_none() && !exports.is_empty() {
        let message = format!("no NFS server is installed on {}", node.director.name);
        let fix = "install nfs-kernel-server (Debian) or nfs-utils (Red Hat), or remove exports";
        findings.refuse(Problem::new("exports", message, fix));
    }
    let unit = facts.nfs_unit.as_ref().filter(|_| !exports.is_empty())?;
    let file = whole(EXPORTS, render::exports(exports, &inside));
    Some(Served::new(unit, OnChange::Reexport, vec![file]))
}
