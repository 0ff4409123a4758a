//! A plan as a comment on a pull request: what cuts connections first, then the rest, files folded, and a picture.
//! GitHub refuses comments of more than 65536 characters.

use std::fmt::{self, Write};

use super::impact::{self, Row, Traffic};
use super::{Context, counted, diff, escaped, picture, shares, words};
use crate::cycle::Turn;
use crate::plan::Count;

/// How long a comment may be, in bytes: some room is left for what others put around it.
pub const LIMIT: usize = 60_000;

/// How long a comment about a single plan may get when there is less room than it takes to say what it is about.
pub const LEAST: usize = 6_000;

/// How long a word of somebody else may be, as it is written: the longest names of all are shorter.
const WORD: usize = 400;
/// The same for a remark, which is a sentence.
const SENTENCE: usize = 1_000;

/// How many remarks are shown: more of them nobody reads in a comment.
const REMARKS: usize = 20;

/// Several plans in one comment: those that fit, and how many do not.
pub fn plans(plans: &[(&Turn, Context<'_>)]) -> String {
    let mut out = String::new();
    for (at, (turn, context)) in plans.iter().enumerate() {
        let left = plans.len() - at;
        let next = plan(turn, context, LIMIT.saturating_sub(out.len()) / left);
        if out.len() + next.len() > LIMIT {
            let left = counted(left, "director");
            // Writing to a String cannot fail.
            let _ = writeln!(out, "… and {left} more, for whom there is no room.");
            break;
        }
        out += &next;
    }
    out
}

/// The plan in so many bytes, or in as few as it takes to say the least; what does not fit is counted.
pub fn plan(turn: &Turn, context: &Context<'_>, room: usize) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(&mut out, turn, context, room);
    out
}

fn write_plan(out: &mut String, turn: &Turn, context: &Context<'_>, room: usize) -> fmt::Result {
    let mut rows = impact::rows(turn, context.names);
    rows.sort_by_key(|it| it.impact.traffic);
    writeln!(out, "### `{}` {}\n", context.command, text(context.node))?;
    writeln!(out, "{}\n", headline(turn, &rows))?;
    let live = context.live.map(|it| format!(", {it}"));
    writeln!(
        out,
        "{}\n",
        sentence(&(context.document.to_owned() + &live.unwrap_or_default()))
    )?;
    write_remarks(out, turn, context, room)?;
    if rows.is_empty() {
        return Ok(());
    }
    write_table(out, &rows, context, room)?;
    write_notes(out, turn, context, room)?;
    let picture = picture::mermaid(turn, context.names);
    if let Some(picture) = picture.filter(|it| fits(out, it, room)) {
        fold(out, "The cluster afterwards", "mermaid", &picture)?;
    }
    write_files(out, &rows, room)
}

/// `**2 of 14 changes may cut connections**, 3 concern new connections: 3 create, 8 update, 3 delete.`
fn headline(turn: &Turn, rows: &[Row<'_>]) -> String {
    if rows.is_empty() {
        return "**Nothing to do.**".to_owned();
    }
    let of = |what: &dyn Fn(&Row<'_>) -> bool| rows.iter().filter(|it| what(it)).count();
    let cuts = of(&|it| it.impact.traffic == Traffic::Cuts);
    let new = of(&|it| it.impact.traffic == Traffic::New);
    let drift = match of(&|it| it.is_drift) {
        0 => String::new(),
        1 => " 1 of them corrects drift.".to_owned(),
        many => format!(" {many} of them correct drift."),
    };
    let changes = counted(rows.len(), "change");
    let first = match cuts {
        0 => format!("**{changes}, no connection is cut**"),
        many => format!("**⚠ {many} of {changes} may cut connections**"),
    };
    let count = Count::of(&turn.changes);
    format!(
        "{first}, {new} concern new connections: {} create, {} update, {} delete.{drift}",
        count.create, count.update, count.delete
    )
}

/// Why it is refused, what looks wrong, and what was decided: the first of them.
fn write_remarks(out: &mut String, turn: &Turn, context: &Context<'_>, room: usize) -> fmt::Result {
    let warnings = context.warnings(turn);
    let refusals = turn.refusals.iter();
    let refusals = refusals.map(|it| format!("**refused:** {}", sentence(&it.to_string())));
    let warnings = warnings.shown().iter();
    let warnings = warnings.map(|it| format!("⚠ {}", sentence(&it.to_string())));
    let choices = context.choices.iter().map(|it| sentence(it));
    let all: Vec<String> = refusals.chain(warnings).chain(choices).collect();
    for (at, remark) in all.iter().enumerate() {
        if at == REMARKS || out.len() > room / 4 {
            writeln!(out, "> … and {}", counted(all.len() - at, "more remark"))?;
            break;
        }
        writeln!(out, "> {remark}")?;
    }
    writeln!(out)
}

fn write_table(
    out: &mut String,
    rows: &[Row<'_>],
    context: &Context<'_>,
    room: usize,
) -> fmt::Result {
    writeln!(
        out,
        "| | kind | name | change | traffic |\n|---|---|---|---|---|"
    )?;
    for (at, row) in rows.iter().enumerate() {
        let change = row.change;
        // Half of the room is for what is folded below.
        if at == context.most || out.len() > room / 2 {
            let left = counted(rows.len() - at, "change");
            return writeln!(
                out,
                "\n… and {left} more, none of them worse than the last one shown.\n"
            );
        }
        writeln!(
            out,
            "| {} | {} | {} | {}{} | {}{} |",
            words::symbol(change.verb()),
            change.kind().word(),
            text(&words::name(change, context.names)),
            text(&words::what(change, context.names)),
            if row.is_drift { " *drift*" } else { "" },
            if row.impact.traffic == Traffic::Cuts {
                "⚠ "
            } else {
                ""
            },
            text(&row.impact.to_string()),
        )?;
    }
    writeln!(out)
}

fn write_notes(out: &mut String, turn: &Turn, context: &Context<'_>, room: usize) -> fmt::Result {
    for note in shares::notes(turn, context.names).iter().take(REMARKS) {
        if out.len() > room / 8 * 5 {
            break;
        }
        writeln!(out, "- {}", text(note))?;
    }
    writeln!(out)
}

/// Whether there is room for something that is folded, with what is put around it.
fn fits(out: &str, content: &str, room: usize) -> bool {
    out.len() + content.len() + 2 * fence(content).len() + WORD + 300 <= room
}

/// Unified diffs of files, each folded, while they fit.
fn write_files(out: &mut String, rows: &[Row<'_>], room: usize) -> fmt::Result {
    let mut cut = 0;
    for change in rows.iter().map(|it| it.change) {
        let Some(diff) = diff::unified(change) else {
            continue;
        };
        if !fits(out, &diff, room) {
            cut += diff.lines().count();
            continue;
        }
        fold(out, &change.name(), "diff", &diff)?;
    }
    match cut {
        0 => Ok(()),
        lines => writeln!(
            out,
            "… and {} of file diffs that did not fit.",
            counted(lines, "line")
        ),
    }
}

fn fold(out: &mut String, title: &str, language: &str, content: &str) -> fmt::Result {
    let fence = fence(content);
    writeln!(out, "<details><summary>{}</summary>\n", text(title))?;
    writeln!(
        out,
        "{fence}{language}\n{}\n{fence}\n\n</details>\n",
        content.trim_end()
    )
}

/// Longer than any run of backticks inside, which would end it.
fn fence(content: &str) -> String {
    let longest = content.split(|it| it != '`').map(str::len).max();
    "`".repeat(longest.unwrap_or(0).max(2) + 1)
}

/// Text that is nothing but text: in Markdown, in a table, in HTML, without a mention of anybody, and no link. As much
/// of it as a word may have.
fn text(of: &str) -> String {
    text_within(of, WORD)
}

fn sentence(of: &str) -> String {
    text_within(of, SENTENCE)
}

fn text_within(of: &str, most: usize) -> String {
    let mut out = String::new();
    for c in escaped(of).chars() {
        if out.len() > most {
            out.push('…');
            break;
        }
        match c {
            // Mentions and references are looked for behind the entities: what has no width keeps them apart.
            '@' | '#' => {
                let _ = write!(out, "&#{};&#8203;", u32::from(c));
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '(' | ')' | '!' | '|'
            | '~' | '&' | '$' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "&#{};", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    // So are links, and references spelled GH-1.
    out.replace("://", ":&#8203;//")
        .replace("www.", "www&#8203;.")
        .replace("GH-", "GH&#8203;-")
        .replace("gh-", "gh&#8203;-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_no_meaning() {
        assert_eq!(
            text("a|b `c` <d> @e"),
            "a&#124;b &#96;c&#96; &#60;d&#62; &#64;&#8203;e"
        );
        assert_eq!(text("GH-1 gh-2"), "GH&#8203;-1 gh&#8203;-2");
        assert_eq!(text("eth0 \u{1b}[31m"), "eth0 &#92;u&#123;1b&#125;&#91;31m");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fence("plain"), "```");
        assert_eq!(fence("````"), "`````");
    }
}
