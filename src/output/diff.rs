//! Unified diffs: of generated files, secrets left out, and of documents.

use std::fmt::Write;

use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, group_diff_ops};

use crate::delta::Delta;
use crate::output::escaped;
use crate::resources::Change;
use crate::resources::file::File;
use crate::script;

/// Lines around what differs.
const CONTEXT: usize = 3;

/// How many lines were added and removed.
pub fn counts(old: &str, new: &str) -> (usize, usize) {
    let steps = steps(&lines(old), &lines(new));
    let changed = steps
        .iter()
        .filter(|it| !matches!(it, DiffOp::Equal { .. }));
    changed.fold((0, 0), |(added, removed), it| {
        (added + it.new_range().len(), removed + it.old_range().len())
    })
}

/// The unified diff of a change of a file; nothing for other kinds.
pub fn unified(change: &Change) -> Option<String> {
    let Change::File(delta) = change else {
        return None;
    };
    let path = delta.subject().key.path.trim_start_matches('/');
    let (old, new) = (shown(delta.from()), shown(delta.to()));
    let header = |side: &str, there: bool| {
        if there {
            format!("{side}/{path}")
        } else {
            "/dev/null".to_owned()
        }
    };
    let from = header("a", !matches!(delta, Delta::Create { .. }));
    let to = header("b", !matches!(delta, Delta::Delete { .. }));
    Some(between((&old, &from), (&new, &to)))
}

/// The unified diff of two texts, each with what its side is called.
pub fn between((old, from): (&str, &str), (new, to): (&str, &str)) -> String {
    let (old, new) = (lines(old), lines(new));
    let hunks = group_diff_ops(steps(&old, &new), CONTEXT);
    let mut text = String::new();
    if !hunks.is_empty() {
        text += &format!("--- {}\n+++ {}\n", escaped(from), escaped(to));
    }
    for hunk in &hunks {
        // Writing to a String cannot fail.
        let _ = write_hunk(&mut text, hunk, &old, &new);
    }
    text
}

fn write_hunk(text: &mut String, hunk: &[DiffOp], old: &[&str], new: &[&str]) -> std::fmt::Result {
    writeln!(text, "{}", UnifiedHunkHeader::new(hunk))?;
    for change in hunk.iter().flat_map(|it| it.iter_changes(old, new)) {
        let line = change.value();
        let body = line.strip_suffix('\n').unwrap_or(line);
        let body = body.strip_suffix('\r').unwrap_or(body);
        let cells: Vec<_> = body.split('\t').map(escaped).collect();
        writeln!(text, "{}{}", change.tag(), cells.join("\t"))?;
        if !line.ends_with('\n') {
            writeln!(text, "\\ No newline at end of file")?;
        }
    }
    Ok(())
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn steps(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let (old, new) = script::numbered(old.to_vec(), new.to_vec());
    script::steps(&old, &new)
}

fn shown(file: Option<&File>) -> String {
    file.map(|it| it.content.shown()).unwrap_or_default()
}
