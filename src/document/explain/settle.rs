//! Gets as much of a type out of a tree as there is, and notes everything that is wrong on the way.
//!
//! A type can only say its first mistake. So the mistake is noted and taken out of the tree, and the type is asked
//! again. What is needed and missing is invented for the moment, so that the mistakes behind it are found too.

use super::{
    Draft, describe,
    reader::{Fault, Kind},
    tree::{Element, Hurt, Member, Node, Object, Origin, Step, Value},
};
use crate::document::problem::Problems;
use serde::de::DeserializeOwned;

/// Reads a type out of a tree. None when what is left does not make one.
pub fn settle<T: DeserializeOwned>(
    node: &mut Node,
    base: &str,
    drafts: &mut Vec<Draft>,
) -> Option<T> {
    while drafts.len() <= Problems::MOST {
        let fault = match T::deserialize(&*node) {
            Ok(value) => return without_inventions(node, value),
            Err(fault) => fault,
        };
        drafts.extend(describe::describe(node, base, &fault));
        if take_out(node, &fault) == Repair::Impossible {
            return None;
        }
    }
    None
}

/// Reads a list of a type; what cannot be read is taken out of the list.
pub fn settle_list<T: DeserializeOwned>(
    elements: &mut Vec<Element>,
    field: &str,
    drafts: &mut Vec<Draft>,
) -> Vec<T> {
    let mut values = Vec::with_capacity(elements.len());
    elements.retain_mut(|element| {
        let value = settle(
            &mut element.node,
            &format!("{field}[{}]", element.index),
            drafts,
        );
        let kept = value.is_some();
        values.extend(value);
        kept
    });
    values
}

#[derive(PartialEq, Eq)]
enum Repair {
    Done,
    Impossible,
}

/// Takes what a fault is about out of the tree, or invents what is missing.
fn take_out(root: &mut Node, fault: &Fault) -> Repair {
    let (steps, place) = match (&fault.kind, fault.steps.split_first()) {
        (Kind::Missing(field), _) => return invent(root, &fault.steps, field),
        (_, None) => return Repair::Impossible,
        (_, Some((place, outer))) => (outer, place),
    };
    let meant = match &fault.kind {
        Kind::UnknownField(known) => describe::near(place, known),
        _ => None,
    };
    match (descend(root, steps), place) {
        (Some(Value::Object(object)), Step::Field(key)) => {
            object.take_out(key);
            object.reported.extend(meant.map(Box::from));
        }
        (Some(Value::Array(elements)), Step::Position(at)) if *at < elements.len() => {
            elements.remove(*at);
            mark_hurt(root, steps);
        }
        _ => return Repair::Impossible,
    }
    Repair::Done
}

/// The value at the end of a way that is given from the inside out.
fn descend<'n>(root: &'n mut Node, steps: &[Step]) -> Option<&'n mut Value> {
    let node = steps
        .iter()
        .rev()
        .try_fold(root, |node, step| node.child_mut(step));
    node.map(|node| &mut node.value)
}

/// Marks the object whose list lost an element.
fn mark_hurt(root: &mut Node, mut steps: &[Step]) {
    while let Some((_, outer)) = steps.split_first() {
        steps = outer;
        if let Some(Value::Object(object)) = descend(root, steps) {
            object.hurt = Hurt::Yes;
            return;
        }
    }
}

/// Puts an example in the place of a field that is missing.
fn invent(root: &mut Node, steps: &[Step], field: &str) -> Repair {
    let Some(Value::Object(object)) = descend(root, steps) else {
        return Repair::Impossible;
    };
    let invented_before = object.member(field).is_some();
    let Some(example) = describe::example(field).filter(|_| !invented_before) else {
        return Repair::Impossible;
    };
    let (Some(node), _) = super::parse::parse(example) else {
        return Repair::Impossible;
    };
    object.hurt = Hurt::Yes;
    object.members.push(Member {
        key: field.into(),
        key_span: 0..0,
        node,
        origin: Origin::Invented,
    });
    Repair::Done
}

/// Takes out every object that only held together by an invention, and reads the rest.
fn without_inventions<T: DeserializeOwned>(node: &mut Node, value: T) -> Option<T> {
    match strip(node) {
        Strip::Nothing => Some(value),
        Strip::Inside => T::deserialize(&*node).ok(),
        Strip::Itself => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strip {
    /// There is no invention.
    Nothing,
    /// Something inside was taken out.
    Inside,
    /// The value itself has an invention.
    Itself,
}

fn strip(node: &mut Node) -> Strip {
    match &mut node.value {
        Value::Object(object) => strip_object(object),
        Value::Array(elements) => {
            let mut stripped = Strip::Nothing;
            elements.retain_mut(|element| match strip(&mut element.node) {
                Strip::Nothing => true,
                inside => {
                    stripped = Strip::Inside;
                    inside == Strip::Inside
                }
            });
            stripped
        }
        _ => Strip::Nothing,
    }
}

fn strip_object(object: &mut Object) -> Strip {
    let mut stripped = Strip::Nothing;
    object
        .members
        .retain_mut(|member| match strip(&mut member.node) {
            Strip::Nothing => true,
            inside => {
                stripped = Strip::Inside;
                inside == Strip::Inside
            }
        });
    if stripped == Strip::Inside {
        object.hurt = Hurt::Yes;
    }
    let invented = object
        .members
        .iter()
        .any(|member| member.origin == Origin::Invented);
    if invented { Strip::Itself } else { stripped }
}
