//! The addresses that a DHCP server may hand out: a range, split around those that are somebody's.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A pool: first and last address, both included.
pub(super) type Pool = (Ipv4Addr, Ipv4Addr);

/// `first` to `last` without `taken`, in ascending order.
pub(super) fn pools(first: Ipv4Addr, last: Ipv4Addr, taken: &BTreeSet<Ipv4Addr>) -> Vec<Pool> {
    let mut pools = Vec::new();
    let mut free = Some(first);
    if first > last {
        return pools;
    }
    for address in taken.range(first..=last) {
        let from = free.filter(|from| from < address);
        pools.extend(from.zip(before(*address)));
        free = after(*address);
    }
    let rest = free.filter(|from| *from <= last);
    pools.extend(rest.map(|from| (from, last)));
    pools
}

fn before(address: Ipv4Addr) -> Option<Ipv4Addr> {
    address.to_bits().checked_sub(1).map(Ipv4Addr::from_bits)
}

fn after(address: Ipv4Addr) -> Option<Ipv4Addr> {
    address.to_bits().checked_add(1).map(Ipv4Addr::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    #[test]
    fn a_range_is_split_around_what_is_taken() {
        let taken = [1, 21, 22, 255].map(address).into();
        let split = vec![(address(10), address(20)), (address(23), address(254))];
        assert_eq!(pools(address(10), address(254), &taken), split);
    }

    #[test]
    fn the_ends_of_all_addresses_are_no_exception() {
        let (zero, most) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST);
        let rest = (Ipv4Addr::from_bits(1), Ipv4Addr::from_bits(u32::MAX - 1));
        assert_eq!(pools(zero, most, &[zero, most].into()), [rest]);
        assert_eq!(pools(zero, zero, &[zero].into()), []);
        assert_eq!(pools(most, most, &BTreeSet::new()), [(most, most)]);
    }

    proptest! {
        /// Every address of the range is in exactly one pool, or taken; no pool is empty, and none touches the next.
        #[test]
        fn pools_are_the_range_without_the_taken(
            first in 0..=255u8,
            last in 0..=255u8,
            taken in proptest::collection::btree_set(0..=255u8, 0..40),
        ) {
            let taken: BTreeSet<Ipv4Addr> = taken.into_iter().map(address).collect();
            let pools = pools(address(first), address(last), &taken);
            for candidate in (0..=255).map(address) {
                let inside = (address(first)..=address(last)).contains(&candidate);
                let holding = pools.iter().filter(|(from, to)| (*from..=*to).contains(&candidate));
                prop_assert_eq!(holding.count() == 1, inside && !taken.contains(&candidate));
            }
            prop_assert!(pools.iter().all(|(from, to)| from <= to));
            prop_assert!(pools.windows(2).all(|two| after(two[0].1) < Some(two[1].0)));
        }
    }
}
