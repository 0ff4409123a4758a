//! Identity, attributes, and the one generic difference between two sets of a kind. Pure.

use std::cmp::Ordering;
use std::fmt::{Debug, Display};

use serde::{Deserialize, Serialize};

use crate::plan::Phase;
use crate::resources::OnFile;

/// Something on the host with an identity that survives a change of attributes.
pub trait Resource: Clone + PartialEq + Debug {
    /// What makes two values the same thing. Everything else is an attribute.
    type Key: Ord + Clone + Debug + Display + OnFile;

    /// The identity of this value.
    fn key(&self) -> Self::Key;

    /// False when the kernel cannot edit `self` into `to` in place.
    fn can_become(&self, _to: &Self) -> bool {
        true
    }

    /// Hands over the steps that perform `delta`, each with the phase it belongs to. Most deltas are one step.
    fn steps(delta: Delta<Self>, step: impl FnMut(Phase, Delta<Self>));

    /// How it comes to exist, and with that who may change or remove it.
    fn nature(&self) -> Nature {
        Nature::Made
    }

    /// True for what somebody else made and nobody touched, such as the configuration file a package
    /// ships: it may be replaced without asking, its original is kept.
    fn may_be_taken_over(&self) -> bool {
        false
    }
}

/// One difference, holding both sides so that it can be shown and undone. Of thousands nearly all have one side: the
/// other one stands elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Delta<T> {
    /// Absent before, present after.
    Create { to: T },
    /// Same identity, edited in place.
    Update { from: Box<T>, to: T },
    /// Same identity, removed and made again, because the kernel cannot edit it.
    Replace { from: Box<T>, to: T },
    /// Present before, absent after.
    Delete { from: T },
}

/// What an object of somebody else has beside what is compared, such as the number of who made it. It is no difference,
/// and comes back with the object. Nothing in what we make.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Theirs<T>(pub Option<T>);

impl<T> Theirs<T> {
    /// For serde: ours is not written.
    pub fn is_ours(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> Default for Theirs<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PartialEq for Theirs<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Theirs<T> {}

/// How an object comes to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Somebody makes it, and who made it may remove it.
    Made,
    /// It exists whether or not we are there (a sysctl, a network card): we set its values, remember what they were,
    /// and give those back.
    Set,
    /// It may run already, and is told of changed files then; only who started it stops it.
    Started,
    /// Once there it stays: others may have come to need it.
    Retained,
}

/// What a change does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Make it.
    Create,
    /// Edit it in place.
    Update,
    /// Remove it and make it again.
    Replace,
    /// Remove it.
    Delete,
}

impl<T> Delta<T> {
    /// The delta that takes this one back.
    pub fn inverse(self) -> Self {
        match self {
            Self::Create { to } => Self::Delete { from: to },
            Self::Update { from, to } => Self::Update {
                from: Box::new(to),
                to: *from,
            },
            Self::Replace { from, to } => Self::Replace {
                from: Box::new(to),
                to: *from,
            },
            Self::Delete { from } => Self::Create { to: from },
        }
    }

    /// What it does.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Create { .. } => Verb::Create,
            Self::Update { .. } => Verb::Update,
            Self::Replace { .. } => Verb::Replace,
            Self::Delete { .. } => Verb::Delete,
        }
    }

    /// The value before, when there was one.
    pub fn from(&self) -> Option<&T> {
        match self {
            Self::Create { .. } => None,
            Self::Update { from, .. } | Self::Replace { from, .. } => Some(from),
            Self::Delete { from } => Some(from),
        }
    }

    /// The value after, when there is one.
    pub fn to(&self) -> Option<&T> {
        match self {
            Self::Create { to } | Self::Update { to, .. } | Self::Replace { to, .. } => Some(to),
            Self::Delete { .. } => None,
        }
    }

    /// The value it is about: the one after, or the one that goes.
    pub fn subject(&self) -> &T {
        match self {
            Self::Create { to } | Self::Update { to, .. } | Self::Replace { to, .. } => to,
            Self::Delete { from } => from,
        }
    }
}

/// All values of one kind, by identity, in a stable order.
///
/// A sorted list rather than a tree: a cluster has tens of thousands of them, and they are walked along far more often
/// than one is looked up or added. What comes in order, as most does, is appended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "Vec<T>",
    into = "Vec<T>",
    bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>")
)]
pub struct Set<T: Resource>(Vec<(T::Key, T)>);

impl<T: Resource> Set<T> {
    /// What must change for `self` to equal `desired`, in the order of the keys. Both sides are sorted, so one
    /// walk along the two is enough: 50,000 entries cost 50,000 comparisons.
    pub fn deltas_to<'a>(&'a self, desired: &'a Self) -> impl Iterator<Item = Delta<T>> + 'a {
        let (mut live, mut wanted) = (self.0.iter().peekable(), desired.0.iter().peekable());
        let pairs = std::iter::from_fn(move || {
            let order = match (live.peek(), wanted.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let from = live.next_if(|_| order.is_le()).map(|(_, it)| it);
            let to = wanted.next_if(|_| order.is_ge()).map(|(_, it)| it);
            Some((from, to))
        });
        pairs.filter_map(|(from, to)| delta_between(from, to))
    }

    /// Of values that stand beside their identities already: a large list need not be there twice.
    pub fn of_pairs(pairs: Vec<(T::Key, T)>) -> Self {
        let mut set = Self(pairs);
        set.tidy();
        set
    }

    /// The value with this identity.
    pub fn get(&self, key: &T::Key) -> Option<&T> {
        let at = self.position(key).ok()?;
        self.0.get(at).map(|(_, it)| it)
    }

    /// True when a value has this identity.
    pub fn contains(&self, key: &T::Key) -> bool {
        self.position(key).is_ok()
    }

    /// Where this identity is, or would be.
    fn position(&self, key: &T::Key) -> Result<usize, usize> {
        self.0.binary_search_by(|(it, _)| it.cmp(key))
    }

    /// The values whose keys `order` puts at `Equal`; it must agree with the order of the keys.
    pub fn run(&self, mut order: impl FnMut(&T::Key) -> Ordering) -> impl Iterator<Item = &T> {
        let first = self.0.partition_point(|(key, _)| order(key).is_lt());
        let from = self.0.get(first..).unwrap_or_default();
        from.iter()
            .take_while(move |(key, _)| order(key).is_eq())
            .map(|(_, it)| it)
    }

    /// All values, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> + Clone {
        self.0.iter().map(|(_, it)| it)
    }

    /// All identities, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &T::Key> + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a value; one with the same identity is replaced. Many at once are better added by `extend`.
    pub fn insert(&mut self, value: T) {
        let key = value.key();
        match self.position(&key) {
            Ok(at) => self.0[at] = (key, value),
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// Takes the value with this identity out.
    pub fn remove(&mut self, key: &T::Key) -> Option<T> {
        let at = self.position(key).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Adds all of `other`; its values replace those with the same identity.
    pub fn merge(&mut self, mut other: Self) {
        let (last, first) = (self.0.last(), other.0.first());
        let in_order = last
            .zip(first)
            .is_none_or(|((last, _), (first, _))| last < first);
        if self.is_empty() {
            *self = other;
        } else {
            self.0.append(&mut other.0);
        }
        if !in_order {
            self.tidy();
        }
    }

    /// Puts everything in order; of several values with one identity the last stays.
    fn tidy(&mut self) {
        if self.0.is_sorted_by(|(a, _), (b, _)| a < b) {
            return;
        }
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.0.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
    }

    /// Keeps the values whose identity passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&T::Key) -> bool) {
        self.0.retain(|(key, _)| keep(key));
    }

    /// Performs one delta in memory.
    pub fn perform(&mut self, delta: &Delta<T>) {
        match delta {
            Delta::Create { to } | Delta::Update { to, .. } | Delta::Replace { to, .. } => {
                self.insert(to.clone());
            }
            Delta::Delete { from } => {
                self.remove(&from.key());
            }
        }
    }
}

fn delta_between<T: Resource>(from: Option<&T>, to: Option<&T>) -> Option<Delta<T>> {
    if from == to {
        return None;
    }
    Some(match (from.cloned(), to.cloned()) {
        (None, None) => return None,
        (None, Some(to)) => Delta::Create { to },
        (Some(from), None) => Delta::Delete { from },
        (Some(from), Some(to)) => {
            let (edits, from) = (from.can_become(&to), Box::new(from));
            match edits {
                true => Delta::Update { from, to },
                false => Delta::Replace { from, to },
            }
        }
    })
}

impl<T: Resource> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Resource> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::of_pairs(values.into_iter().map(|it| (it.key(), it)).collect())
    }
}

impl<T: Resource> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        self.merge(values.into_iter().collect());
    }
}

impl<T: Resource> From<Vec<T>> for Set<T> {
    fn from(values: Vec<T>) -> Self {
        values.into_iter().collect()
    }
}

impl<T: Resource> From<Set<T>> for Vec<T> {
    fn from(set: Set<T>) -> Self {
        set.0.into_iter().map(|(_, it)| it).collect()
    }
}
