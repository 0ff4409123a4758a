//! A strict JSON parser that knows where everything stands, and that goes on after the usual mistakes.
//!
//! The limits on nesting have been checked before, so recursion is bounded.

use super::{
    Draft,
    tree::{self, Element, Member, Node, Object, Origin, Step, Value},
};
use crate::document::problem::{Problems, escape, quote};

/// Parses a text. What is wrong is in the drafts; without a node, it could not be read to its end.
pub fn parse(text: &str) -> (Option<Node>, Vec<Draft>) {
    let mut parser = Parser {
        text,
        at: 0,
        steps: Vec::new(),
        drafts: Vec::new(),
    };
    let root = parser.document().ok();
    (root, parser.drafts)
}

/// The text cannot be read any further; the reason is among the drafts.
pub(super) struct Stop;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    steps: Vec<Step>,
    drafts: Vec<Draft>,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Node, Stop> {
        self.space()?;
        let root = self.value()?;
        self.space()?;
        if let Some(c) = self.peek() {
            let message = format!("{} stands after the end of the document", shown(c));
            self.report(self.at, message, "remove what follows the last bracket")?;
        }
        Ok(root)
    }

    fn value(&mut self) -> Result<Node, Stop> {
        let start = self.at;
        let value = match self.peek() {
            Some('{') => self.object()?,
            Some('[') => self.array()?,
            Some('"' | '\'') => self
                .string()?
                .map_or(Value::Broken, |text| Value::String(text.into())),
            Some(c) if is_word(c) => self.word()?,
            Some(c) => {
                return self.stop(
                    format!("{} stands where a value is needed", shown(c)),
                    "write a value",
                );
            }
            None => return self.cut_off(),
        };
        Ok(Node {
            span: start..self.at,
            value,
        })
    }

    fn object(&mut self) -> Result<Value, Stop> {
        self.at += 1;
        let mut object = Object::default();
        while self.goes_on('}', object.members.len())? {
            let start = self.at;
            let key = self.key()?;
            let key_span = start..self.at;
            self.steps.push(Step::Field(key.as_str().into()));
            self.space()?;
            self.expect_colon()?;
            self.space()?;
            let node = self.value()?;
            self.keep(
                &mut object,
                Member {
                    key: key.into(),
                    key_span,
                    node,
                    origin: Origin::Written,
                },
            )?;
            self.steps.pop();
        }
        Ok(Value::Object(object))
    }

    /// Adds a member, unless the object has one with this key already.
    fn keep(&mut self, object: &mut Object, member: Member) -> Result<(), Stop> {
        match object.member(&member.key) {
            None => object.members.push(member),
            Some(first) => {
                let line = self.text[..first.key_span.start].matches('\n').count() + 1;
                let message = format!("the field {} is written a second time", quote(&member.key));
                self.report(
                    member.key_span.start,
                    message,
                    &format!("keep one; the first is in line {line}"),
                )?;
                object.hurt = tree::Hurt::Yes;
            }
        }
        Ok(())
    }

    fn array(&mut self) -> Result<Value, Stop> {
        self.at += 1;
        let mut elements = Vec::new();
        while self.goes_on(']', elements.len())? {
            let index = elements.len();
            self.steps.push(Step::Position(index));
            let node = self.value()?;
            self.steps.pop();
            elements.push(Element { index, node });
        }
        Ok(Value::Array(elements))
    }

    /// Whether another entry follows in a list or an object that has some; otherwise its end has been read.
    fn goes_on(&mut self, close: char, entries: usize) -> Result<bool, Stop> {
        self.space()?;
        let comma = self.at;
        let has_comma = entries > 0 && self.take(',');
        if has_comma {
            self.space()?;
        }
        if self.take(close) {
            if has_comma {
                let message = "a comma stands before the closing bracket";
                self.report(comma, message, "remove the comma")?;
            }
            return Ok(false);
        }
        if entries > 0 && !has_comma {
            self.without_comma()?;
        }
        match self.peek() {
            None => self.cut_off(),
            Some(c @ (']' | '}')) => {
                let message = format!("{} closes what '{}' opened", shown(c), opened_by(close));
                self.stop(message, &format!("write '{close}'"))
            }
            Some(c @ (',' | ':')) => self.stop(
                format!("{} stands where an entry is needed", shown(c)),
                "remove it",
            ),
            Some(_) => Ok(true),
        }
    }

    /// Says what is wrong when an entry follows another without a comma.
    fn without_comma(&mut self) -> Result<(), Stop> {
        match self.peek() {
            None | Some(']' | '}' | ',' | ':') => Ok(()),
            Some(c) if is_word(c) && self.text[..self.at].ends_with('"') => {
                let message = "a word stands right behind a string".to_owned();
                self.stop(message, "a quote is missing before this")
            }
            Some(_) => {
                let message = "a comma is missing before this";
                self.report(self.at, message, "write a comma between two entries")
            }
        }
    }

    fn key(&mut self) -> Result<String, Stop> {
        match self.peek() {
            // A key that is no string has been reported; its text serves to find follow-up mistakes.
            Some('"' | '\'') => {
                let start = self.at;
                Ok(self
                    .string()?
                    .unwrap_or_else(|| self.text[start..self.at].to_owned()))
            }
            Some(c) if is_word(c) => {
                let start = self.at;
                let word = self.take_word();
                self.report(
                    start,
                    "a field stands without quotes",
                    &format!("write {}", quote(&word)),
                )?;
                Ok(word)
            }
            Some(c) => self.stop(
                format!("{} stands where a field is needed", shown(c)),
                "write a field in quotes",
            ),
            None => self.cut_off(),
        }
    }

    fn expect_colon(&mut self) -> Result<(), Stop> {
        match self.peek() {
            Some(':') => {
                self.at += 1;
                Ok(())
            }
            None => self.cut_off(),
            Some(c) => self.stop(
                format!("{} stands where a colon is needed", shown(c)),
                "write \"field\": value",
            ),
        }
    }

    /// Skips white space; reports comments and characters that only look like white space, and skips them too.
    pub(super) fn space(&mut self) -> Result<(), Stop> {
        while let Some(c) = self.peek() {
            let start = self.at;
            match c {
                ' ' | '\t' | '\n' | '\r' => self.at += 1,
                '/' | '#' if self.skip_comment() => {
                    self.report(start, "a comment; JSON has none", "remove it")?;
                }
                c if c.is_whitespace() || is_invisible(c) => {
                    self.at += c.len_utf8();
                    self.report(
                        start,
                        format!("{} stands between the values", shown(c)),
                        "remove it",
                    )?;
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn skip_comment(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let length = match rest.as_bytes() {
            [b'/', b'*', ..] => rest.find("*/").map(|end| end + 2),
            [b'/', b'/', ..] | [b'#', ..] => rest.find('\n'),
            _ => return false,
        };
        self.at += length.unwrap_or(rest.len());
        true
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    pub(super) fn take_word(&mut self) -> String {
        let rest = &self.text[self.at..];
        let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word.to_owned()
    }

    /// Notes a mistake after which the text can still be read.
    pub(super) fn report(
        &mut self,
        offset: usize,
        message: impl Into<String>,
        fix: &str,
    ) -> Result<(), Stop> {
        let mut path = String::new();
        self.steps
            .iter()
            .for_each(|step| tree::append(&mut path, None, step));
        self.drafts.push(Draft {
            offset,
            path,
            value: None,
            message: message.into(),
            fix: fix.to_owned(),
        });
        if self.drafts.len() > Problems::MOST {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// Notes a mistake after which nothing can be told any more.
    pub(super) fn stop<T>(&mut self, message: String, fix: &str) -> Result<T, Stop> {
        self.report(self.at, message, fix)?;
        Err(Stop)
    }

    /// The text ended too early.
    pub(super) fn cut_off<T>(&mut self) -> Result<T, Stop> {
        self.at = self.text.trim_ascii_end().len();
        self.stop(
            "the document ends in the middle".to_owned(),
            "it was cut off, or brackets are not closed",
        )
    }
}

/// A character in quotes, escaped.
pub(super) fn shown(c: char) -> String {
    format!("'{}'", escape(c.encode_utf8(&mut [0; 4])))
}

/// The characters of numbers and of words without quotes.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '_' | '-' | '+' | '.' | '$')
        || (c.is_alphanumeric() && !c.is_ascii())
}

/// Characters without a shape: marks of direction, joiners, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn opened_by(close: char) -> char {
    if close == ']' { '[' } else { '{' }
}
