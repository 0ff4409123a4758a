//! Words for what serde only knows as a kind: what is wrong with a value, and what the author probably meant.

use super::{
    Draft,
    reader::{Fault, Kind},
    tree::{self, Node, Step, Value},
};
use crate::document::{
    problem::{escape, quote},
    values::{Address, nearest},
};

/// The problem that a fault is; none when it was reported before.
pub fn describe(root: &Node, base: &str, fault: &Fault) -> Option<Draft> {
    let (path, node) = way(root, base, &fault.steps)?;
    let (value, message, fix) = match (&fault.kind, fault.steps.first()) {
        (Kind::Missing(field), _) if was_reported(node, field) => return None,
        (Kind::Missing(field), _) => (None, is_missing(field), add(field, &path)),
        (Kind::UnknownField(known), Some(step)) => (
            None,
            format!("unknown field {}", key(step)),
            meant(step, known),
        ),
        (Kind::Unexpected(expected), _) => unexpected(&node.value, expected, &path),
        (Kind::Refused(text), _) => refused(&node.value, text, &path),
        (Kind::Broken | Kind::UnknownField(_), _) => return None,
    };
    let offset = match fault.kind {
        Kind::UnknownField(_) => offset_of_key(root, &fault.steps),
        _ => node.span.start,
    };
    Some(Draft {
        offset,
        path,
        value,
        message,
        fix,
    })
}

/// The path and the value at the end of a way that is given from the inside out.
fn way<'n>(root: &'n Node, base: &str, steps: &[Step]) -> Option<(String, &'n Node)> {
    let mut path = base.to_owned();
    let mut node = root;
    for step in steps.iter().rev() {
        tree::append(&mut path, Some(node), step);
        node = node.child(step)?;
    }
    Some((path, node))
}

/// Where the last field of a way is written.
fn offset_of_key(root: &Node, steps: &[Step]) -> usize {
    let Some((Step::Field(key), outer)) = steps.split_first() else {
        return root.span.start;
    };
    let object = outer
        .iter()
        .rev()
        .try_fold(root, |node, step| node.child(step))
        .and_then(Node::object);
    let member = object.and_then(|object| object.member(key));
    member.map_or(root.span.start, |member| member.key_span.start)
}

fn is_missing(field: &str) -> String {
    format!("{} is missing", quote(field))
}

/// The problem of a field that is missing in the document as a whole.
pub fn missing(offset: usize, field: &str) -> Draft {
    let message = is_missing(field);
    Draft {
        offset,
        path: String::new(),
        value: None,
        message,
        fix: add(field, ""),
    }
}

fn was_reported(node: &Node, field: &str) -> bool {
    node.object()
        .is_some_and(|object| object.reported.iter().any(|reported| &**reported == field))
}

fn key(step: &Step) -> String {
    match step {
        Step::Field(key) => quote(key),
        Step::Position(at) => at.to_string(),
    }
}

/// The known field that an unknown one is probably a misspelling of.
pub fn near(step: &Step, known: &[&'static str]) -> Option<&'static str> {
    let Step::Field(key) = step else { return None };
    let lower = key.to_ascii_lowercase();
    let other_word = SYNONYMS
        .iter()
        .find(|(word, _)| *word == lower)
        .map(|(_, field)| *field);
    other_word
        .and_then(|field| known.iter().find(|k| **k == field))
        .copied()
        .or_else(|| nearest(key, known))
}

/// What other programs call our fields.
const SYNONYMS: &[(&str, &str)] = &[
    ("backends", "realServers"),
    ("destinationport", "realServerPort"),
    ("endport", "lastPort"),
    ("fwmark", "firewallMark"),
    ("hwaddr", "mac"),
    ("ip", "address"),
    ("lbalgo", "scheduler"),
    ("mark", "firewallMark"),
    ("method", "forwarding"),
    ("mode", "forwarding"),
    ("ops", "onePacketScheduling"),
    ("password", "rootPasswordFile"),
    ("rootpassword", "rootPasswordFile"),
    ("rootpw", "rootPasswordFile"),
    ("servers", "realServers"),
    ("timeout", "timeoutSeconds"),
];

fn meant(step: &Step, known: &[&'static str]) -> String {
    match near(step, known) {
        Some("rootPasswordFile") => {
            "passwords are references: \"rootPasswordFile\": \"/etc/lvs-reconcile/secrets/root.hash\"".to_owned()
        }
        Some(field) => format!("did you mean \"{field}\"?"),
        None if known.is_empty() => "there is nothing to say here: write {}".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// Examples of the fields that are needed somewhere.
const EXAMPLES: &[(&str, &str)] = &[
    ("address", "\"10.0.0.11\""),
    ("export", "\"/opt/lvs_software\""),
    ("first", "\"10.0.0.100\""),
    ("id", "100"),
    ("last", "\"10.0.0.199\""),
    ("members", "[\"eth2\", \"eth3\"]"),
    ("mount", "\"/\""),
    ("name", "\"web1\""),
    ("parent", "\"eth0\""),
    ("path", "\"/srv/kickstart\""),
    ("port", "80"),
    ("protocols", "[\"tcp\"]"),
    ("realServer", "\"rs1\""),
    ("sizeMiB", "1024"),
    ("target", "\"rhel9\""),
    ("to", "\"10.1.0.0/16\""),
    ("url", "\"http://10.0.0.1/install\""),
    ("value", "\"1\""),
    ("version", "1"),
    ("vip", "\"web\""),
];

/// An example of a field, as JSON.
pub fn example(field: &str) -> Option<&'static str> {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == field)
        .map(|(_, example)| *example)
}

/// What things are called in the lists that a path may end in.
const NAMES: &[(&str, &str)] = &[
    ("directors[", "dir1"),
    ("interfaces[", "eth0"),
    ("sysctls[", "net.ipv4.ip_dynaddr"),
    ("realServers[", "rs1"),
    ("vips[", "web"),
    ("services[", "http"),
    ("drop[", "netbios"),
];

fn add(field: &str, path: &str) -> String {
    let list = path.rsplit('.').next().unwrap_or_default();
    let name = NAMES
        .iter()
        .find(|(start, _)| field == "name" && list.starts_with(start));
    match (name, example(field)) {
        (Some((_, name)), _) => format!("add it, for example \"name\": \"{name}\""),
        (_, Some(example)) if field == "version" => format!("add \"version\": {example}"),
        (_, Some(example)) => format!("add it, for example \"{field}\": {example}"),
        _ => "add it".to_owned(),
    }
}

type Words = (Option<String>, String, String);

/// A value of the wrong type, or a number out of range.
fn unexpected(value: &Value, expected: &str, path: &str) -> Words {
    if let Value::Null = value {
        return (
            None,
            "null is no value".to_owned(),
            "leave the field out to get its default".to_owned(),
        );
    }
    let wanted = Wanted::of(expected);
    let message = match (value, &wanted) {
        (Value::Number(text), Wanted::Integer(_)) => number_message(text, path),
        (Value::Number(_), _) => "is a number",
        (Value::String(_), _) => "is a string",
        (Value::Boolean(_), _) => "is a truth value",
        (Value::Array(_), _) => "a list stands here",
        _ => "an object stands here",
    };
    (shown(value), message.to_owned(), wanted.fix(value, path))
}

fn number_message(text: &str, path: &str) -> &'static str {
    match text {
        _ if text.contains(['.', 'e', 'E']) => "is not written as an integer",
        _ if path == "version" && text.parse().is_ok_and(|version: u64| version > 1) => {
            "is newer than this lvs-reconcile (1)"
        }
        _ => "is out of range",
    }
}

/// What a type expected, told from serde's words for it.
enum Wanted<'e> {
    Object,
    List,
    Text,
    Truth,
    /// One of a list of words.
    Word(&'e str),
    /// The advice of the number's own type.
    Integer(&'e str),
}

impl<'e> Wanted<'e> {
    fn of(expected: &'e str) -> Self {
        match expected {
            "a sequence" => Self::List,
            "a string" => Self::Text,
            "a boolean" => Self::Truth,
            _ if expected.starts_with("struct ") => Self::Object,
            words if words.starts_with("one of ") => Self::Word(words),
            advice => Self::Integer(advice),
        }
    }

    fn fix(&self, value: &Value, path: &str) -> String {
        match (self, value) {
            (Self::Object, _) if path.is_empty() => {
                "write an object: { \"version\": 1, ... }".to_owned()
            }
            (Self::Object, _) => "write an object: { \"field\": value, ... }".to_owned(),
            (Self::List, Value::Object(_)) => {
                "write a list of objects with a \"name\" each: [{ \"name\": ..., ... }]".to_owned()
            }
            (Self::List, Value::String(text)) => format!("write a list: [{}]", quote(text)),
            (Self::List, _) => "write a list: [...]".to_owned(),
            (Self::Text, Value::Number(text)) => {
                format!("write it in quotes: \"{}\"", escape(text))
            }
            (Self::Text, _) => "write a string in quotes".to_owned(),
            (Self::Word(words), _) => format!("write {words}, in quotes"),
            (Self::Truth, _) => "write true or false, without quotes".to_owned(),
            (Self::Integer(_), Value::Number(text))
                if path == "version" && text.parse().is_ok_and(|v: u64| v > 1) =>
            {
                "upgrade the tool, or write \"version\": 1".to_owned()
            }
            (Self::Integer(advice), value) => {
                plain_integer(value).unwrap_or_else(|| (*advice).to_owned())
            }
        }
    }
}

/// The integer that was meant by a string or by another spelling.
fn plain_integer(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let integer: i64 = text.trim().parse().ok()?;
            Some(format!("write {integer} without quotes"))
        }
        Value::Number(text) if text.contains(['.', 'e', 'E']) => {
            let number: f64 = text.parse().ok()?;
            let whole = number.fract() == 0.0 && number.abs() < 1e15;
            whole.then(|| format!("write {number:.0}"))
        }
        _ => None,
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Number(text) => Some(escape(text)),
        Value::String(text) => Some(quote(text)),
        Value::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A value that its own grammar refuses. `text` is a [`BadValue`](crate::document::values::BadValue) as text.
fn refused(value: &Value, text: &str, path: &str) -> Words {
    let (mut message, mut fix) = text
        .split_once("; ")
        .map(|(m, f)| (m.to_owned(), f.to_owned()))
        .unwrap_or_default();
    if let Value::String(value) = value {
        let field = path.rsplit('.').next().unwrap_or_default();
        if field == "vip" && value.parse::<Address>().is_ok() {
            message = "is an address".to_owned();
            fix = "write the name of its VIP".to_owned();
        }
        if path.starts_with("vips[") && message == "has a prefix length" {
            message.push_str(", and a VIP never has one");
        }
    }
    (shown(value), message, fix)
}
