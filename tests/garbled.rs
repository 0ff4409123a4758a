//! Garbled documents: whatever is done to one, it loads or it is explained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

use lvs_reconcile::document;
use proptest::prelude::*;
use serde_json::Value;
use std::{fs, path::Path};

#[allow(dead_code, reason = "the fuzzer has more of them")]
#[path = "../fuzz/targets/mod.rs"]
mod targets;

fn good(name: &str) -> String {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
    fs::read_to_string(cases.join(name).join("document.json")).unwrap()
}

fn howto() -> String {
    good("good-howto")
}

/// Pieces of JSON, and what somebody takes for it.
const SCRAPS: &str = r#"{ } [ ] , : " ' \ // /* # null true -1 0 080 8e1 1e400 99999999999999999999
    "\u0000" "\ud800" é "172.16.0.21" "172.16.0.0/16" "rs1" {} [] {"a":1} [1,[2]] "name": NaN True"#;

fn scrap() -> impl Strategy<Value = String> {
    let invisible = [
        "\u{202e}",
        "\u{2028}",
        "\u{feff}",
        "\n",
        "\t",
        "\u{1b}[2J",
        "\0",
    ];
    let pieces: Vec<&str> = SCRAPS.split_whitespace().chain(invisible).collect();
    prop_oneof![3 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => ".{0,8}"]
}

/// Replaces the value at a place of a document, counted through all of them.
fn replace(document: &mut Value, place: usize, with: Value) {
    fn walk(value: &mut Value, left: &mut usize, with: &mut Option<Value>) {
        if *left == 0 {
            if let Some(with) = with.take() {
                *value = with;
            }
            return;
        }
        *left -= 1;
        match value {
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, left, with)),
            Value::Object(object) => object
                .values_mut()
                .for_each(|value| walk(value, left, with)),
            _ => {}
        }
    }
    walk(document, &mut { place }, &mut Some(with));
}

/// Any value, of the kinds that a document holds and of others.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0u16..200).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[a-z0-9./:*@-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let field = prop_oneof![
            "[a-zA-Z$]{1,8}",
            Just("name".to_owned()),
            Just("port".to_owned())
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(field, inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// An accepted value is written as it is read.
fn stays<T: std::str::FromStr + std::fmt::Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert!(
            written.chars().all(|c| matches!(c, ' '..='~')),
            "{written:?}"
        );
        assert_eq!(
            written.parse::<T>().ok(),
            Some(value),
            "{text:?} was written as {written:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_garbled_document_loads_or_is_explained(
        start in 0usize..2600, length in 0usize..40, scrap in scrap()
    ) {
        let mut text = howto();
        let near = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let (start, end) = (near(start.min(text.len())), near((start + length).min(text.len())));
        text.replace_range(start..end, &scrap);
        targets::document::check(text.as_bytes());
    }

    #[test]
    fn garbled_bytes_load_or_are_explained(changes in prop::collection::vec((0usize..2600, any::<u8>()), 1..4)) {
        let mut bytes = howto().into_bytes();
        let length = bytes.len();
        changes.into_iter().for_each(|(at, byte)| bytes[at % length] = byte);
        targets::document::check(&bytes);
    }

    #[test]
    fn a_document_with_another_value_loads_or_is_explained(
        advanced in any::<bool>(), changes in prop::collection::vec((0usize..200, any_value()), 1..4)
    ) {
        let name = if advanced { "good-advanced" } else { "good-howto" };
        let mut document: Value = serde_json::from_str(&good(name)).unwrap();
        changes.into_iter().for_each(|(place, value)| replace(&mut document, place, value));
        targets::document::check(serde_json::to_string_pretty(&document).unwrap().as_bytes());
    }

    #[test]
    fn an_accepted_value_is_written_as_it_is_read(
        any in ".{0,20}", text in "[A-Za-z0-9._:/@^*%+-]{1,24}", address in "[0-9a-f:.]{2,20}(/[0-9]{1,3})?"
    ) {
        for text in [&any, &text, &address] {
            stays::<document::Name>(text);
            stays::<document::DomainName>(text);
            stays::<document::InterfaceName>(text);
            stays::<document::Label>(text);
            stays::<document::Address>(text);
            stays::<document::Address4>(text);
            stays::<document::Address6>(text);
            stays::<document::InterfaceAddress>(text);
            stays::<document::Network>(text);
            stays::<document::ExportClient>(text);
            stays::<document::MacAddress>(text);
            stays::<document::AbsolutePath>(text);
            stays::<document::SysctlKey>(text);
            stays::<document::SysctlValue>(text);
            stays::<document::PackageName>(text);
            stays::<document::Url>(text);
            stays::<document::Scheduler>(text);
        }
    }
}
