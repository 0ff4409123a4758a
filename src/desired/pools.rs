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
