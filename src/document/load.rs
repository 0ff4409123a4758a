//! From bytes to a checked document.

use super::{
    Document, check, explain,
    limits::{self, FILE_BYTES},
    problem::{Cut, Lines, Problem, Problems},
    strict::Strict,
    warn,
};
use crate::lint::{self, Warnings};
use serde::Deserialize;

/// Reads a document and checks it, or says everything that is wrong with it.
pub fn load(bytes: &[u8], file_name: &str) -> Result<Document, Problems> {
    examine(bytes, file_name).map(|(document, _)| document)
}

/// Reads a document and checks it, or says everything that is wrong with it. With what is allowed and unusual, less what
/// it silences.
///
/// A good document is parsed once, straight into its types. Only a bad one is parsed again, to say where and why.
pub fn examine(bytes: &[u8], file_name: &str) -> Result<(Document, Warnings), Problems> {
    let text = decode(bytes)
        .and_then(within_limits)
        .map_err(|problem| Problems {
            file_name: file_name.to_owned(),
            problems: vec![problem],
            cut: Cut::Complete,
        })?;
    let document = parse(text).map_err(|error| explain::explain(text, file_name, Some(&error)))?;
    let index = check::Index::new(&document);
    if !check::findings(&index).is_empty() {
        return Err(explain::explain(text, file_name, None));
    }
    let found = warn::warnings(&index);
    let useless = lint::useless(&document.silence, &found);
    let mut warnings = Warnings::new(&document.silence);
    warnings.extend(found.into_iter().chain(useless));
    Ok((document, warnings))
}

/// Parses without looking at what the values mean together.
fn parse(text: &str) -> Result<Document, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let document = Document::deserialize(Strict(&mut deserializer))?;
    deserializer.end()?;
    Ok(document)
}

/// The text of a document: UTF-8 without a byte order mark, and not empty.
fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > FILE_BYTES {
        let message = format!(
            "the document has {} bytes; the limit is {FILE_BYTES}",
            bytes.len()
        );
        return Err(at_start(&message, "split the cluster"));
    }
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => {
            let message = "the document starts with a byte order mark";
            return Err(at_start(message, "save it as UTF-8 without one"));
        }
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, _, ..] | [_, 0, ..] => {
            return Err(at_start(
                "the document is in UTF-16 or UTF-32",
                "save it as UTF-8",
            ));
        }
        _ => {}
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error))?;
    if text.trim_ascii().is_empty() {
        let fix =
            "write at least {\"version\": 1}; an empty file never means \"delete everything\"";
        return Err(at_start("the document is empty", fix));
    }
    Ok(text)
}

fn not_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Problem {
    let (good, bad) = bytes.split_at(error.valid_up_to());
    let place = position(&String::from_utf8_lossy(good), good.len());
    let byte = bad.first().copied().unwrap_or_default();
    problem(
        place,
        format!("byte 0x{byte:02x} is not UTF-8"),
        "save the document as UTF-8",
    )
}

fn at_start(message: &str, fix: &str) -> Problem {
    problem((1, 1), message.to_owned(), fix)
}

fn within_limits(text: &str) -> Result<&str, Problem> {
    limits::check(text).map(|()| text).map_err(|exceeded| {
        problem(
            position(text, exceeded.offset),
            exceeded.message,
            exceeded.fix,
        )
    })
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    Lines::new(text).position(offset)
}

fn problem((line, column): (usize, usize), message: String, fix: &str) -> Problem {
    Problem {
        path: String::new(),
        line,
        column,
        value: None,
        message,
        fix: fix.to_owned(),
    }
}
