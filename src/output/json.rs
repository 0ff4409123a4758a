//! Plans and reports for programs, as `schema/plan.schema.json` describes them. The shape is stable: fields are added, never renamed, while `formatVersion` is 1.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::impact::{Row, rows};
use super::{Context, is_plain};
use crate::apply::{End, Report};
use crate::cycle::Turn;
use crate::lint::Warning;
use crate::output::report::reason;
use crate::plan::Count;
use crate::resources::Change;

/// What describes it.
pub const SCHEMA: &str = include_str!("../../schema/plan.schema.json");

/// The version of the shape below.
pub(super) const FORMAT_VERSION: u32 = 1;

/// A plan.
pub fn plan(turn: &Turn, context: &Context<'_>) -> Value {
    let rows = rows(turn, context.names);
    let changes: Vec<Value> = rows.iter().map(change).collect();
    let warnings = context.warnings(turn);
    json!({
        "formatVersion": FORMAT_VERSION,
        "command": context.command,
        "node": context.node,
        "document": context.document,
        "live": context.live,
        "count": Count::of(&turn.changes),
        "digest": turn.digest(),
        "changes": changes,
        "draining": turn.drains,
        "foreign": turn.foreign.iter().map(listed).collect::<Vec<_>>(),
        "refusals": turn.refusals.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "unreadable": turn.seen.unreadable,
        "warnings": warnings.shown().iter().map(Warning::plain).collect::<Vec<_>>(),
        "lint": warnings.shown().iter().filter_map(lint).collect::<Vec<_>>(),
        "silenced": warnings.silenced(),
        "choices": context.choices,
    })
}

/// A value as it is printed: indented, and in its strings what a terminal could take for something else is written as
/// JSON writes a character that cannot stand there. A program reads the same.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    for c in format!("{value:#}\n").chars() {
        if c == '\n' || is_plain(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// A warning that has a code.
fn lint(warning: &Warning) -> Option<Value> {
    let code = warning.code?.word();
    Some(json!({ "code": code, "path": warning.path, "message": warning.message }))
}

/// What became of it, added to the plan under `result`.
pub fn with_report(mut plan: Value, report: &Report) -> Value {
    plan["result"] = match &report.end {
        End::Converged => json!({
            "end": "converged",
            "done": report.done,
            "takenAlong": report.lost.iter().map(listed).collect::<Vec<_>>(),
        }),
        End::Undone { why, undone, left } => json!({
            "end": if report.is_restored() { "undone" } else { "left" },
            "done": report.done,
            "undone": undone,
            "why": reason(why),
            "left": left.iter().map(listed).collect::<Vec<_>>(),
        }),
    };
    plan
}

/// The same where no step was made.
pub fn with_end(mut plan: Value, end: &str) -> Value {
    plan["result"] = json!({ "end": end, "done": 0 });
    plan
}

fn change(row: &Row<'_>) -> Value {
    let mut value = listed(row.change);
    let sides = value_of(row.change);
    for (side, called) in [("from", "before"), ("to", "after")] {
        if let Some(it) = sides.get(side) {
            value[called] = it.clone();
        }
    }
    value["cause"] = json!(if row.is_drift { "drift" } else { "document" });
    value["impact"] = value_of(&row.impact);
    value
}

/// An object by kind and name, and what happens, or would happen, to it.
fn listed(change: &Change) -> Value {
    json!({ "kind": change.kind(), "name": change.name(), "verb": change.verb() })
}

/// Every type that is shown serialises: a failure would be a mistake of ours, and shows as null.
fn value_of(it: &impl Serialize) -> Value {
    serde_json::to_value(it).unwrap_or(Value::Null)
}
