//! Kea's memfile: lines of fields, of which the first line names the columns. Every change of a lease is a line more.

use super::{Lease, name};

/// A lease that was taken away keeps its line, with no time left.
const DELETED: u64 = 0;
/// As long as a lease can last: for ever.
const FOR_EVER: u64 = 0xffff_ffff;

/// The leases, in the order in which they were written.
pub(super) fn leases(text: &str) -> Vec<Lease> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    lines.filter_map(|line| lease(&columns, line)).collect()
}

fn lease(columns: &[&str], line: &str) -> Option<Lease> {
    let fields: Vec<&str> = line.split(',').collect();
    let field = |name: &str| {
        let at = columns.iter().position(|it| *it == name)?;
        fields.get(at).copied()
    };
    let lasts: u64 = field("valid_lifetime")?.parse().ok()?;
    let ends: u64 = field("expire")?.parse().ok()?;
    // 1 is an address that somebody else uses, 2 a lease that has expired, 3 one that was given back.
    let state = field("state").unwrap_or("0");
    Some(Lease {
        mac: field("hwaddr")?.parse().ok()?,
        address: field("address")?.parse().ok()?,
        host_name: field("hostname").and_then(|it| name(&unescaped(it))),
        asked: ends.checked_sub(lasts),
        ends: Some(ends).filter(|_| lasts != FOR_EVER),
        is_over: lasts == DELETED || state != "0",
    })
}

/// A comma in a name is written as `&#x2c`.
fn unescaped(text: &str) -> String {
    text.replace("&#x2c", ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id";

    fn read(line: &str) -> Option<Lease> {
        leases(&format!("{COLUMNS}\n{line}\n")).pop()
    }

    #[test]
    fn a_line_is_a_lease() {
        let line = "172.16.0.200,52:54:00:12:34:56,01:52:54:00:12:34:56,43200,1795401907,1,0,0,a&#x2cb,0,,0";
        let lease = read(line).unwrap();
        assert_eq!(lease.host_name.as_deref(), Some("a,b"));
        assert_eq!(
            (lease.asked, lease.ends),
            (Some(1_795_358_707), Some(1_795_401_907))
        );
        assert!(!lease.is_over);
    }

    #[test]
    fn what_has_ended_early_is_over_and_what_is_for_ever_never_ends() {
        for over in [
            "172.16.0.200,52:54:00:12:34:56,,0,1795401907,1,0,0,,0,,0",
            "172.16.0.200,52:54:00:12:34:56,,43200,1795401907,1,0,0,,2,,0",
        ] {
            assert!(read(over).unwrap().is_over, "{over}");
        }
        let for_ever = "172.16.0.200,52:54:00:12:34:56,,4294967295,6090326002,1,0,0,,0";
        let for_ever = read(for_ever).unwrap();
        assert_eq!((for_ever.ends, for_ever.asked), (None, Some(1_795_358_707)));
    }

    #[test]
    fn a_line_without_a_machine_or_cut_short_is_none() {
        for none in [
            "172.16.0.200,,,43200,1795401907,1,0,0,,1,,0",
            "172.16.0.200,52:54:00:12:34:56,,43200",
            "",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
