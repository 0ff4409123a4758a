//! The balanced part of a cluster as a Mermaid flowchart, with what changes marked.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::escaped;
use crate::cycle::Turn;
use crate::delta::{Resource, Verb};
use crate::desired::Names;
use crate::ipvs::ServiceId;
use crate::resources::destination::{Destination, DestinationKey};
use crate::resources::{Change, State};

/// A picture with more arrows shows nothing.
const MOST: usize = 60;

/// The services that something happens to, with all their destinations; nothing when none is concerned or too many are.
pub fn mermaid(turn: &Turn, names: &Names) -> Option<String> {
    let marks = Marks::of(turn);
    let services = marks.concerned();
    let (before, after) = (&turn.seen.state, &turn.goal.desired);
    let arrows: Vec<(ServiceId, Vec<&Destination>)> = services
        .into_iter()
        .map(|id| (id, destinations(id, before, after)))
        .collect();
    let count: usize = arrows.iter().map(|(_, it)| it.len() + 1).sum();
    (1..=MOST)
        .contains(&count)
        .then(|| drawn(&arrows, &marks, names))
}

/// What happens to whom.
struct Marks {
    services: BTreeMap<ServiceId, Verb>,
    destinations: BTreeMap<DestinationKey, Verb>,
}

impl Marks {
    fn of(turn: &Turn) -> Self {
        let mut marks = Self {
            services: BTreeMap::new(),
            destinations: BTreeMap::new(),
        };
        for change in &turn.changes {
            match change {
                Change::VirtualService(delta) => {
                    marks.services.insert(delta.subject().id, delta.verb());
                }
                Change::Destination(delta) => {
                    marks
                        .destinations
                        .insert(delta.subject().key(), delta.verb());
                }
                _ => {}
            }
        }
        marks
    }

    fn concerned(&self) -> Vec<ServiceId> {
        let of_destinations = self.destinations.keys().map(|it| it.service);
        let mut all: Vec<_> = self
            .services
            .keys()
            .copied()
            .chain(of_destinations)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Those of after, and those of before that go.
fn destinations<'a>(
    service: ServiceId,
    before: &'a State,
    after: &'a State,
) -> Vec<&'a Destination> {
    let of = |state: &'a State| state.destinations.run(move |key| key.service.cmp(&service));
    let gone = of(before).filter(|it| after.destinations.get(&it.key()).is_none());
    of(after).chain(gone).collect()
}

fn drawn(arrows: &[(ServiceId, Vec<&Destination>)], marks: &Marks, names: &Names) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut machines: BTreeMap<String, usize> = BTreeMap::new();
    for (at, (service, destinations)) in arrows.iter().enumerate() {
        let verb = marks.services.get(service).copied();
        let called = names
            .service(service)
            .map(|it| format!("{it}: "))
            .unwrap_or_default();
        node(
            &mut out,
            &format!("s{at}"),
            &format!("{called}{service}"),
            verb,
        );
        for destination in destinations {
            let address = destination.at.address;
            let name = names
                .machine(address)
                .map_or_else(|| address.to_string(), str::to_owned);
            let next = machines.len();
            let machine = *machines.entry(name).or_insert(next);
            arrow(&mut out, at, machine, destination, marks);
        }
    }
    for (name, at) in &machines {
        node(&mut out, &format!("m{at}"), name, None);
    }
    out + "classDef create stroke:#1a7f37,stroke-width:3px\nclassDef update stroke:#9a6700,stroke-width:3px\n\
           classDef delete stroke:#cf222e,stroke-width:3px,stroke-dasharray:4\n"
}

fn node(out: &mut String, id: &str, label: &str, verb: Option<Verb>) {
    let class = match verb {
        None => "",
        Some(Verb::Create) => ":::create",
        Some(Verb::Update | Verb::Replace) => ":::update",
        Some(Verb::Delete) => ":::delete",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{id}[\"{}\"]{class}", quoted(label));
}

/// A thick arrow is new, a dotted one goes.
fn arrow(out: &mut String, service: usize, machine: usize, it: &Destination, marks: &Marks) {
    let (line, word) = match marks.destinations.get(&it.key()) {
        None => ("-->", ""),
        Some(Verb::Create) => ("==>", "new, "),
        Some(Verb::Update | Verb::Replace) => ("==>", "now "),
        Some(Verb::Delete) => ("-.->", "removed, "),
    };
    let label = format!("{word}weight {}", it.at.weight);
    let _ = writeln!(out, "s{service} {line}|\"{}\"| m{machine}", quoted(&label));
}

/// Mermaid's own entities: `#NN;`.
fn quoted(label: &str) -> String {
    escaped(label).chars().fold(String::new(), |mut out, c| {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' | '[' | ']' | '|' | '\\' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            _ => out.push(c),
        }
        out
    })
}
