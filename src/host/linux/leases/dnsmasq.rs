//! `dnsmasq.leases`: a line each, `END MAC ADDRESS NAME CLIENT-ID`. dnsmasq forgets a lease when it has ended.

use super::{Lease, name};

/// The leases of IPv4; those of IPv6 follow a line `duid …`, and have no MAC.
pub(super) fn leases(text: &str) -> Vec<Lease> {
    text.lines().filter_map(lease).collect()
}

fn lease(line: &str) -> Option<Lease> {
    let mut words = line.split(' ');
    let ends: u64 = words.next()?.parse().ok()?;
    Some(Lease {
        mac: words.next()?.parse().ok()?,
        address: words.next()?.parse().ok()?,
        host_name: words.next().filter(|it| *it != "*").and_then(name),
        asked: None,
        // 0: for ever.
        ends: Some(ends).filter(|it| *it > 0),
        is_over: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_others_passed_over() {
        let text = "1795401907 52:54:00:12:34:56 172.16.0.200 debian 01:52:54:00:12:34:56\n\
                    0 52:54:00:12:34:57 172.16.0.201 * *\n\
                    1795401907 06-52:54:00:12:34:58 172.16.0.202 * *\n\
                    duid 00:01:00:01:2c:1a\n\
                    1795401907 3271 fd00::200 * 00:01:00:01\n\
                    half a li";
        let [named, forever] = &leases(text)[..] else {
            panic!("two leases: {:?}", leases(text));
        };
        assert_eq!(named.host_name.as_deref(), Some("debian"));
        assert_eq!((named.ends, named.asked), (Some(1_795_401_907), None));
        assert_eq!((forever.host_name.as_deref(), forever.ends), (None, None));
    }
}
