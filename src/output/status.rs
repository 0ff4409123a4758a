//! `status`: what is in sync, drifting and foreign, and the IPVS table with its counters, readable as `ipvsadm -L -n` is.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::{Context, escaped, words};
use crate::cycle::Turn;
use crate::delta::{Delta, Resource};
use crate::host::Connections;
use crate::output::report::seconds_left;
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::{Change, State};

/// Connections by destination.
type Counters = BTreeMap<DestinationKey, Connections>;

/// The whole status.
pub fn status(turn: &Turn, counters: &Counters, context: &Context<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_status(&mut out, turn, counters, context);
    out
}

/// What stands beside what is ours, a line each: kind and name, as `adopt` takes them.
pub fn foreign(turn: &Turn) -> String {
    let line = |it: &Change| format!("{} {}\n", it.kind().word(), escaped(&it.name()));
    turn.foreign.iter().map(line).collect()
}

fn write_status(
    out: &mut String,
    turn: &Turn,
    counters: &Counters,
    context: &Context<'_>,
) -> fmt::Result {
    let owned = turn.goal.inventory.owned.len();
    writeln!(
        out,
        "{}: {} objects in sync, {} drifting, {owned} owned, {} foreign",
        escaped(context.node),
        turn.in_sync(),
        turn.changes.len(),
        turn.foreign.len()
    )?;
    write_changes(out, "drifting", &turn.changes, context)?;
    for drain in &turn.drains.0 {
        let left = seconds_left(drain, turn);
        writeln!(
            out,
            "draining\n  {} for at most {left} s",
            drain.destination
        )?;
    }
    write_changes(out, "foreign", &turn.foreign, context)?;
    for it in &turn.seen.unreadable {
        writeln!(out, "  ? {}", escaped(it))?;
    }
    for warning in context.warnings.shown() {
        writeln!(out, "! {}", escaped(&warning.to_string()))?;
    }
    write_table(out, &turn.seen.state, counters, context)
}

fn write_changes(
    out: &mut String,
    heading: &str,
    changes: &[Change],
    context: &Context<'_>,
) -> fmt::Result {
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading}")?;
    for change in changes {
        let symbol = match heading {
            "foreign" => '=',
            _ => words::symbol(change.verb()),
        };
        let (name, what) = (
            words::name(change, context.names),
            words::what(change, context.names),
        );
        let line = format!("  {symbol} {:<11} {name}  {what}", change.kind().word());
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn write_table(
    out: &mut String,
    live: &State,
    counters: &Counters,
    context: &Context<'_>,
) -> fmt::Result {
    if live.virtual_services.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:<52} {:<20} {:>6} {:>10} {:>10}",
        "service / destination", "forwarding", "weight", "active", "inactive"
    )?;
    for service in live.virtual_services.iter() {
        let shown = Change::VirtualService(Delta::Create { to: *service });
        let name = words::name(&shown, context.names);
        writeln!(out, "{name} {}", words::what(&shown, context.names))?;
        let of_service = live
            .destinations
            .iter()
            .filter(|it| it.service == service.id);
        for destination in of_service {
            write_destination(out, destination, counters, context)?;
        }
    }
    Ok(())
}

fn write_destination(
    out: &mut String,
    destination: &Destination,
    counters: &Counters,
    context: &Context<'_>,
) -> fmt::Result {
    let at = std::net::SocketAddr::new(destination.at.address, destination.at.port);
    let machine = context.names.machine(destination.at.address);
    let name = machine.map_or_else(|| at.to_string(), |it| format!("{at} ({it})"));
    let Connections { active, inactive } = counters
        .get(&destination.key())
        .copied()
        .unwrap_or_default();
    writeln!(
        out,
        "  → {name:<48} {:<20} {:>6} {active:>10} {inactive:>10}",
        words::forwarding(destination.at.forwarding),
        destination.at.weight
    )
}
