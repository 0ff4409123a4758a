//! Says everything that is wrong with a document, with line and column.
//!
//! Slow and thorough: the text is parsed again with positions, everything wrong is taken out piece by piece, and what
//! is left is checked as a document. What only follows from a mistake that was reported already is left out.

mod describe;
mod locate;
mod parse;
mod reader;
mod settle;
mod token;
pub(super) mod tree;

use super::{
    Document, check,
    problem::{Cut, Lines, Problem, Problems},
    values::Version,
};
use locate::Reported;
use settle::{settle, settle_list};
use tree::{Element, Member, Node, Origin, Value};

/// A problem whose place is still a byte in the text.
#[derive(Debug)]
struct Draft {
    offset: usize,
    path: String,
    value: Option<String>,
    message: String,
    fix: String,
}

/// Explains what is wrong with a text that is no good document.
///
/// `error` is what the fast parser said; it is used when this one finds nothing, which would be a mistake of ours.
pub(super) fn explain(text: &str, file_name: &str, error: Option<&serde_json::Error>) -> Problems {
    let (root, mut drafts) = parse::parse(text);
    if let Some(mut root) = root {
        survey(&mut root, &mut drafts);
    }
    let lines = Lines::new(text);
    drafts.sort_by_key(|draft| draft.offset);
    drafts.dedup_by(|a, b| a.offset == b.offset && a.path == b.path && a.message == b.message);
    let cut = if drafts.len() > Problems::MOST {
        Cut::More
    } else {
        Cut::Complete
    };
    let mut problems: Vec<_> = drafts
        .into_iter()
        .take(Problems::MOST)
        .map(|draft| place(draft, &lines))
        .collect();
    if problems.is_empty() {
        problems.extend(error.map(as_is));
    }
    Problems {
        file_name: file_name.to_owned(),
        problems,
        cut,
    }
}

/// The tree of a text that is a good document: where everything stands in it.
pub(super) fn tree_of(text: &str) -> Option<Node> {
    parse::parse(text).0
}

fn place(draft: Draft, lines: &Lines<'_>) -> Problem {
    let (line, column) = lines.position(draft.offset);
    let Draft {
        offset: _,
        path,
        value,
        message,
        fix,
    } = draft;
    Problem {
        path,
        line,
        column,
        value,
        message,
        fix,
    }
}

fn as_is(error: &serde_json::Error) -> Problem {
    Problem {
        path: String::new(),
        line: error.line(),
        column: error.column(),
        value: None,
        message: super::problem::escape(&error.to_string()),
        fix: "see the schema".to_owned(),
    }
}

/// Finds everything that is wrong with a value as a document.
fn survey(root: &mut Node, drafts: &mut Vec<Draft>) {
    if ensure_version(root, drafts) == VersionIs::Newer {
        return;
    }
    let mut lists = LISTS.map(|field| take_list(root, field));
    let Some(mut document) = settle::<Document>(root, "", drafts) else {
        return;
    };
    let [
        directors,
        real_servers,
        vips,
        services,
        exports,
        files,
        silence,
    ] = &mut lists;
    document.directors = settle_list(directors, "directors", drafts);
    document.real_servers = settle_list(real_servers, "realServers", drafts);
    document.vips = settle_list(vips, "vips", drafts);
    document.services = settle_list(services, "services", drafts);
    document.exports = settle_list(exports, "exports", drafts);
    document.files = settle_list(files, "files", drafts);
    document.silence = settle_list(silence, "silence", drafts);
    put_back(root, lists);
    let reported = Reported::new(root, drafts);
    drafts.extend(
        check::check(&document)
            .iter()
            .filter_map(|finding| reported.locate(finding)),
    );
}

#[derive(PartialEq, Eq)]
enum VersionIs {
    Ours,
    /// What else a newer version says, we cannot judge.
    Newer,
}

/// Looks at the version first, and goes on as if it were ours when there is none.
fn ensure_version(root: &mut Node, drafts: &mut Vec<Draft>) -> VersionIs {
    let offset = root.span.start;
    let Some(object) = root.object_mut() else {
        return VersionIs::Ours;
    };
    let Some(member) = object.member_mut("version") else {
        drafts.push(describe::missing(offset, "version"));
        object.members.push(Member {
            key: "version".into(),
            key_span: offset..offset,
            node: Node {
                span: offset..offset,
                value: Value::Number("1".into()),
            },
            origin: Origin::Written,
        });
        return VersionIs::Ours;
    };
    if settle::<Version>(&mut member.node, "version", drafts).is_none() {
        let newer = matches!(&member.node.value, Value::Number(text) if text.parse().is_ok_and(|v: u64| v > 1));
        member.node.value = Value::Number("1".into());
        if newer {
            return VersionIs::Newer;
        }
    }
    VersionIs::Ours
}

/// The lists of a document. Their entries are settled one by one: one bad entry costs no second look at the others.
const LISTS: [&str; 7] = [
    "directors",
    "realServers",
    "vips",
    "services",
    "exports",
    "files",
    "silence",
];

fn take_list(root: &mut Node, field: &str) -> Vec<Element> {
    match root
        .object_mut()
        .and_then(|object| object.member_mut(field))
        .map(|member| &mut member.node.value)
    {
        Some(Value::Array(elements)) => std::mem::take(elements),
        _ => Vec::new(),
    }
}

fn put_back(root: &mut Node, lists: [Vec<Element>; 7]) {
    for (field, list) in LISTS.into_iter().zip(lists) {
        let member = root
            .object_mut()
            .and_then(|object| object.member_mut(field));
        if let Some(Value::Array(elements)) = member.map(|member| &mut member.node.value) {
            *elements = list;
        }
    }
}
