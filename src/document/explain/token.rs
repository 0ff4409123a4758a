//! Strings, numbers and words of the explaining parser.

use super::{
    parse::{Parser, Stop, shown},
    tree::Value,
};
use crate::document::problem::quote;

/// A character that cannot be in a string; reported already.
struct Wrong;

impl Parser<'_> {
    /// Reads a string; none when it is wrong, which has been reported.
    pub(super) fn string(&mut self) -> Result<Option<String>, Stop> {
        let start = self.at;
        let delimiter = if self.peek() == Some('\'') { '\'' } else { '"' };
        self.at += 1;
        let mut text = Some(String::new());
        while let Some(read) = self.character(start, delimiter)? {
            // One wrong character, and there is no string; the rest is still read.
            text = text
                .zip(read.ok())
                .map(|(text, c)| text + c.encode_utf8(&mut [0; 4]));
        }
        if let (Some(text), '\'') = (&text, delimiter) {
            let fix = format!("write {}", quote(text));
            self.report(start, "a string in single quotes", &fix)?;
        }
        Ok(text)
    }

    /// Reads one character of a string; none at its end.
    fn character(
        &mut self,
        start: usize,
        delimiter: char,
    ) -> Result<Option<Result<char, Wrong>>, Stop> {
        let at = self.at;
        let Some(c) = self.peek() else {
            return self.cut_off();
        };
        self.at += c.len_utf8();
        let message = match c {
            '\n' => {
                self.at = start;
                let message = "a string does not end in its line".to_owned();
                return self.stop(message, "close it with a quote");
            }
            _ if c == delimiter => return Ok(None),
            '\\' => match self.escape() {
                Some(c) => return Ok(Some(Ok(c))),
                None => "a wrong escape in a string".to_owned(),
            },
            c if c < ' ' => format!("{} stands in a string", shown(c)),
            c => return Ok(Some(Ok(c))),
        };
        self.report(at, message, "write plain characters")?;
        Ok(Some(Err(Wrong)))
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Option<char> {
        let c = self.peek()?;
        if c == '\n' {
            return None;
        }
        self.at += c.len_utf8();
        match c {
            '"' | '\\' | '/' => Some(c),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode(),
            _ => None,
        }
    }

    /// Reads four hexadecimal digits, and the second half of a pair when they are the first.
    fn unicode(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        let is_first_half = (0xd800..0xdc00).contains(&first);
        if !is_first_half || !self.text[self.at..].starts_with("\\u") {
            return char::from_u32(first);
        }
        self.at += 2;
        let second = self
            .four_digits()
            .filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let value = digits
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        value.flatten()
    }

    /// Reads a number, `true`, `false`, `null`, or something that is none of them.
    pub(super) fn word(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        let word = self.take_word();
        match word.as_str() {
            "true" => return Ok(Value::Boolean(true)),
            "false" => return Ok(Value::Boolean(false)),
            "null" => return Ok(Value::Null),
            number if is_number(number) => return Ok(Value::Number(number.into())),
            _ => {}
        }
        let (message, fix) = explain_word(&word);
        let shown = crate::document::problem::escape(&word);
        self.report(start, format!("{shown} {message}"), &fix)?;
        Ok(Value::Broken)
    }
}

/// Whether a word is a number as JSON writes it.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (integer, fraction) = match mantissa.split_once('.') {
        Some((integer, fraction)) => (integer, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(integer)
        && (integer == "0" || !integer.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Says what is wrong with a word that is no value, and what was probably meant.
fn explain_word(word: &str) -> (&'static str, String) {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let hexadecimal = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match word {
        "NaN" | "Infinity" | "-Infinity" | "+Infinity" => {
            ("is no number in JSON", "write an integer".to_owned())
        }
        "True" | "TRUE" | "yes" | "on" => ("is no value in JSON", "write true".to_owned()),
        "False" | "FALSE" | "no" | "off" => ("is no value in JSON", "write false".to_owned()),
        "None" | "nil" | "undefined" | "NULL" => {
            ("is no value in JSON", "leave the field out".to_owned())
        }
        _ if digits(word) => match word.trim_start_matches('0') {
            "" => ("has a leading zero", "write 0".to_owned()),
            plain => (
                "has a leading zero, which some programs read as octal",
                format!("write {plain}"),
            ),
        },
        _ if word.strip_prefix('+').is_some_and(digits) => (
            "has a plus sign, which JSON does not allow",
            format!("write {}", &word[1..]),
        ),
        _ => match hexadecimal.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            Some(value) => (
                "is hexadecimal, which JSON does not allow",
                format!("write {value}"),
            ),
            None if word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => (
                "is no number in JSON",
                "write an integer, or a string in quotes".to_owned(),
            ),
            None => ("stands without quotes", format!("write {}", quote(word))),
        },
    }
}
