//! The program itself, as an operator meets it: one test for each way a command can end. Every test has a network and
//! mount namespace of its own; without root it fails.

mod machine;

use machine::{assert_ends, on_the_machine_with};

#[test]
fn done_is_0_and_the_second_time_there_is_nothing_to_do() {
    let text = assert_ends(
        "lvs apply --yes && ip -br addr show eth0 && lvs apply --yes && lvs plan --detailed-exitcode",
        0,
        &["192.0.2.2/24", "Nothing to do", "done: "],
    );
    assert!(!text.contains("failed"), "{text}");
}

#[test]
fn changes_are_2_for_those_who_ask() {
    assert_ends("lvs plan", 0, &["+ address     eth0 192.0.2.2/24"]);
    assert_ends("lvs plan --detailed-exitcode", 2, &["Cuts no connection."]);
    assert_ends(
        "lvs plan --detailed-exitcode; ip -br addr show eth0 | grep -c 192.0.2",
        1,
        &["0\n"],
    );
}

#[test]
fn a_bad_document_is_1_and_names_every_problem() {
    let (code, text) = on_the_machine_with(
        r#"{"version": 1, "directors": [{"name": "dir1", "gatewy": "192.0.2.1"}], "services": [{"name": "x", "vip": "web", "port": 70000}]}"#,
        "lvs apply --yes; code=$?; ip -br addr; exit $code",
    );
    assert_eq!(code, 1, "{text}");
    for words in ["cluster.json:1:", "gatewy", "did you mean", "70000"] {
        assert!(text.contains(words), "nothing says {words:?}:\n{text}");
    }
    assert_ends("lvs apply --yes /mnt/none.json", 1, &["/mnt/none.json"]);
}

#[test]
fn bad_usage_is_1_and_help_is_0() {
    assert_ends(
        "lvs plan --no-such-option",
        1,
        &["--no-such-option", "--help"],
    );
    assert_ends("lvs --help", 0, &["Exit codes:", "Examples:"]);
}

#[test]
fn an_unknown_node_is_1() {
    assert_ends(
        "lvs plan --node lb3",
        1,
        &["no director is called \"lb3\"", "dir1"],
    );
}

#[test]
fn a_refused_step_is_undone_and_3() {
    assert_ends(
        "echo 0 > /proc/sys/net/ipv4/ip_forward
         mount -t tmpfs -o ro tmpfs /etc/sysctl.d
         lvs apply --yes; code=$?
         ip -br addr show eth0; cat /proc/sys/net/ipv4/ip_forward; nft list tables
         cat /mnt/state/owned.json 2>/dev/null | grep -c 192.0.2.2
         exit $code",
        3,
        &[
            "everything is as it was before",
            "eth0@far0        DOWN",
            "\n0\n0\n",
        ],
    );
}

/// The packet filter takes one transaction and refuses every other: what it made cannot be taken back.
#[test]
fn what_cannot_be_undone_is_4_and_listed() {
    assert_ends(
        r#"mount -t tmpfs -o ro tmpfs /etc/sysctl.d
        cp /usr/sbin/nft /mnt/nft.real
        cat > /mnt/nft <<'X'
#!/bin/sh
case "$*" in
  *-c*) ;;
  *-f*) echo >> /mnt/count; [ "$(wc -l < /mnt/count)" = 1 ] || { echo refused >&2; exit 1; };;
esac
exec /mnt/nft.real "$@"
X
        chmod +x /mnt/nft; mount --bind /mnt/nft /usr/sbin/nft
        lvs apply --yes; code=$?
        /mnt/nft.real list tables; ip -br addr show eth0
        grep -c lvs_reconcile /mnt/state/owned.json; ls /mnt/state/pending
        exit $code"#,
        4,
        &[
            "left, and different from before: 1 object",
            "- nftables inet lvs_reconcile",
            "table inet lvs_reconcile",
        ],
    );
}

#[test]
fn a_held_lock_is_5_and_says_who() {
    assert_ends(
        "flock /mnt/lock sh -c 'echo \"apply, pid 1, since 10:00:00 UTC\" > /mnt/lock; sleep 30' & sleep 0.5
         lvs apply --yes; code=$?; kill $!; exit $code",
        5,
        &["locked by apply, pid 1"],
    );
}

#[test]
fn what_is_not_ours_and_differs_is_6_unless_adopted() {
    let foreign = "ip addr add 192.0.2.2/24 dev eth0 label eth0:x";
    assert_ends(
        &format!("{foreign}; lvs apply --yes; code=$?; ip addr show eth0; exit $code"),
        6,
        &["refused", "--adopt 'address eth0 192.0.2.2/24'", "eth0:x"],
    );
    assert_ends(
        &format!(
            "{foreign}; lvs apply --yes --adopt 'address eth0 192.0.2.2/24' && ip addr show eth0"
        ),
        0,
        &["scope global eth0\n"],
    );
}

#[test]
fn a_missing_interface_is_6_and_names_those_that_exist() {
    assert_ends(
        "sed -i s/eth1/eth9/ /mnt/cluster.json; lvs apply --yes; code=$?; ip -br addr show eth0; exit $code",
        6,
        &["there is no interface eth9", "eth0", "far0"],
    );
}

#[test]
fn the_operator_is_asked_on_a_terminal_and_no_is_6() {
    assert_ends(
        "echo n | script -qec \"$LVS apply\" /dev/null; code=$?; ip -br addr show eth0; exit $code",
        6,
        &["Make these changes? [y/N]", "nothing was changed"],
    );
}

#[test]
fn what_is_equal_is_used_and_survives_destroy() {
    let text = assert_ends(
        "ip addr add 192.0.2.2/24 dev eth0; ip link set eth0 up
         lvs apply --yes && lvs destroy --yes && ip -br addr show eth0 && ip -br addr show eth1 && nft list tables",
        0,
        &["192.0.2.2/24"],
    );
    assert!(
        !text
            .lines()
            .last()
            .unwrap_or_default()
            .contains("lvs_reconcile"),
        "{text}"
    );
}

#[test]
fn json_is_json() {
    assert_ends(
        "lvs plan --format json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d[\"formatVersion\"], d[\"count\"][\"create\"] > 3)'",
        0,
        &["1 True"],
    );
    assert_ends(
        "lvs apply --yes --format json | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"result\"][\"end\"])'",
        0,
        &["converged"],
    );
}
