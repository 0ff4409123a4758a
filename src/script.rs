//! The edit script from one list to another: of lines, of rules. Pure.

use std::collections::BTreeMap;

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// The steps from `old` to `new`, in which equal numbers stand for equal things. Each other type of things would bring
/// the whole search into the program once more.
pub fn steps(old: &[u32], new: &[u32]) -> Vec<DiffOp> {
    let mut taken = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut taken, old, 0..old.len(), new, 0..new.len());
    taken.into_inner().into_inner().into_ops()
}

/// Both lists with the same number for what is equal.
pub fn numbered<T: Ord>(old: Vec<T>, new: Vec<T>) -> (Vec<u32>, Vec<u32>) {
    let mut known = BTreeMap::new();
    let mut number = |it: T| {
        let next = known.len() as u32;
        *known.entry(it).or_insert(next)
    };
    let old = old.into_iter().map(&mut number).collect();
    (old, new.into_iter().map(&mut number).collect())
}
