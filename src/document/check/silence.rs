//! Silences: each is about something that is there.

use super::{Findings, Index};
use crate::document::{Document, Name};
use foldhash::HashSet;

/// The sections in which `at` finds a name.
const SECTIONS: &[&str] = &[
    "directors",
    "realServers",
    "vips",
    "services",
    "exports",
    "files",
    "firewall",
    "netboot",
];

/// What `at` names is there, and nothing is said twice.
pub fn subjects(index: &Index<'_>, findings: &mut Findings) {
    let silences = &index.document.silence;
    let mut seen = HashSet::default();
    for (at, silence) in silences.iter().enumerate() {
        if !seen.insert((silence.code, &silence.at)) {
            let message = "stands in the list already";
            findings.add(format_args!("silence[{at}]"), message, "keep one");
        }
    }
    if silences.iter().all(|it| it.at.is_none()) {
        return;
    }
    let known: HashSet<&str> = names(index.document).collect();
    for (at, silence) in silences.iter().enumerate() {
        let path = format_args!("silence[{at}].at");
        let Some(subject) = &silence.at else { continue };
        if silence.code.at().is_empty() {
            let message = format!("has no effect: {} is silenced altogether", silence.code);
            findings.add(path, message, "remove it");
        } else if !known.contains(subject.as_str()) {
            let fix = findings.suggest(subject.as_str(), names(index.document));
            let finding = findings.report(path, "is the name of nothing here", fix);
            finding.alone().relying_on(SECTIONS);
        }
    }
}

/// Everything that a warning can be about.
fn names(document: &Document) -> impl Iterator<Item = &str> {
    let drops = document.firewall.iter().flat_map(|it| &it.drop);
    let profiles = document.netboot.iter().flat_map(|it| &it.kickstart);
    let interfaces = document.directors.iter().flat_map(|it| &it.interfaces);
    let names = document.directors.iter().map(|it| &it.name);
    let names = names
        .chain(document.real_servers.iter().map(|it| &it.name))
        .chain(document.vips.iter().map(|it| &it.name))
        .chain(document.services.iter().map(|it| &it.name))
        .chain(drops.map(|it| &it.name))
        .chain(profiles.map(|it| &it.name));
    let exports = document.exports.iter().map(|it| it.path.as_str());
    let files = document.files.iter().map(|it| it.path.as_str());
    names
        .map(Name::as_str)
        .chain(interfaces.map(|it| it.name.as_str()))
        .chain(exports)
        .chain(files)
}
