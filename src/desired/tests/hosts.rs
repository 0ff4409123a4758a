//! Our lines in `/etc/hosts`, and what others do to them.

use super::*;

fn lines(desired: &Desired) -> Vec<String> {
    let all = render(desired).find(|(path, _)| *path == "/etc/hosts");
    all.unwrap().1.lines().map(str::to_owned).collect()
}

/// `ADDRESS CANONICAL ALIAS`: who asks for the name of an address gets the full one. The director's first inside
/// address of each family, and no other.
#[test]
fn the_full_name_comes_first() {
    let desired = resolved(json!({ "etcHosts": true }));
    let expected = [
        "10.0.0.1\tdir1.cluster.example dir1",
        "fd00::1\tdir1.cluster.example dir1",
        "10.0.0.11\trs1.cluster.example rs1",
        "fd00::11\trs1.cluster.example rs1",
        "10.0.0.12\trs2.cluster.example rs2",
        "10.0.0.13\trs3.cluster.example rs3",
        "fd00::13\trs3.cluster.example rs3",
    ];
    assert_eq!(lines(&desired), expected);
    let mut bare = document(json!({ "etcHosts": true }));
    bare.as_object_mut().unwrap().remove("domain");
    let bare = serde_json::from_value(bare).unwrap();
    let desired = resolve(&bare, "dir1", &Facts::unknown()).unwrap();
    assert_eq!(lines(&desired)[0], "10.0.0.1\tdir1");
}

fn warned(hosts: HostsFile, wishes: Value) -> Vec<String> {
    let facts = Facts {
        hosts,
        ..Facts::unknown()
    };
    said(&try_resolve(wishes, &facts).unwrap())
}

#[test]
fn who_writes_the_file_anew_is_named() {
    let cloud = || HostsFile {
        rewritten_by: Some("/etc/cloud/cloud.cfg".into()),
        others: Vec::new(),
    };
    assert_eq!(
        warned(cloud(), json!({ "etcHosts": true })),
        [
            "LVS021 cloud-init writes /etc/hosts anew at every boot, without our lines; set manage_etc_hosts to false in \
             /etc/cloud/cloud.cfg"
        ]
    );
    assert_eq!(warned(cloud(), json!({})), [""; 0]);
}

/// Its own name at 127.0.1.1 is Debian's way with a director; the same address twice does no harm.
#[test]
fn other_addresses_of_real_servers_are_pointed_out() {
    let others = |all: &[(&str, &str)]| HostsFile {
        rewritten_by: None,
        others: all
            .iter()
            .map(|(address, name)| (address.parse().unwrap(), (*name).to_owned()))
            .collect(),
    };
    let harmless = others(&[
        ("127.0.1.1", "dir1.cluster.example"),
        ("127.0.1.1", "dir1"),
        ("10.0.0.11", "rs1"),
        ("fd00::11", "rs1"),
        ("10.9.9.9", "rs1.elsewhere.example"),
        ("10.9.9.9", "rs11"),
    ]);
    assert_eq!(warned(harmless, json!({ "etcHosts": true })), [""; 0]);
    for name in ["rs2", "rs2.cluster.example"] {
        let stale = others(&[("10.0.0.12", name), ("10.9.9.9", name)]);
        assert_eq!(
            warned(stale, json!({ "etcHosts": true })),
            [
                "LVS022 /etc/hosts has 10.9.9.9 for rs2 beside our lines, and whoever asks may get that; remove it"
            ]
        );
    }
}
