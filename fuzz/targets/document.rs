//! Any bytes as a document: it loads, or it is explained.

use lvs_reconcile::document::{self, Problems};

use super::rendered;

pub fn check(bytes: &[u8]) {
    match document::load(bytes, "cluster.json") {
        Err(problems) => {
            assert_well_said(bytes, &problems);
            assert_eq!(document::load(bytes, "cluster.json"), Err(problems));
        }
        Ok(document) => {
            let written = serde_json::to_vec(&document).expect("a document is JSON");
            assert_eq!(document::load(&written, "written").as_ref(), Ok(&document));
            rendered::assert_rendered(&document);
        }
    }
}

/// Sixty characters of a name are shown, in the path and in the message, each as an escape of up to ten bytes; the rest
/// is ours.
const LONGEST: usize = 2 * 60 * 10 + 1000;

/// Every problem has a place that exists, and nothing that is shown can move a cursor, turn a text around or end a line.
pub fn assert_well_said(text: &[u8], problems: &Problems) {
    assert!(!problems.problems.is_empty(), "refused without a word");
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for problem in &problems.problems {
        let line = lines.get(problem.line - 1).expect("the line exists");
        assert!(
            (1..=line.len() + 1).contains(&problem.column),
            "no column {}",
            problem.column
        );
        assert!(
            !problem.message.is_empty() && !problem.fix.is_empty(),
            "{problem}"
        );
        let shown = problem.to_string();
        assert!(shown.chars().all(|c| matches!(c, ' '..='~')), "{shown:?}");
        assert!(shown.len() < LONGEST, "{} bytes: {shown}", shown.len());
    }
}
