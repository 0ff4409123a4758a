//! A JSON value that knows where it stands in the text, and from which what is wrong can be taken out.

use std::{fmt::Write, ops::Range};

/// One value and its place.
#[derive(Debug)]
pub struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Debug)]
pub enum Value {
    Null,
    Boolean(bool),
    /// As written, because `8e1` and `80` are different mistakes.
    Number(Box<str>),
    String(Box<str>),
    Array(Vec<Element>),
    Object(Object),
    /// Not JSON; reported already.
    Broken,
}

/// One element of a list. The index is the one in the text, also after others were taken out.
#[derive(Debug)]
pub struct Element {
    pub index: usize,
    pub node: Node,
}

#[derive(Debug, Default)]
pub struct Object {
    pub members: Vec<Member>,
    /// The fields that were wrong and have been reported: that they are missing now is nobody's mistake.
    pub reported: Vec<Box<str>>,
    /// Whether something directly in this object, or in its lists, has been reported.
    pub hurt: Hurt,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Hurt {
    #[default]
    No,
    Yes,
}

#[derive(Debug)]
pub struct Member {
    pub key: Box<str>,
    pub key_span: Range<usize>,
    pub node: Node,
    pub origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Written,
    /// Put in by us for a field that is missing, so that the rest of the object can be looked at.
    Invented,
}

/// One step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Field(Box<str>),
    /// The position in the list as it is now.
    Position(usize),
}

impl Object {
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members.iter().find(|member| &*member.key == key)
    }

    pub fn member_mut(&mut self, key: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| &*member.key == key)
    }

    /// Takes a field out, because what is wrong with it has been reported.
    pub fn take_out(&mut self, key: &str) -> Option<Member> {
        self.hurt = Hurt::Yes;
        self.reported.push(key.into());
        let at = self.members.iter().position(|member| &*member.key == key)?;
        Some(self.members.remove(at))
    }
}

impl Node {
    pub fn object(&self) -> Option<&Object> {
        match &self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    pub fn object_mut(&mut self) -> Option<&mut Object> {
        match &mut self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The value one step inside.
    pub fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Object(object), Step::Field(key)) => {
                object.member(key).map(|member| &member.node)
            }
            (Value::Array(elements), Step::Position(at)) => {
                elements.get(*at).map(|element| &element.node)
            }
            _ => None,
        }
    }

    /// Whether what is one step inside was wrong, and taken out.
    pub fn lost(&self, step: &Step) -> bool {
        match (&self.value, step) {
            (Value::Object(object), Step::Field(key)) => object.reported.contains(key),
            _ => false,
        }
    }

    /// The value one step inside, to be changed.
    pub fn child_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.value, step) {
            (Value::Object(object), Step::Field(key)) => {
                object.member_mut(key).map(|member| &mut member.node)
            }
            (Value::Array(elements), Step::Position(at)) => {
                elements.get_mut(*at).map(|element| &mut element.node)
            }
            _ => None,
        }
    }

    /// Whether something at or below this value has been reported.
    pub fn is_hurt(&self) -> bool {
        match &self.value {
            Value::Object(object) => {
                object.hurt == Hurt::Yes
                    || object.members.iter().any(|member| member.node.is_hurt())
            }
            Value::Array(elements) => elements.iter().any(|element| element.node.is_hurt()),
            _ => false,
        }
    }
}

/// Appends a step to a path, with the index that the text has.
pub fn append(path: &mut String, node: Option<&Node>, step: &Step) {
    match step {
        Step::Field(key) => append_field(path, key),
        Step::Position(at) => {
            let element = node.and_then(|node| match &node.value {
                Value::Array(elements) => elements.get(*at),
                _ => None,
            });
            append_index(path, element.map_or(*at, |element| element.index));
        }
    }
}

/// Appends a field to a path; a key with unusual characters is shown in quotes.
pub fn append_field(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let usual = !key.is_empty()
        && key.len() <= 40
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_$-".contains(&b));
    match usual {
        true => path.push_str(key),
        false => path.push_str(&crate::document::problem::quote(key)),
    }
}

/// Appends an index to a path.
pub fn append_index(path: &mut String, index: usize) {
    let _ = write!(path, "[{index}]");
}
