//! A plan as an operator reads it: symbol, kind, name, what changes from what to what, impact on traffic.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::net::IpAddr;

use anstyle::{AnsiColor, Style};

use super::impact::{Row, Traffic, rows};
use super::{Context, Files, counted, diff, escaped, foreign_by_kind, shares, words};
use crate::cycle::Turn;
use crate::delta::{Delta, Verb};
use crate::ipvs::ServiceId;
use crate::output::report::seconds_left;
use crate::plan::{Count, Phase};
use crate::resources::Change;

/// The widest a column may make its neighbours wait.
const WIDEST: usize = 64;

struct Line {
    symbol: char,
    style: Style,
    kind: &'static str,
    name: String,
    what: String,
    impact: String,
    diff: Option<String>,
}

/// Under which heading a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Wherever it belongs: nobody shall miss it.
    Cuts,
    Inside,
    Services,
    Files,
    Removals,
}

/// The whole plan, with colours; the stream takes them out where there is no terminal.
pub fn plan(turn: &Turn, context: &Context<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(&mut out, turn, context);
    out
}

/// Of it, what somebody must see, whoever reads the rest: why it is refused, and what looks wrong.
pub fn remarks(turn: &Turn, context: &Context<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_remarks(&mut out, turn, context);
    out
}

fn write_plan(out: &mut String, turn: &Turn, context: &Context<'_>) -> fmt::Result {
    let bold = Style::new().bold();
    writeln!(
        out,
        "lvs-reconcile {}   {bold}{}{bold:#}   {}",
        context.command,
        escaped(context.node),
        escaped(context.document)
    )?;
    let rows = rows(turn, context.names);
    writeln!(out, "{}", summary(turn, &rows))?;
    if let Some(live) = context.live {
        writeln!(out, "live state: {}", escaped(live))?;
    }
    for choice in context.choices {
        writeln!(out, "{}", escaped(choice))?;
    }
    write_remarks(out, turn, context)?;
    write_groups(out, &groups(rows, context))?;
    for note in shares::notes(turn, context.names) {
        writeln!(out, "note  {note}")?;
    }
    write_drains(out, turn)?;
    write_foreign(out, turn)
}

fn write_remarks(out: &mut String, turn: &Turn, context: &Context<'_>) -> fmt::Result {
    for refusal in &turn.refusals {
        writeln!(
            out,
            "{}",
            marked('!', &format!("refused: {}", escaped(&refusal.to_string())))
        )?;
    }
    for warning in context.warnings(turn).shown() {
        writeln!(out, "{}", marked('!', &escaped(&warning.to_string())))?;
    }
    Ok(())
}

fn marked(symbol: char, text: &str) -> String {
    let style = AnsiColor::Yellow.on_default().bold();
    format!("{style}{symbol}{style:#} {text}")
}

/// `30 changes: 24 create, 6 update, 0 delete.  Cuts no connection.`
fn summary(turn: &Turn, rows: &[Row<'_>]) -> String {
    let count = Count::of(&turn.changes);
    if count.total() == 0 {
        return format!(
            "Nothing to do: {} objects are as the document has them.",
            turn.in_sync()
        );
    }
    let of = |what: fn(&Row<'_>) -> bool| rows.iter().filter(|it| what(it)).count();
    let cuts = match of(|it| it.impact.traffic == Traffic::Cuts) {
        0 => "Cuts no connection.".to_owned(),
        1 => "1 change may cut connections.".to_owned(),
        many => format!("{many} changes may cut connections."),
    };
    let drift = match of(|it| it.is_drift) {
        0 => String::new(),
        1 => "  1 corrects drift.".to_owned(),
        many => format!("  {many} correct drift."),
    };
    format!(
        "{}: {} create, {} update, {} delete.  {cuts}{}{drift}",
        counted(count.total(), "change"),
        count.create,
        count.update,
        count.delete,
        opened(turn)
    )
}

/// `  Opens 2 services on 192.168.155.50.`
fn opened(turn: &Turn) -> String {
    let created: Vec<ServiceId> = turn.changes.iter().filter_map(created_service).collect();
    if created.is_empty() {
        return String::new();
    }
    let addresses: BTreeSet<IpAddr> = created.iter().filter_map(address_of).collect();
    let on = match addresses.first() {
        Some(address) if addresses.len() == 1 => format!(" on {address}"),
        _ => String::new(),
    };
    format!("  Opens {}{on}.", counted(created.len(), "service"))
}

fn created_service(change: &Change) -> Option<ServiceId> {
    match change {
        Change::VirtualService(Delta::Create { to }) => Some(to.id),
        _ => None,
    }
}

fn address_of(id: &ServiceId) -> Option<IpAddr> {
    match *id {
        ServiceId::Address { address, .. } => Some(address),
        ServiceId::FirewallMark { .. } => None,
    }
}

/// What cuts connections, then the rest in the order in which it is made; the first few of each group in words.
fn groups(rows: Vec<Row<'_>>, context: &Context<'_>) -> Vec<(Group, Vec<Line>, usize)> {
    let mut rows: Vec<(Group, Phase, Row<'_>)> = rows.into_iter().map(placed).collect();
    rows.sort_by_key(|(group, phase, _)| (*group, *phase));
    let of_group = |rows: &[(Group, Phase, Row<'_>)]| {
        let shown = rows.iter().take(context.most);
        let lines: Vec<_> = shown.map(|(_, _, it)| line(it, context)).collect();
        let more = rows.len() - lines.len();
        (rows[0].0, lines, more)
    };
    rows.chunk_by(|(a, ..), (b, ..)| a == b)
        .map(of_group)
        .collect()
}

fn placed(row: Row<'_>) -> (Group, Phase, Row<'_>) {
    let phase = row.change.first_phase();
    let group = match row.impact.traffic {
        Traffic::Cuts => Group::Cuts,
        Traffic::New | Traffic::None => group(phase),
    };
    (group, phase, row)
}

fn line(row: &Row<'_>, context: &Context<'_>) -> Line {
    let change = row.change;
    let verb = change.verb();
    let diffed = context.files == Files::Diffed;
    let drift = if row.is_drift { "  (drift)" } else { "" };
    Line {
        symbol: words::symbol(verb),
        style: style(verb),
        kind: change.kind().word(),
        name: words::name(change, context.names),
        what: words::what(change, context.names),
        impact: format!("{}{drift}", row.impact),
        diff: diffed.then(|| diff::unified(change)).flatten(),
    }
}

fn group(phase: Phase) -> Group {
    match phase {
        phase if phase < Phase::Timeouts => Group::Inside,
        phase if phase < Phase::File => Group::Services,
        phase if phase <= Phase::Unit => Group::Files,
        _ => Group::Removals,
    }
}

fn style(verb: Verb) -> Style {
    match verb {
        Verb::Create => AnsiColor::Green,
        Verb::Update | Verb::Replace => AnsiColor::Yellow,
        Verb::Delete => AnsiColor::Red,
    }
    .on_default()
}

fn write_groups(out: &mut String, groups: &[(Group, Vec<Line>, usize)]) -> fmt::Result {
    let width = |text: fn(&Line) -> &str| {
        let lines = groups.iter().flat_map(|(_, lines, _)| lines);
        let widths = lines.map(|it| text(it).chars().count());
        widths.filter(|it| *it <= WIDEST).max().unwrap_or(0)
    };
    let (name, what) = (width(|it| &it.name), width(|it| &it.what));
    for (group, lines, more) in groups {
        writeln!(out, " {}", heading(*group))?;
        for line in lines {
            write_line(out, line, name, what)?;
        }
        if *more > 0 {
            writeln!(out, "  … and {more} more; --all shows them")?;
        }
    }
    Ok(())
}

fn write_line(out: &mut String, it: &Line, name: usize, what: usize) -> fmt::Result {
    let (style, symbol) = (it.style, it.symbol);
    let row = format!(
        "{:<11} {:<name$}  {:<what$}  {}",
        it.kind, it.name, it.what, it.impact
    );
    writeln!(out, "  {style}{symbol}{style:#} {}", row.trim_end())?;
    for line in it.diff.iter().flat_map(|diff| diff.lines()) {
        writeln!(out, "      {}", coloured(line))?;
    }
    Ok(())
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::Cuts => "may cut connections",
        Group::Inside => "inside",
        Group::Services => "services",
        Group::Files => "files and daemons",
        Group::Removals => "removals",
    }
}

fn coloured(line: &str) -> String {
    let colour = match line.as_bytes().first() {
        Some(b'+') => AnsiColor::Green.on_default(),
        Some(b'-') => AnsiColor::Red.on_default(),
        Some(b'@') => AnsiColor::Cyan.on_default(),
        _ => Style::new(),
    };
    format!("{colour}{line}{colour:#}")
}

fn write_drains(out: &mut String, turn: &Turn) -> fmt::Result {
    for drain in &turn.drains.0 {
        writeln!(
            out,
            "note  {} drains: no new connections, removed when its last one ends, at most {} s from now",
            drain.destination,
            seconds_left(drain, turn)
        )?;
    }
    Ok(())
}

fn write_foreign(out: &mut String, turn: &Turn) -> fmt::Result {
    let counts = foreign_by_kind(turn);
    if counts.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = counts
        .iter()
        .map(|(kind, count)| counted(*count, kind.word()))
        .collect();
    writeln!(
        out,
        "note  left alone, not ours: {} (`lvs-reconcile status` lists them)",
        shown.join(", ")
    )
}
