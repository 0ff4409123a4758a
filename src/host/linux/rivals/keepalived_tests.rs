//! keepalived's own way of writing, with what is nearly one of our services.

use super::*;
use crate::host::linux::rivals::below;
use std::fs;

fn read(files: &[(&str, &str)]) -> Balanced {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = below(root.path(), path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Balanced::read(root.path())
}

fn tcp(address: &str, port: u16) -> ServiceId {
    of(Protocol::Tcp, address, port)
}

fn of(protocol: Protocol, address: &str, port: u16) -> ServiceId {
    ServiceId::Address {
        protocol,
        address: address.parse().unwrap(),
        port,
    }
}

fn mark(mark: u32) -> ServiceId {
    ServiceId::FirewallMark {
        family: Family::V4,
        mark,
    }
}

const SERVERS: &str = "\
! Configuration File
vrrp_instance VI_1 {
    virtual_ipaddress {
        192.0.2.99/24 dev eth0
    }
}
virtual_server 192.0.2.10 80 {
    delay_loop 6 # a brace that opens nothing: {
    ! and one more {
    protocol TCP
    real_server 10.0.0.11 8080 {
        protocol UDP
        TCP_CHECK {
            connect_timeout 3
        }
    }
}
virtual_server 192.0.2.10 53 { # names
    protocol UDP
}
virtual_server 2001:db8::10 443
{
    lb_algo rr
}
virtual_server fwmark 7 {
    protocol TCP
}
#virtual_server 192.0.2.11 80 {
#}
virtual_server 192.0.2.12 80 { real_server 10.0.0.12 80 { } }
virtual_server 192.0.2.13 80 {
}
";

#[test]
fn a_virtual_server_is_a_service_of_its_address_port_and_protocol() {
    let all = read(&[(FILE, SERVERS)]);
    let ours = [
        tcp("192.0.2.10", 80),
        of(Protocol::Udp, "192.0.2.10", 53),
        tcp("2001:db8::10", 443),
        mark(7),
        tcp("192.0.2.12", 80),
        tcp("192.0.2.13", 80),
    ];
    assert!(ours.iter().all(|it| all.has(it)), "{all:?}");
    let others = [
        tcp("192.0.2.10", 81),
        of(Protocol::Udp, "192.0.2.10", 80),
        tcp("192.0.2.10", 53),
        tcp("192.0.2.11", 80),
        tcp("192.0.2.99", 80),
        tcp("10.0.0.11", 8080),
        mark(8),
    ];
    let wrong: Vec<_> = others.iter().filter(|it| all.has(it)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(!read(&[]).has(&ours[0]));
}

const GROUPS: &str = "\
virtual_server_group web {
    192.0.2.20 80
    192.0.2.30-32 80
    2001:db8::a-f 80
    fwmark 9
}
virtual_server_group unused {
    192.0.2.40 80
}
virtual_server group web {
    protocol TCP
}
";

#[test]
fn a_group_stands_for_what_is_in_it() {
    let all = read(&[(FILE, GROUPS)]);
    for address in ["192.0.2.20", "192.0.2.30", "192.0.2.32", "2001:db8::c"] {
        assert!(all.has(&tcp(address, 80)), "{address}");
    }
    assert!(all.has(&mark(9)));
    for address in ["192.0.2.29", "192.0.2.33", "2001:db8::10", "192.0.2.40"] {
        assert!(!all.has(&tcp(address, 80)), "{address}");
    }
}

#[test]
fn what_is_included_counts() {
    let server = |last: u8| format!("virtual_server 192.0.2.{last} 80 {{\n}}\n");
    let main = "include conf.d/*.conf\ninclude /srv/more.conf\ninclude keepalived.conf\n";
    let all = read(&[
        (FILE, main),
        ("/etc/keepalived/conf.d/a.conf", &server(1)),
        ("/etc/keepalived/conf.d/b.conf.old", &server(2)),
        ("/srv/more.conf", &server(3)),
        ("/etc/keepalived/other.conf", &server(4)),
    ]);
    let has = |last: u8| all.has(&tcp(&format!("192.0.2.{last}"), 80));
    assert_eq!([1, 2, 3, 4].map(has), [true, false, true, false]);
}

#[test]
fn patterns_are_those_of_the_shell() {
    for (pattern, name, is_meant) in [
        ("*.conf", "a.conf", true),
        ("*.conf", ".conf", true),
        ("*.conf", "a.confx", false),
        ("?-*.c", "1-x.y.c", true),
        ("?-*.c", "12-x.c", false),
        ("*a*b", "xxaxxbxb", true),
        ("*a*b", "xxbxxa", false),
        ("a**", "a", true),
    ] {
        assert_eq!(
            matches(pattern.as_bytes(), name.as_bytes()),
            is_meant,
            "{pattern} {name}"
        );
    }
}
