//! An object that somebody else keeps changing is left as they have it, and said so, rather than fought over.

use std::collections::{BTreeMap, BTreeSet};

use crate::overlay::drain::Moment;
use crate::resources::{Change, State};

/// Corrections of one object within `WINDOW_SECONDS` after which it is held.
const PATIENCE: usize = 3;
/// Ten minutes.
const WINDOW_SECONDS: u64 = 600;

/// Which objects were corrected when, and which are held.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    corrections: BTreeMap<String, Vec<u64>>,
    held: BTreeSet<String>,
}

impl Holds {
    /// Notes that these drifted and were put back; the names of those that are held from now on.
    pub fn corrected(&mut self, changes: &[Change], now: &Moment) -> Vec<String> {
        let mut newly = Vec::new();
        for change in changes {
            let name = name_of(change);
            let times = self.corrections.entry(name.clone()).or_default();
            times.retain(|it| now.seconds.saturating_sub(*it) < WINDOW_SECONDS);
            times.push(now.seconds);
            if times.len() >= PATIENCE && self.held.insert(name.clone()) {
                newly.push(name);
            }
        }
        newly
    }

    /// A new document is a new start.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The names of what is held.
    pub fn held(&self) -> &BTreeSet<String> {
        &self.held
    }
}

/// `desired` as the machine has it wherever one of `changes` is held; takes those out and returns them.
pub fn laid_over(
    desired: &mut State,
    changes: &mut Vec<Change>,
    held: &BTreeSet<String>,
) -> Vec<Change> {
    if held.is_empty() {
        return Vec::new();
    }
    let is_held = |it: &mut Change| held.contains(&name_of(it));
    let kept: Vec<Change> = changes.extract_if(.., is_held).collect();
    for change in kept.iter().cloned() {
        desired.perform(&change.inverse());
    }
    kept
}

fn name_of(change: &Change) -> String {
    format!("{} {}", change.kind().word(), change.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::Delta;
    use crate::resources::module::{Module, ModuleName};

    fn moment(seconds: u64) -> Moment {
        Moment {
            boot_id: "one".into(),
            seconds,
        }
    }

    fn change() -> Change {
        let name = ModuleName("ip_vs".into());
        Change::Module(Delta::Create {
            to: Module { name },
        })
    }

    #[test]
    fn the_third_correction_in_ten_minutes_holds() {
        let mut holds = Holds::default();
        assert!(holds.corrected(&[change()], &moment(0)).is_empty());
        assert!(holds.corrected(&[change()], &moment(300)).is_empty());
        assert_eq!(holds.corrected(&[change()], &moment(599)), ["module ip_vs"]);
    }

    #[test]
    fn slow_drift_is_put_back_for_ever() {
        let mut holds = Holds::default();
        for turn in 0..20 {
            assert!(holds.corrected(&[change()], &moment(turn * 301)).is_empty());
        }
    }

    #[test]
    fn what_is_held_is_wanted_as_it_is() {
        let mut desired = State::default();
        desired.perform(&change());
        let held = BTreeSet::from(["module ip_vs".to_owned()]);
        let mut changes = vec![change()];
        let kept = laid_over(&mut desired, &mut changes, &held);
        assert_eq!((kept.len(), changes.len()), (1, 0));
        assert!(desired.modules.is_empty());
    }
}
