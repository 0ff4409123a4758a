//! What silences a warning: its code, a name, and a reason.

use super::text::{plain, text};
use super::{BadValue, StringVisitor};
use crate::lint::Code;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, fmt, str::FromStr};

use super::as_json_string;

text! {
    /// The name of something in the document, whatever it is.
    Subject, |text| plain(text, 1023, "._/-", "write the name of what the warning is about"), {
        "type": "string",
        "description": "The name of a service, VIP, real server, director, drop rule, profile or interface, or the path of an export or file.",
        "pattern": "^[A-Za-z0-9._/-]{1,1023}$",
    };
    /// Why a warning is meant to be.
    Reason, reason, {
        "type": "string",
        "description": "Why it is meant to be: at least one word, in one line.",
        "pattern": r"^(?=.*\S)[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]{1,1000}$",
        "examples": ["the test VIP, used by hand"],
    };
}

fn reason(text: &str) -> Result<(), BadValue> {
    const FIX: &str = "write why it is meant to be";
    const MOST: usize = 1000;
    let strange = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    match text {
        _ if text.trim().is_empty() => Err(BadValue::new("is empty", FIX)),
        _ if text.contains(strange) => Err(BadValue::new(
            "contains a control character",
            "write one line of text",
        )),
        _ if text.chars().count() > MOST => Err(BadValue::new(
            format!("has more than {MOST} characters"),
            "write a line",
        )),
        _ => Ok(()),
    }
}

/// A code as a value of the document: whoever mistypes it is told what there is.
struct Written(Code);

impl FromStr for Written {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let words: Vec<&str> = Code::ALL.iter().map(|it| it.word()).collect();
        let range = || format!("there are {} to {}", words[0], words[words.len() - 1]);
        let code = text.parse().map(Self);
        code.map_err(|_| BadValue::new("is the code of no warning", range()))
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = deserializer.deserialize_str(StringVisitor::<Written>::new())?;
        Ok(written.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all: Vec<Schema> = Code::ALL
            .iter()
            .map(|it| json_schema!({ "const": it.word(), "description": it.title() }))
            .collect();
        json_schema!({ "description": "The code of a warning.", "oneOf": all })
    }
}
