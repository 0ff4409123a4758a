//! Any bytes as what the kernel says.

use lvs_reconcile::host::linux::attributes::Attributes;
use lvs_reconcile::ipvs;

pub fn check(bytes: &[u8]) {
    assert_eq!(ipvs::misread(bytes), None);
    walk(Attributes::new(bytes), bytes.len(), 4);
}

/// An attribute is four bytes at least, so a list that does not end is longer than its bytes.
fn walk(attributes: Attributes<'_>, room: usize, depth: u32) {
    assert!(attributes.iter().take(room + 1).count() <= room / 4);
    for (kind, value) in attributes.iter() {
        let _ = (attributes.ip(kind), attributes.text(kind));
        let _ = (
            attributes.u8(kind),
            attributes.u16(kind),
            attributes.u32(kind),
        );
        if depth > 0 {
            walk(Attributes::new(value), value.len(), depth - 1);
        }
    }
}
