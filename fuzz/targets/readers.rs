//! What is printed, read as a terminal and as GitHub read it.

/// The colours that we use, and their end.
const OURS: [&str; 6] = ["0", "1", "31", "32", "33", "36"];

/// No character that moves the cursor, hides, or turns the direction of writing, but our line ends, tabs and colours.
pub fn assert_plain(text: &str) {
    let mut plain = text.to_owned();
    for ours in OURS {
        plain = plain.replace(&format!("\u{1b}[{ours}m"), "");
    }
    let strange = |c: &char| {
        let hidden = matches!(*c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
        hidden || c.is_control() && !matches!(c, '\n' | '\t')
    };
    if let Some(found) = plain.chars().find(strange) {
        panic!("{found:?} in {plain:?}");
    }
}

/// A comment in GitHub's Markdown: outside of code nothing has a meaning but what we gave it.
pub fn assert_comment(comment: &str) {
    assert_plain(comment);
    let mut fence: Option<&str> = None;
    let mut folds = 0_i32;
    for line in comment.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) => {
                // Code ends at a line of as many backticks, behind at most three blanks, and of nothing else.
                let bare = line.trim_start_matches(' ').trim_end();
                if bare.len() >= open.len() && bare.bytes().all(|it| it == b'`') {
                    assert_eq!(line, open, "{comment}");
                    fence = None;
                } else if !open.is_empty() {
                    continue;
                }
            }
            None if ticks >= 3 => {
                assert!(matches!(&line[ticks..], "diff" | "mermaid"), "{line:?}");
                fence = Some(&line[..ticks]);
            }
            None => {
                folds += fold(line);
                assert!((0..=1).contains(&folds), "{comment}");
                assert_line(line);
            }
        }
    }
    assert!(fence.is_none() && folds == 0, "{comment}");
}

/// Opens one, ends one, or neither.
fn fold(line: &str) -> i32 {
    match line {
        "</details>" => -1,
        _ if line.starts_with("<details>") => 1,
        _ => 0,
    }
}

fn assert_line(line: &str) {
    assert!(!line.contains("://") && !line.contains("www."), "{line:?}");
    let title = line.strip_prefix("<details><summary>");
    let title = title.map(|it| {
        it.strip_suffix("</summary>")
            .unwrap_or_else(|| panic!("{line:?}"))
    });
    let head = line.strip_prefix("### `plan` ");
    let said = match (title, head) {
        (Some(said), _) | (_, Some(said)) => said,
        _ if line == "</details>" => "",
        _ => line,
    };
    // Bars are ours where they make cells: five of them in every row.
    let said = if said.starts_with('|') {
        assert_eq!(said.matches('|').count(), 6, "{line:?}");
        said.replace('|', " ").replace("---", "")
    } else {
        said.to_owned()
    };
    let said = match line.strip_prefix("**") {
        Some(headline) => headline.replacen("**", "", 1),
        None => said.replace("  ~  ", " "),
    };
    let quoted = said.strip_prefix("> ").unwrap_or(&said);
    let said = quoted.strip_prefix("**refused:**").unwrap_or(quoted);
    let mut rest = said;
    while let Some(at) = rest.find([
        '<', '>', '`', '@', '#', '|', '*', '_', '[', ']', '~', '\\', '$', '&',
    ]) {
        let entity = rest[at..]
            .strip_prefix("&#")
            .and_then(|it| it.split_once(';'));
        let (number, behind) = entity.unwrap_or_else(|| panic!("{:?} in {line:?}", &rest[at..]));
        assert!(number.parse::<u32>().is_ok(), "{line:?}");
        rest = behind;
    }
}
