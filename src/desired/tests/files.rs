//! Files of the author's own, and ssh.

use super::*;
use crate::resources::file::File;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO99dImMIqS/C+Q30wmHvJRTENzfHdtIprzghfN2swKu root@dir1";
const SAME: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO99dImMIqS/C+Q30wmHvJRTENzfHdtIprzghfN2swKu someone";

fn file(desired: &Desired, path: &str) -> Option<File> {
    let mut files = desired.state.files.iter();
    files.find(|it| it.key.path == path).cloned()
}

fn text(desired: &Desired, path: &str) -> String {
    file(desired, path).unwrap().content.raw().unwrap()
}

#[test]
fn a_file_is_roots_and_readable_unless_it_says_otherwise() {
    let desired = resolved(json!({ "files": [
        { "path": "/srv/a", "content": ["one", "", "two"] },
        { "path": "/srv/b", "mode": "600", "owner": "www-data", "group": "adm", "content": [] },
    ] }));
    let shown = |path| {
        let file = file(&desired, path).unwrap();
        let owner = file.owner.unwrap().to_string();
        (file.mode.unwrap(), owner, file.content.raw().unwrap())
    };
    let a = (0o644, "root:root".to_owned(), "one\n\ntwo\n".to_owned());
    assert_eq!(shown("/srv/a"), a);
    let b = (0o600, "www-data:adm".to_owned(), String::new());
    assert_eq!(shown("/srv/b"), b);
    assert!(file(&desired, "/etc/ssh/ssh_config.d/lvs-reconcile.conf").is_none());
}

/// Where the rest of the document has a file or a directory, there is no room for another; all of it is said at once.
#[test]
fn no_place_is_taken_twice() {
    let paths = [
        "/etc/hosts",
        "/etc/dhcp/dhcpd.conf",
        "/etc/default/isc-dhcp-server",
        "/kickstart/rs1.cfg",
        "/kickstart/10.0.0.11-kickstart",
        "/srv/tftp/pxelinux.cfg/default",
        "/srv/tftp/pxelinux.cfg",
        "/kickstart",
        "/etc/hosts/x",
        "/kickstart/rs2.cfg",
    ];
    let mut cluster = document(json!({
        "netboot": {
            "dhcp": { "first": "10.0.0.100", "last": "10.0.0.200" },
            "kickstart": [{ "name": "p", "target": "rhel9", "url": "http://10.0.0.1/x" }],
            "boot": {},
        },
        "files": paths.map(|it| json!({ "path": it, "content": [] })),
    }));
    cluster["realServers"][0]["mac"] = "02:00:00:00:00:11".into();
    let cluster = serde_json::from_value(cluster).unwrap();
    let problems = resolve(&cluster, "dir1", &Facts::unknown()).unwrap_err();
    let places: Vec<&str> = problems.iter().map(|it| it.path.as_str()).collect();
    // The last is nobody's: rs2 has no mac.
    let taken: Vec<String> = (0..9).map(|at| format!("files[{at}].path")).collect();
    assert_eq!(places, taken);
    assert_eq!(
        problems[0].to_string(),
        "files[0].path: /etc/hosts is made by another section of the document; write another place, or remove it"
    );
    assert!(
        problems[6]
            .message
            .contains("is the directory of /srv/tftp/pxelinux.cfg/")
    );
    assert!(
        problems[8]
            .message
            .contains("is below /etc/hosts, which is a file")
    );
}

/// What is not made is nobody's.
#[test]
fn a_file_that_the_document_does_not_make_may_be_ones_own() {
    let files = json!([{ "path": "/etc/hosts", "content": ["127.0.0.1 localhost"] }]);
    let desired = resolved(json!({ "files": files }));
    assert_eq!(text(&desired, "/etc/hosts"), "127.0.0.1 localhost\n");
    let both = json!({ "files": files, "etcHosts": true });
    assert_eq!(refused(both, &Facts::unknown()).len(), 1);
}

#[test]
fn a_template_knows_the_cluster_and_nothing_else() {
    let made = |lines: &[&str]| {
        try_resolve(
            json!({ "files": [{ "path": "/srv/a", "template": lines }] }),
            &Facts::unknown(),
        )
        .map(|it| text(&it, "/srv/a"))
        .map_err(|it| it[0].to_string())
    };
    let all = [
        "<%= director.name %> <%= director.address %> <%= domain %>",
        "<% for it in realServers %>",
        "<%= it.name %>=<%= it.address %>",
        "<% endfor %>",
        "<% for it in vips %>",
        "<%= it.name %> <%= (it.address ~ ' x') | ks %>",
        "<% endfor %>",
    ];
    assert_eq!(
        made(&all).unwrap(),
        "dir1 10.0.0.1 cluster.example\nrs1=10.0.0.11\nrs2=10.0.0.12\nrs3=10.0.0.13\n\
         v4 '192.0.2.10 x'\nboth '192.0.2.20 x'\n"
    );
    assert_eq!(
        made(&["", "<%= machine.name %>"]).unwrap_err(),
        "files[0].template[1]: undefined value; the values are director, domain, realServers, vips"
    );
    for bad in [
        "<%= rootPassword %>",
        "<%= profile.name %>",
        "<% include '/etc/shadow' %>",
        "<%= director.name | safe %>",
        "<% for it in vips %>",
        "<%= 'a\\u0000b' %>",
        "<%= '\\u001b[2J' %>",
    ] {
        let said = made(&[bad]).unwrap_err();
        assert!(said.starts_with("files[0].template[0]: "), "{bad}: {said}");
    }
}

/// A director without an address of ours has none for a template, either.
#[test]
fn a_director_without_an_address_has_none() {
    let asks = |template: &str| {
        try_resolve(
            json!({
                "directors": [{ "name": "dir1" }],
                "vips": [],
                "files": [{ "path": "/srv/a", "template": [template] }],
            }),
            &Facts::unknown(),
        )
    };
    assert!(asks("<%= director.address %>").is_err());
    let asked = asks("<% if director.address is defined %>x<% endif %>y").unwrap();
    assert_eq!(text(&asked, "/srv/a"), "y\n");
}

const SSH: &str = "/etc/ssh/ssh_config.d/lvs-reconcile.conf";

#[test]
fn ssh_knows_the_real_servers() {
    let desired = resolved(json!({ "ssh": { "user": "admin" } }));
    assert!(text(&desired, SSH).starts_with(
        "# written by lvs-reconcile\n\nHost rs1 rs1.cluster.example\n  HostName 10.0.0.11\n  User admin\n"
    ));
    for none in [
        json!({ "ssh": { "config": false } }),
        json!({ "ssh": {}, "realServers": [], "vips": [] }),
    ] {
        assert_eq!(file(&resolved(none), SSH), None);
    }
}

/// A document of one machine that is installed, by this profile, from a director with such a key.
fn installed(profile: Value, key: PublicKey) -> Result<Desired, Vec<Problem>> {
    let mut all = json!({ "name": "p", "target": "rhel9", "url": "http://10.0.0.1/x" });
    for (name, value) in profile.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut cluster = document(json!({
        "ssh": { "publicKey": "/root/.ssh/id_ed25519.pub" },
        "netboot": { "kickstart": [all] },
    }));
    cluster["realServers"][0]["mac"] = "02:00:00:00:00:11".into();
    let facts = Facts {
        public_key: key,
        ..Facts::unknown()
    };
    resolve(&serde_json::from_value(cluster).unwrap(), "dir1", &facts)
}

#[test]
fn the_directors_key_is_in_every_installation_once() {
    let key = || PublicKey::Read(KEY.parse().unwrap());
    let path = |target: &str| match target {
        "debian13" => "/kickstart/rs1.preseed",
        "ubuntu24.04" => "/kickstart/rs1/user-data",
        _ => "/kickstart/rs1.cfg",
    };
    for target in ["rhel7", "rhel9", "fedora44", "debian13", "ubuntu24.04"] {
        let desired = installed(json!({ "target": target }), key()).unwrap();
        let alone = text(&desired, path(target));
        assert_eq!(alone.matches(KEY).count(), 1, "{target}: {alone}");
        // By another comment it is the same key, and the profile's is kept.
        let desired = installed(json!({ "target": target, "sshKeys": [SAME] }), key()).unwrap();
        let same = text(&desired, path(target));
        assert_eq!(same.matches("ssh-ed25519 AAAA").count(), 1, "{same}");
        assert!(same.contains("someone"), "{same}");
    }
    let template =
        json!({ "template": ["<% for it in profile.sshKeys %>", "<%= it %>", "<% endfor %>"] });
    let desired = installed(template, key()).unwrap();
    assert_eq!(text(&desired, "/kickstart/rs1.cfg"), format!("{KEY}\n"));
}

/// Nobody looked: it is said, and stands there as what it is, so that every other line can be reviewed.
#[test]
fn a_key_that_nobody_looked_at_is_unknown() {
    let desired = installed(json!({}), PublicKey::Unknown).unwrap();
    let said = "the director was not looked at: /root/.ssh/id_ed25519.pub, its public key, is not known here";
    assert_eq!(super::said(&desired), [said]);
    let unknown = "sshkey --username=root '(the key in /root/.ssh/id_ed25519.pub)'\n";
    assert!(text(&desired, "/kickstart/rs1.cfg").contains(unknown));
}

#[test]
fn a_key_that_cannot_be_used_is_a_problem() {
    let problems = installed(
        json!({}),
        PublicKey::Unusable {
            message: "there is none".into(),
            fix: "make one".into(),
        },
    );
    let said: Vec<String> = problems
        .unwrap_err()
        .iter()
        .map(|it| it.to_string())
        .collect();
    assert_eq!(said, ["ssh.publicKey: there is none; make one"]);
}
