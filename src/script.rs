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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever has to do with two long lists that have little in common is not kept waiting: without bounds the search
    /// is quadratic.
    #[test]
    fn lists_without_anything_in_common_are_told_apart() {
        let old: Vec<u32> = (0..40_000).map(|it| it * 7 % 40_009).collect();
        let new: Vec<u32> = (0..40_000).map(|it| it * 11 % 40_009).collect();
        let steps = steps(&old, &new);
        let (mut left, mut right) = (0, 0);
        for step in steps {
            assert_eq!(
                (step.old_range().start, step.new_range().start),
                (left, right)
            );
            (left, right) = (step.old_range().end, step.new_range().end);
        }
        assert_eq!((left, right), (old.len(), new.len()));
    }

    #[test]
    fn equal_things_have_equal_numbers() {
        assert_eq!(
            numbered(vec!["a", "b", "a"], vec!["b", "c"]),
            (vec![0, 1, 0], vec![1, 2])
        );
    }
}
