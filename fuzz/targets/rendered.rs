//! A good document with other values: what is accepted is rendered, and the files say what the document says.
//!
//! The bytes are edits of one of the examples, which reach further than bytes of JSON do. Each is a kind, a place, a
//! length and a text.

use lvs_reconcile::desired::{Facts, resolve};
use lvs_reconcile::document::{self, Document};
use serde_json::Value;

use super::daemons;

const EXAMPLES: [&str; 9] = [
    include_str!("../../examples/howto.json"),
    include_str!("../../examples/advanced.json"),
    include_str!("../../examples/direct-routing.json"),
    include_str!("../../examples/firewall-mark.json"),
    include_str!("../../examples/ipv6.json"),
    include_str!("../../examples/minimal.json"),
    include_str!("../../examples/netboot.json"),
    include_str!("../../examples/tunnel.json"),
    include_str!("../../examples/files.json"),
];
/// As many as leave anything of the example.
const EDITS: usize = 12;

pub fn check(bytes: &[u8]) {
    let Some((first, mut rest)) = bytes.split_first() else {
        return;
    };
    let example = EXAMPLES[usize::from(*first) % EXAMPLES.len()];
    let mut value: Value = serde_json::from_str(example).expect("an example is JSON");
    for _ in 0..EDITS {
        let Some(([kind, high, low, length], text)) = rest.split_first_chunk() else {
            break;
        };
        let (text, behind) = text.split_at(text.len().min((*length).into()));
        edit(
            &mut value,
            *kind,
            u16::from_be_bytes([*high, *low]).into(),
            text,
        );
        rest = behind;
    }
    let written = serde_json::to_vec(&value).expect("a value is JSON");
    match document::load(&written, "cluster.json") {
        Ok(document) => assert_rendered(&document),
        Err(problems) => super::document::assert_well_said(&written, &problems),
    }
}

/// Replaces, removes or doubles the value at a place, counted through all of them.
fn edit(document: &mut Value, kind: u8, place: usize, text: &[u8]) {
    let mut places = Vec::new();
    collect(document, String::new(), &mut places);
    let Some(path) = places.get(place % places.len().max(1)) else {
        return;
    };
    let (parent, key) = path.rsplit_once('/').expect("a pointer has a parent");
    let (parent, key) = (parent.to_owned(), key.to_owned());
    let text = String::from_utf8_lossy(text);
    let with = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref()));
    match document.pointer_mut(&parent) {
        Some(Value::Object(fields)) => match kind % 4 {
            0 => drop(fields.remove(&key)),
            _ => drop(fields.insert(key, with)),
        },
        Some(Value::Array(list)) => {
            let at: usize = key.parse().expect("a list has numbers");
            match kind % 4 {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => list[at] = with,
            }
        }
        _ => {}
    }
}

/// Every place of a value, as a pointer.
pub fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            for (number, each) in list.iter().enumerate() {
                let at = format!("{at}/{number}");
                places.push(at.clone());
                collect(each, at, places);
            }
        }
        Value::Object(fields) => {
            for (name, each) in fields {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                places.push(at.clone());
                collect(each, at, places);
            }
        }
        _ => {}
    }
}

/// Each director's files, read as their programs read them, say what the document says.
pub fn assert_rendered(document: &Document) {
    for director in &document.directors {
        match resolve(document, director.name.as_str(), &Facts::unknown()) {
            Ok(desired) => daemons::assert_read(document, director, &desired),
            Err(problems) => assert!(problems.iter().all(|it| !it.to_string().is_empty())),
        }
    }
}
