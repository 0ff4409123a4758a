//! Identities of one kind, sorted. Pure.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Identities of one kind, in order. A copy shares the list until one of the two is changed: most inventories leave a
/// run as they entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet<K>(Arc<Vec<K>>);

impl<K: Ord + Clone> KeySet<K> {
    /// Adds one; true if it is new. Many at once are better added by `merge`.
    pub fn insert(&mut self, key: K) -> bool {
        let place = self.0.binary_search(&key);
        if let Err(at) = place {
            Arc::make_mut(&mut self.0).insert(at, key);
        }
        place.is_err()
    }

    /// Takes one out; true if it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        let place = self.0.binary_search(key);
        if let Ok(at) = place {
            Arc::make_mut(&mut self.0).remove(at);
        }
        place.is_ok()
    }

    /// True when it is among these.
    pub fn contains(&self, key: &K) -> bool {
        self.0.binary_search(key).is_ok()
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, K> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        if self.is_empty() {
            *self = other.clone();
        } else if !other.iter().all(|it| self.contains(it)) {
            *self = self.iter().chain(other).cloned().collect();
        }
    }

    /// Keeps those that pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        Arc::make_mut(&mut self.0).retain(|key| keep(key));
    }

    /// Keeps those that `others`, which come in order, have too. One walk along the two.
    pub fn retain_among<'a>(&mut self, mut others: impl Iterator<Item = &'a K>)
    where
        K: 'a,
    {
        let mut other = others.next();
        let mut is_among = |key: &K| loop {
            match other.map(|it| it.cmp(key)) {
                Some(Ordering::Less) => other = others.next(),
                order => return order == Some(Ordering::Equal),
            }
        };
        // Nothing is copied when nothing goes.
        let stays = self.0.iter().take_while(|it| is_among(it)).count();
        if stays < self.len() {
            let all = Arc::make_mut(&mut self.0);
            let later: Vec<K> = all
                .drain(stays..)
                .skip(1)
                .filter(|it| is_among(it))
                .collect();
            all.extend(later);
        }
    }
}

impl<K> Default for KeySet<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord> FromIterator<K> for KeySet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        keys.into_iter().collect::<Vec<K>>().into()
    }
}

impl<K: Ord> From<Vec<K>> for KeySet<K> {
    fn from(mut keys: Vec<K>) -> Self {
        if !keys.is_sorted_by(|a, b| a < b) {
            // Stable: it merges what comes as one sorted run after another.
            keys.sort();
            keys.dedup();
        }
        Self(Arc::new(keys))
    }
}

impl<'a, K> IntoIterator for &'a KeySet<K> {
    type Item = &'a K;
    type IntoIter = std::slice::Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: OnFile> Serialize for KeySet<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        K::write(&self.0, serializer)
    }
}

impl<'de, K: OnFile> Deserialize<'de> for KeySet<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        K::read(deserializer).map(Self::from)
    }
}

/// How the identities of a kind stand on file: as a list, unless the kind has a shorter way.
pub trait OnFile: Ord + Serialize + DeserializeOwned {
    /// Writes them all; they are in order.
    fn write<S: Serializer>(keys: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        keys.serialize(serializer)
    }

    /// Reads what was written.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        Vec::deserialize(deserializer)
    }
}

impl OnFile for String {}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(list: &[u8]) -> KeySet<u8> {
        list.iter().copied().collect()
    }

    #[test]
    fn the_order_of_arrival_is_forgotten() {
        let mut some = keys(&[3, 1, 3]);
        some.merge(&keys(&[2, 1]));
        assert!(some.insert(0) && !some.insert(2));
        assert!(some.remove(&3) && !some.remove(&9));
        assert_eq!(some, keys(&[0, 1, 2]));
    }

    #[test]
    fn only_what_others_have_stays() {
        let left = |list: &[u8], others: &[u8]| {
            let mut some = keys(list);
            some.retain_among(others.iter());
            some.iter().copied().collect::<Vec<u8>>()
        };
        assert_eq!(left(&[1, 3, 5, 7], &[0, 1, 2, 5, 6, 7]), [1, 5, 7]);
        assert_eq!(left(&[1, 2], &[1, 2, 3]), [1, 2]);
        assert_eq!(left(&[1, 2], &[]), [0u8; 0]);
        assert_eq!(left(&[], &[1]), [0u8; 0]);
    }
}
