//! A snapshot stands for its machine, whatever document is planned: what was seen with one is told in the words of the
//! other. Every case applies a document, takes a snapshot, and asks the machine and the snapshot for the plan of an
//! edited one. Needs root, for a network and mount namespace of its own.

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[allow(dead_code, reason = "this program counts no exit codes")]
mod machine;

use machine::on_the_machine_with;

/// Of every kind that needs neither IPVS nor daemons, with words of its own: an mtu on one card and not on the other, a
/// mode, an owner.
const DOCUMENT: &str = r#"{
  "version": 1,
  "directors": [{
    "name": "dir1",
    "gateway": "192.0.2.254",
    "interfaces": [
      { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"], "mtu": 1400 },
      { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24", "10.0.1.1/24"] }
    ],
    "routes": [{ "to": "10.9.0.0/16", "via": "10.0.0.9" }],
    "sysctls": [{ "name": "net.core.somaxconn", "value": "2000" }]
  }],
  "firewall": { "forwardPolicy": "drop", "masquerade": true },
  "files": [
    { "path": "/mnt/one", "content": ["one", "two"], "mode": "0600" },
    { "path": "/mnt/two", "content": ["two"], "owner": "daemon", "group": "daemon" }
  ]
}"#;

/// What others do to the machine before it is looked at.
const DRIFT: &str =
    "ip link set eth1 mtu 1300; sysctl -qw net.ipv4.conf.eth1.rp_filter=2; ip route del default
  ip addr add 10.0.2.1/24 dev eth1; echo three >>/mnt/one; chmod 640 /mnt/two; chgrp root /mnt/two";

/// Edits of the document, as Python: `d` is the director, `it` the document.
const EDITS: [(&str, &str); 18] = [
    ("nothing", ""),
    ("other spaces", "it['version'] = 1"),
    ("an mtu no longer", "del d['interfaces'][0]['mtu']"),
    ("an mtu from now on", "d['interfaces'][1]['mtu'] = 1500"),
    (
        "an address",
        "d['interfaces'][1]['addresses'].append('10.0.2.1/24')",
    ),
    ("an address less", "d['interfaces'][1]['addresses'].pop()"),
    (
        "a card less",
        "d['interfaces'].pop(); d['routes'] = []; it['firewall']['masquerade'] = False",
    ),
    (
        "a dummy",
        "d['interfaces'].append({'name': 'dummy0', 'dummy': {}, 'addresses': ['10.7.0.1/32']})",
    ),
    (
        "a route more",
        "d['routes'].append({'to': '10.8.0.0/16', 'via': '10.0.0.8'})",
    ),
    ("no routes", "d['routes'] = []; del d['gateway']"),
    ("a setting less", "d['sysctls'] = []"),
    (
        "a setting of a card",
        "d['sysctls'].append({'name': 'net.ipv4.conf.eth1.rp_filter', 'value': '1'})",
    ),
    (
        "another policy",
        "it['firewall']['forwardPolicy'] = 'accept'",
    ),
    ("no firewall", "del it['firewall']"),
    ("a mode no longer", "del it['files'][0]['mode']"),
    (
        "an owner from now on",
        "it['files'][0]['owner'] = 'daemon'; del it['files'][1]['owner'], it['files'][1]['group']",
    ),
    (
        "other content",
        "it['files'][0]['content'] = ['one', 'two', 'three']",
    ),
    ("no files", "del it['files']"),
];

#[test]
fn the_plan_of_another_document_is_the_machines_own() {
    let mut script = format!(
        "export LVS_RECONCILE_NODE=dir1; lvs apply --yes >/mnt/said || {{ cat /mnt/said; exit 9; }}; {DRIFT}
         lvs snapshot >/mnt/live.json || exit 8\n"
    );
    for (name, edit) in EDITS {
        script += &format!(
            "python3 - <<'P' || exit 7
import json
it = json.load(open('/mnt/cluster.json')); d = it['directors'][0]
{edit}
json.dump(it, open('/mnt/other.json', 'w'), indent={})
P
             for how in '' --diff; do
               lvs plan $how /mnt/other.json | sed '/^live state/d' >/mnt/here
               unshare -n setpriv --clear-groups env -i $LVS plan $how --live /mnt/live.json /mnt/other.json 2>&1 | sed '/^live state/d' >/mnt/there
               digest() {{ $LVS plan --format json $@ /mnt/other.json | python3 -c 'import json, sys; it = json.load(sys.stdin); print(it[\"digest\"], len(it[\"changes\"]))'; }}
               here=$(digest) there=$(digest --live /mnt/live.json)
               if cmp -s /mnt/here /mnt/there && [ \"$here\" = \"$there\" ]; then echo 'agreed: {name}'; else echo '{name}:'; diff /mnt/here /mnt/there; echo \"$here / $there\"; fi
             done\n",
            name.len() % 4
        );
    }
    let (code, said) = on_the_machine_with(DOCUMENT, &script);
    assert_eq!(code, 0, "{said}");
    let agreed = said.matches("agreed: ").count();
    assert_eq!(agreed, 2 * EDITS.len(), "{said}");
}

/// Only of what nobody looked for it is said that nobody knows, and such a plan is not one to approve.
#[test]
fn what_nobody_looked_for_is_unknown() {
    let script = "lvs snapshot >/mnt/live.json
        sed 's/\"files\": \\[/&{\"path\": \"\\/mnt\\/three\", \"content\": [\"3\"]},/' /mnt/cluster.json >/mnt/other.json
        lvs plan --live /mnt/live.json /mnt/other.json; lvs plan --live /mnt/live.json /mnt/other.json --out /mnt/out.json
        echo ended $?; ls /mnt/out.json";
    let (_, said) = on_the_machine_with(DOCUMENT, script);
    let unknown = "unknown whether it is there: file /mnt/three\n";
    assert!(said.contains(unknown), "{said}");
    assert!(
        said.contains("lvs-reconcile snapshot /mnt/other.json\nended 1"),
        "{said}"
    );
    assert!(said.contains("cannot access '/mnt/out.json'"), "{said}");
}
