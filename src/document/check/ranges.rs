//! Sets of addresses, and ranges of ports.

use super::super::Network;
use std::net::IpAddr;

/// An address as a number with its family: comparable, countable.
pub(super) type Point = (u8, u128);

/// The point of an address.
pub(super) fn point(address: IpAddr) -> Point {
    match address {
        IpAddr::V4(address) => (4, u128::from(u32::from(address))),
        IpAddr::V6(address) => (6, u128::from(address)),
    }
}

/// The first and the last point of a network.
pub(super) fn ends(network: Network) -> (Point, Point) {
    (
        point(network.get().network()),
        point(network.get().broadcast()),
    )
}

/// The union of networks, searched in logarithmic time.
pub(in crate::document) struct Ranges(Vec<(Point, Point)>);

impl Ranges {
    pub fn new(networks: impl Iterator<Item = Network>) -> Self {
        let mut all: Vec<_> = networks.map(ends).collect();
        all.sort_unstable();
        let mut merged: Vec<(Point, Point)> = Vec::new();
        for (first, last) in all {
            match merged.last_mut() {
                Some((_, end)) if first <= *end => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.position(address).is_some()
    }

    /// Which of them an address is in; networks that overlap are one.
    pub fn position(&self, address: IpAddr) -> Option<usize> {
        let point = point(address);
        let after = self.0.partition_point(|(first, _)| *first <= point);
        let at = after.checked_sub(1)?;
        let (_, last) = self.0.get(at)?;
        (point <= *last).then_some(at)
    }
}

/// First port, last port, owner.
pub(in crate::document) type PortRange = (u16, u16, usize);

/// Ranges of ports with their owners, searched in logarithmic time for one that overlaps another.
#[derive(Default)]
pub(in crate::document) struct PortRanges {
    /// By first port.
    ranges: Vec<PortRange>,
    /// The range that ends last, among each and those before it.
    furthest: Vec<(u16, usize)>,
}

impl PortRanges {
    pub fn new(mut ranges: Vec<PortRange>) -> Self {
        ranges.sort_unstable();
        let mut furthest = Vec::with_capacity(ranges.len());
        let mut best = (0, 0);
        for (_, last, owner) in &ranges {
            if *last >= best.0 {
                best = (*last, *owner);
            }
            furthest.push(best);
        }
        Self { ranges, furthest }
    }

    /// The owner of a range that overlaps the given one.
    pub fn overlapping(&self, first: u16, last: u16) -> Option<usize> {
        let before = self.ranges.partition_point(|(start, ..)| *start <= last);
        let (end, owner) = before.checked_sub(1).and_then(|at| self.furthest.get(at))?;
        (*end >= first).then_some(*owner)
    }
}
