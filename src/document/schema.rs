//! The document's schema, for editors.

use super::Document;
use schemars::{Schema, generate::SchemaSettings, transform};
use serde_json::{Map, Value, json};

/// The schema of a document: JSON Schema, draft 2020-12, generated from the types.
pub fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().with_transform(without_null);
    let schema = settings.into_generator().into_root_schema_for::<Document>();
    format!("{:#}\n", schema.as_value())
}

/// A field that may be absent is an `Option` in Rust, which schemars reads as "or null". A document has no null.
fn without_null(schema: &mut Schema) {
    transform::transform_subschemas(&mut without_null, schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let null = json!({ "type": "null" });
    if let Some(Value::Array(kinds)) = object.get_mut("anyOf") {
        kinds.retain(|kind| *kind != null);
    }
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
    }
    unwrap_single(object);
}

/// A choice of one is no choice.
fn unwrap_single(object: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = object.get("type")
        && let [kind] = kinds.as_slice()
    {
        let kind = kind.clone();
        object.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(kinds)) = object.get("anyOf")
        && let [Value::Object(only)] = kinds.as_slice()
    {
        let only = only.clone();
        object.remove("anyOf");
        for (keyword, value) in only {
            object.entry(keyword).or_insert(value);
        }
    }
}
