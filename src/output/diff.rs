//! Unified diffs: of generated files, secrets left out, and of documents.

use std::time::Duration;

use crate::delta::Delta;
use crate::output::escaped;
use crate::resources::Change;
use crate::resources::file::File;

/// How long a single diff may take before it becomes coarser.
const LIMIT: Duration = Duration::from_millis(500);

/// How many lines were added and removed.
pub fn counts(old: &str, new: &str) -> (usize, usize) {
    let diff = similar::TextDiff::configure()
        .timeout(LIMIT)
        .diff_lines(old, new);
    let count = |tag| diff.iter_all_changes().filter(|it| it.tag() == tag).count();
    (
        count(similar::ChangeTag::Insert),
        count(similar::ChangeTag::Delete),
    )
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
    let diff = similar::TextDiff::configure()
        .timeout(LIMIT)
        .diff_lines(old, new);
    let text = diff
        .unified_diff()
        .context_radius(3)
        .header(from, to)
        .to_string();
    let shown = |line: &str| {
        let cells: Vec<_> = line.split('\t').map(escaped).collect();
        cells.join("\t") + "\n"
    };
    text.lines().map(shown).collect()
}

fn shown(file: Option<&File>) -> String {
    file.map(|it| it.content.shown()).unwrap_or_default()
}
