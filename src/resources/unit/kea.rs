//! Kea takes up a configuration while it runs, and tells which one it has.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::host::linux::facts::serves_dhcp;
use crate::host::linux::kea::{Mute, ask, test};

/// A server that was started opens its socket when it has read its configuration.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Where a configuration says whose it is.
const MARK: &str = "user-context";

/// What firmwares are told: the one list that we leave out when it is empty, since Kea 2.2 takes none.
const CLASSES: &str = "client-classes";

/// What is known of the configuration that it runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    /// With that of the file.
    Current,
    /// With another one.
    Other,
    /// With that of the file, and it hears nobody: its interface had no carrier when it read the file, and it does not
    /// try again by itself.
    Deaf,
    /// It says, and nobody can compare: neither that nor the file is ours.
    Unknown,
    /// It does not say.
    Silent,
}

/// Compares what it runs with and what stands in its file.
pub(super) async fn runs(file: &str) -> Runs {
    let Ok(live) = ask("config-get", None).await else {
        return Runs::Silent;
    };
    let ours = |it: &Value| !it["Dhcp4"][MARK]["written-by"].is_null();
    match stands(file) {
        Some(stands) if says(&live, &stands, "") => match serves_dhcp() || !has_carrier(&stands) {
            true => Runs::Current,
            false => Runs::Deaf,
        },
        Some(stands) if ours(&stands) || ours(&live) => Runs::Other,
        None if ours(&live) => Runs::Other,
        _ => Runs::Unknown,
    }
}

/// True when one of the interfaces on which it is to listen has a carrier, as far as sysfs tells.
fn has_carrier(config: &Value) -> bool {
    let interfaces = config["Dhcp4"]["interfaces-config"]["interfaces"].as_array();
    let names = interfaces.into_iter().flatten().filter_map(Value::as_str);
    let mut names = names.filter_map(|it| it.split('/').next());
    names.any(|name| {
        let carrier = std::fs::read_to_string(format!("/sys/class/net/{name}/carrier"));
        carrier.is_ok_and(|it| it.trim() == "1")
    })
}

/// Has the file read; false when it cannot be asked. It is asked first whether it could: one that refuses a file while it
/// reloads keeps its configuration, and closes its DHCP port (seen with Kea 2.2).
pub(super) async fn reload(file: &str) -> Result<bool, String> {
    let tested = match stands(file) {
        Some(config) => test(&config).await,
        None => Ok(()),
    };
    let answer = match tested {
        Ok(()) => ask("config-reload", None).await.map(drop),
        refused => refused,
    };
    match answer {
        Ok(()) => Ok(true),
        Err(Mute::Absent) => Ok(false),
        Err(Mute::Refused(reason)) => Err(reason),
    }
}

/// What stands in the file; a package's own has comments, and cannot be read.
fn stands(file: &str) -> Option<Value> {
    let text = std::fs::read_to_string(file).ok()?;
    serde_json::from_str(&text).ok()
}

/// Waits until it runs with what stands in the file.
pub(super) async fn has_taken_up(file: &str) -> Result<(), String> {
    let deadline = Instant::now() + LISTENS_WITHIN;
    loop {
        match runs(file).await {
            Runs::Current | Runs::Unknown => return Ok(()),
            Runs::Deaf if Instant::now() < deadline => {
                reload(file).await?;
                sleep(BETWEEN_LOOKS).await;
            }
            _ if Instant::now() < deadline => sleep(BETWEEN_LOOKS).await,
            Runs::Deaf => return Err("it runs, and does not open its DHCP port".into()),
            Runs::Other => return Err(format!("it does not run with what stands in {file}")),
            Runs::Silent => {
                return Err("it runs, and its control socket tells no configuration".into());
            }
        }
    }
}

/// True when everything that `wanted` says stands in `live` as well, which has every default in it. Lists are as long
/// as they are wanted, in whatever order. What is not there at all has another name in that version of Kea (3.0 calls
/// its socket `control-sockets`); only our mark must be.
fn says(live: &Value, wanted: &Value, name: &str) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let told = live.get(CLASSES).and_then(Value::as_array);
            let is_told_more =
                told.is_some_and(|it| !it.is_empty()) && !wanted.contains_key(CLASSES);
            !is_told_more
                && wanted.iter().all(|(name, wanted)| match live.get(name) {
                    Some(live) => says(live, wanted, name),
                    None => name != MARK,
                })
        }
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => {
            let in_order = || live.iter().zip(wanted).all(|(a, b)| says(a, b, name));
            let somewhere = |it: &Value| live.iter().any(|live| says(live, it, name));
            in_order() || wanted.iter().all(somewhere)
        }
        (Value::String(live), Value::String(wanted)) if name == "pool" => {
            live == wanted || bounds(live).is_some_and(|it| Some(it) == bounds(wanted))
        }
        _ => live == wanted,
    }
}

/// A pool is `first - last`, or a network: Kea prints what can be a network as one.
fn bounds(pool: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    match pool.split_once('-') {
        Some((first, last)) => Some((first.trim().parse().ok()?, last.trim().parse().ok()?)),
        None => {
            let network: Ipv4Net = pool.parse().ok()?;
            Some((network.network(), network.broadcast()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_may_be_added_and_nothing_else() {
        let wanted = json!({ "user-context": {}, "a": 1, "list": [{ "id": "x" }, { "id": "y" }] });
        let live = json!({ "user-context": {}, "a": 1, "b": 2, "list": [{ "id": "y", "c": 0 }, { "id": "x" }] });
        assert!(says(&live, &wanted, ""));
        let renamed =
            json!({ "user-context": {}, "as": [1], "list": [{ "id": "x" }, { "id": "y" }] });
        assert!(says(&renamed, &wanted, ""));
        for other in [
            json!({ "user-context": {}, "a": 2, "list": [{ "id": "x" }, { "id": "y" }] }),
            json!({ "user-context": {}, "a": 1, "list": [{ "id": "x" }] }),
            json!({ "user-context": {}, "a": 1, "list": [{ "id": "x" }, { "id": "z" }] }),
            json!({ "a": 1, "list": [{ "id": "x" }, { "id": "y" }] }),
        ] {
            assert!(!says(&other, &wanted, ""), "{other}");
        }
    }

    /// Else machines would go on booting from the network once the document no longer speaks of it.
    #[test]
    fn classes_that_nobody_wants_any_more_are_a_difference() {
        let told = |it: Value| json!({ "Dhcp4": { "user-context": {}, "client-classes": it } });
        let silent = json!({ "Dhcp4": { "user-context": {} } });
        assert!(says(&told(json!([])), &silent, ""));
        assert!(!says(&told(json!([{ "name": "bios" }])), &silent, ""));
    }

    #[test]
    fn a_pool_is_its_bounds() {
        let pools = |it: &str| json!([{ "pool": it }]);
        let same = |live, wanted| says(&pools(live), &pools(wanted), "");
        assert!(same("10.0.0.1-10.0.0.9", "10.0.0.1 - 10.0.0.9"));
        assert!(same("10.0.0.8/31", "10.0.0.8 - 10.0.0.9"));
        assert!(same("10.0.0.8/32", "10.0.0.8 - 10.0.0.8"));
        assert!(!same("10.0.0.8/31", "10.0.0.8 - 10.0.0.10"));
        assert!(!same("all", "none"));
    }
}
