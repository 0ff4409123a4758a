//! Files of the author's own.

use crate::delta::Set;
use crate::document::PlainFile;
use crate::resources::file::{Content, File, Owner};

use super::files::with_content;
use super::node::Node;
use super::problem::{Findings, Problem};
use super::template::Templates;

/// All of them. `made` is what the rest of the document makes; both cannot be had in one place.
pub(super) fn files(node: &Node, made: &Set<File>, findings: &mut Findings) -> Vec<File> {
    let mut templates = Templates::of(node);
    let mut files = Vec::new();
    for (at, plain) in node.document.files.iter().enumerate() {
        if let Some(problem) = taken(at, plain, made) {
            findings.refuse(problem);
        }
        let text = match &plain.template {
            Some(lines) => templates.plain(at, lines, findings),
            None => Some(joined(plain)),
        };
        files.extend(text.map(|text| file(plain, text)));
    }
    files
}

fn joined(plain: &PlainFile) -> String {
    let lines = plain.content.iter().flatten();
    lines.map(|line| format!("{line}\n")).collect()
}

fn file(plain: &PlainFile, text: String) -> File {
    let named = |it: &Option<_>| it.as_ref().map_or("root".to_owned(), ToString::to_string);
    File {
        mode: Some(plain.mode.as_ref().map_or(0o644, |it| it.bits())),
        owner: Some(Box::new(Owner {
            user: named(&plain.owner),
            group: named(&plain.group),
        })),
        ..with_content(plain.path.as_str(), Content::text(text))
    }
}

/// Why there can be no file, when there is another or a directory.
fn taken(at: usize, plain: &PlainFile, made: &Set<File>) -> Option<Problem> {
    let below = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|it| it.starts_with('/'))
    };
    let own = plain.path.as_str();
    let mut others = made.keys().map(|it| it.path.as_str());
    let message = others.find_map(|other| match () {
        () if own == other => Some(format!("{own} is made by another section of the document")),
        () if below(own, other) => Some(format!("{own} is below {other}, which is a file")),
        () if below(other, own) => Some(format!("{own} is the directory of {other}")),
        () => None,
    })?;
    Some(Problem::new(
        format!("files[{at}].path"),
        message,
        "write another place, or remove it",
    ))
}
