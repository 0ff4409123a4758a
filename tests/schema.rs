//! The schema: current, valid, and of one mind with the loader as far as a schema can be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    reason = "a test may stop at once"
)]

use jsonschema::Validator;
use lvs_reconcile::document;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn cases() -> Vec<PathBuf> {
    let folders = fs::read_dir(file("tests/documents")).unwrap();
    folders.map(|folder| folder.unwrap().path()).collect()
}

/// What an editor makes of the schema: formats count.
fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&document::schema()).unwrap();
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

/// `UPDATE_SCHEMA=1` rewrites it.
#[test]
fn the_committed_schema_is_current() {
    let path = file("schema/document.schema.json");
    let generated = document::schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let message =
        "schema/document.schema.json is stale: run UPDATE_SCHEMA=1 cargo test --test schema";
    assert!(committed == generated, "{message}");
}

#[test]
fn the_schema_is_a_schema() {
    let schema: Value = serde_json::from_str(&document::schema()).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

/// An editor shows the author what a field means before he looks it up.
#[test]
fn every_field_is_described() {
    fn walk(value: &Value, path: &str, silent: &mut Vec<String>) {
        let Value::Object(object) = value else { return };
        for (name, field) in object
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if field.get("description").is_none() {
                silent.push(format!("{path}.{name}"));
            }
        }
        for (name, inner) in object {
            walk(inner, &format!("{path}/{name}"), silent);
        }
    }
    let schema: Value = serde_json::from_str(&document::schema()).unwrap();
    let mut silent = Vec::new();
    walk(&schema, "", &mut silent);
    assert!(silent.is_empty(), "no description: {silent:#?}");
}

/// The schema never refuses what loads.
#[test]
fn what_loads_is_valid() {
    let validator = validator();
    let mut seen = 0;
    for case in cases() {
        let Ok(text) = fs::read_to_string(case.join("document.json")) else {
            continue;
        };
        if document::load(text.as_bytes(), "cluster.json").is_ok() {
            let value = serde_json::from_str(&text).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&value)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{}: {errors:?}", case.display());
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} good documents");
}

/// Mistakes inside one value or one object are underlined while the author types. The rest needs the whole document,
/// or is no JSON, or, like 80.0, is the same to a schema.
#[test]
fn mistakes_in_a_value_are_invalid_too() {
    let expressible = [
        "b08-unknown-field",
        "b09-unknown-field-in-empty-object",
        "b10-misspelt-word",
        "b11-document-is-a-list",
        "b11-list-for-object",
        "b11-object-for-list",
        "b12-misspelt-optional-field",
        "b13-null",
        "b14-number-in-quotes",
        "b14-quotes-around-truth",
        "b16-direction-mark",
        "b16-in-a-field",
        "b16-in-every-kind-of-string",
        "b16-line-break",
        "b16-nul",
        "b17-newer",
        "b17-no-version",
        "b17-older",
        "b17-string",
        "b19-weights",
        "b20-no-protocol",
        "b20-protocols",
        "b21-scheduler",
        "b32-prefixes",
        "b33-prefix-0",
        "b33-vip-with-prefix",
        "b37-interface-names",
        "b44-domain",
        "b45-names-for-addresses",
        "b46-export-paths",
        "etc-hosts-number",
        "files-values",
        "long-values",
        "missing-fields",
        "netboot",
        "profile-values",
        "secret-in-the-document",
        "silence-wrong",
        "ssh-values",
    ];
    let validator = validator();
    for name in expressible {
        let text =
            fs::read_to_string(file("tests/documents").join(name).join("document.json")).unwrap();
        assert!(
            document::load(text.as_bytes(), "cluster.json").is_err(),
            "{name} loads"
        );
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(!validator.is_valid(&value), "the schema accepts {name}");
    }
}

/// Values one by one: where the schema says yes, so does the loader, for every pattern that can say it all.
#[test]
fn bad_values_are_invalid_one_by_one() {
    let text = fs::read_to_string(file("tests/documents/good-howto/document.json")).unwrap();
    let good: Value = serde_json::from_str(&text).unwrap();
    let validator = validator();
    let bad = [
        (
            "/realServers/0/mac",
            vec![
                "00:60:08:cf:bd",
                "00:60:08:cf:bd:6d:00",
                "00:60-08:cf:bd:6d",
                "0060.08cf.bd6d",
                "",
            ],
        ),
        (
            "/realServers/0/name",
            vec!["-rs", "rs_1", "RS1", "rs1.", "", "a\nb"],
        ),
        (
            "/realServers/0/address",
            vec!["10.0.0.300", "010.0.0.1", "rs1", "10.0.0.1/24", ""],
        ),
        ("/vips/0/label", vec!["", "a:b", "abcdefghijklmn"]),
        (
            "/exports/0/path",
            vec![
                "srv",
                "/srv/../etc",
                "/",
                "/a b",
                "/srv/",
                "//srv",
                "/srv/.",
            ],
        ),
        (
            "/netboot/kickstart/0/url",
            vec![
                "ftp://x/",
                "http://",
                "http://a@b/",
                "http://x/#y",
                "http://x/ y",
            ],
        ),
        (
            "/netboot/kickstart/0/packages/0",
            vec!["-x", "%end", "a b", ""],
        ),
        (
            "/netboot/kickstart/0/partitions/0/mount",
            vec!["data", "../x", "/a b", ""],
        ),
        (
            "/netboot/kickstart/0/sshKeys/0",
            vec![
                "",
                "ssh-ed25519",
                "ssh-dss AAAA",
                "ssh-ed25519 AAAA\nx",
                "ssh-ed25519 AAAA a b",
                "ssh-ed25519 AAAA a'b",
            ],
        ),
        (
            "/netboot/kickstart/0/ntpServers/0",
            vec!["", "a b", "NTP", "a,b", "a.", "a\nb"],
        ),
        (
            "/netboot/kickstart/0/repositories/0/name",
            vec!["", "a b", "-x", "a\nb", "a,b"],
        ),
        (
            "/netboot/kickstart/0/enabledServices/0",
            vec!["", "a b", "-x", "a\nb", "a,b", "a;b"],
        ),
        (
            "/netboot/kickstart/0/mounts/0/export",
            vec!["", "opt", "/a b", "/a/../b", "/a\nb"],
        ),
        (
            "/netboot/kickstart/0/post/0",
            vec![
                "%end",
                " %include x",
                "%ksappendx",
                "\t%post",
                "a\nb",
                "a\u{2028}b",
            ],
        ),
        ("/directors/0/sysctls/0/name", vec!["", "a b", "a\nb"]),
        (
            "/directors/0/interfaces/0/name",
            vec!["all", "..", "eth0;", "abcdefghijklmnop", "-x"],
        ),
    ];
    for (place, values) in bad {
        for value in values {
            let mut document = good.clone();
            *document.pointer_mut(place).unwrap() = value.into();
            assert!(
                !validator.is_valid(&document),
                "the schema accepts {value:?} at {place}"
            );
            let loaded = document::load(document.to_string().as_bytes(), "cluster.json");
            assert!(loaded.is_err(), "{value:?} loads at {place}");
        }
    }
}
