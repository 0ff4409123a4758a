//! Reads document types out of a tree, and says where it failed.

use super::tree::{Element, Member, Node, Step, Value};
use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor, value::StrDeserializer,
};
use std::fmt;

/// Why a type could not be read, and where.
#[derive(Debug)]
pub struct Fault {
    /// The way to the value or the field, from the inside out.
    pub steps: Vec<Step>,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    /// A value of the wrong type, or out of range; what was expected.
    Unexpected(String),
    /// A value that its own grammar refuses; what is wrong, and what would be right.
    Refused(String),
    /// A field that is not known; those that are.
    UnknownField(&'static [&'static str]),
    /// A field that is needed.
    Missing(&'static str),
    /// Something that was reported before.
    Broken,
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            steps: Vec::new(),
            kind,
        }
    }

    fn at(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Refused(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::Unexpected(expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::Unexpected(expected.to_string()))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownField(known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Number(text) => match (text.parse(), text.parse()) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_f64(text.parse().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(elements) => visitor.visit_seq(Elements { elements, next: 0 }),
            Value::Object(object) => visitor.visit_map(Members {
                members: &object.members,
                current: None,
            }),
            Value::Broken => Err(Fault::new(Kind::Broken)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Array(_) => Err(Fault::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Elements<'de> {
    elements: &'de [Element],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let at = self.next;
        self.next += 1;
        let element = self.elements.get(at);
        element
            .map(|element| {
                seed.deserialize(&element.node)
                    .map_err(|f| f.at(Step::Position(at)))
            })
            .transpose()
    }
}

struct Members<'de> {
    members: &'de [Member],
    current: Option<&'de Member>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((member, rest)) = self.members.split_first() else {
            return Ok(None);
        };
        self.members = rest;
        self.current = Some(member);
        let key: StrDeserializer<'de, Fault> = (*member.key).into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|fault| fault.at(Step::Field(member.key.clone())))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let member = self
            .current
            .take()
            .ok_or_else(|| Fault::new(Kind::Broken))?;
        seed.deserialize(&member.node)
            .map_err(|fault| fault.at(Step::Field(member.key.clone())))
    }
}
