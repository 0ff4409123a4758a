//! Defaults, precedence and expansion, as an author of a document meets them.

#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "a test that cannot go on fails"
)]

mod dhcp;
mod files;
mod hosts;
mod node;
mod services;

use serde_json::{Value, json};

use super::*;

/// A document with a director, three machines and a VIP of both families; `more` is laid over it.
fn document(more: Value) -> Value {
    let mut document = json!({
        "version": 1,
        "domain": "cluster.example",
        "directors": [{
            "name": "dir1",
            "interfaces": [
                { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] },
                { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24", "fd00::1/64"] },
            ],
        }],
        "realServers": [
            { "name": "rs1", "address": "10.0.0.11", "address6": "fd00::11", "weight": 3, "tags": ["web"] },
            { "name": "rs2", "address": "10.0.0.12", "tags": ["mail"] },
            { "name": "rs3", "address": "10.0.0.13", "address6": "fd00::13", "tags": ["web", "mail"] },
        ],
        "vips": [
            { "name": "v4", "address": "192.0.2.10" },
            { "name": "both", "address": "192.0.2.20", "address6": "2001:db8::20" },
        ],
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn try_resolve(more: Value, facts: &Facts) -> Result<Desired, Vec<Problem>> {
    resolve(
        &serde_json::from_value(document(more)).unwrap(),
        "dir1",
        facts,
    )
}

fn said(desired: &Desired) -> Vec<String> {
    desired.warnings.iter().map(ToString::to_string).collect()
}

fn resolved(more: Value) -> Desired {
    try_resolve(more, &Facts::unknown()).unwrap()
}

fn refused(more: Value, facts: &Facts) -> Vec<String> {
    let problems = try_resolve(more, facts).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

/// `address:port weight` of each destination of one service.
fn destinations(desired: &Desired, wanted: &str) -> Vec<String> {
    let all = desired.state.destinations.iter();
    let of_one = all.filter(|it| it.service.to_string() == wanted);
    of_one
        .map(|it| format!("{}:{} {}", it.at.address, it.at.port, it.at.weight))
        .collect()
}

fn services(desired: &Desired) -> Vec<String> {
    desired
        .state
        .virtual_services
        .iter()
        .map(|it| it.id.to_string())
        .collect()
}

fn sysctls(desired: &Desired) -> Vec<String> {
    let sysctls = desired.state.sysctls.iter();
    sysctls
        .map(|it| format!("{} = {}", it.key, it.value))
        .collect()
}
