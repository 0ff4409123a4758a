//! The program itself, as an operator meets it: one test for each way a command can end. Every test has a network and
//! mount namespace of its own; without root it fails.

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
mod machine;

use figures::figure;
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

/// Several files are written before the first is put in its place: the one that could not be is named, with the reason.
#[test]
fn of_several_files_the_refused_one_says_why() {
    assert_ends(
        "sed -i 's/\"drop\"/&, \"masquerade\": true/' /mnt/cluster.json
         mount -t tmpfs -o ro tmpfs /etc/sysctl.d
         lvs apply --yes",
        3,
        &[
            "failed: file /etc/sysctl.d/60-lvs-reconcile.conf: ",
            "ead-only file system",
        ],
    );
}

#[test]
fn changes_that_could_not_be_written_down_are_4() {
    assert_ends(
        "strace -qq -o /dev/null -P /mnt/state/last-good.json -e inject=renameat:error=ENOSPC \"$LVS\" apply --yes
         code=$?; ip -br addr show eth0; exit $code",
        4,
        &["the changes are made", "last-good.json", "192.0.2.2/24"],
    );
}

/// As if it had been killed when all was removed.
#[test]
fn a_destroy_with_nothing_to_remove_leaves_nothing_for_the_next_boot() {
    assert_ends(
        "lvs apply --yes; cp /mnt/state/last-good.json /mnt/kept
         lvs destroy --yes; mv /mnt/kept /mnt/state/last-good.json
         lvs destroy --yes; [ ! -e /mnt/state/last-good.json ]",
        0,
        &["Nothing to do"],
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

/// Standard output is thrown away where it must be empty, and counted.
#[test]
fn quiet_changes_the_machine_and_tells_only_what_went_wrong() {
    let text = assert_ends(
        "lvs apply -q --yes >/mnt/out && lvs plan -q --detailed-exitcode >>/mnt/out; code=$?
         lvs status -q >>/mnt/out; lvs -q history >>/mnt/out; lvs destroy --quiet --yes >>/mnt/out
         stat -c 'said %s' /mnt/out; ip -br addr show eth0; exit $code",
        0,
        &["said 0\n"],
    );
    assert!(!text.contains("192.0.2.2/24"), "{text}");
    assert_ends(
        "lvs plan -q --detailed-exitcode >/mnt/out; code=$?; cat /mnt/out; exit $code",
        2,
        &[],
    );
    assert_ends(
        "sed -i s/eth1/eth9/ /mnt/cluster.json; lvs apply -q --yes >/mnt/out; code=$?
         stat -c 'said %s' /mnt/out; exit $code",
        6,
        &["! refused: ", "no interface eth9", "said 0\n"],
    );
    assert_ends(
        "mount -t tmpfs -o ro tmpfs /etc/sysctl.d; lvs apply -q --yes >/mnt/out; code=$?
         stat -c 'said %s' /mnt/out; exit $code",
        3,
        &[
            "failed: file /etc/sysctl.d/",
            "is as it was before",
            "said 0\n",
        ],
    );
    assert_ends(
        "lvs apply -q --yes --confirm-within 60s >/mnt/out; code=$?; stat -c 'said %s' /mnt/out
         lvs rollback -q --yes >/mnt/out; stat -c 'back %s' /mnt/out; exit $code",
        0,
        &["lvs-reconcile confirm 1", "said 0\n", "back 0\n"],
    );
    assert_ends(
        "lvs apply -q --yes --format json | jq -r .result.end",
        0,
        &["converged\n"],
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

/// What is asked of `arm` and cannot be is one error that says what to do, and nobody is armed.
#[test]
fn who_cannot_be_armed_is_1_and_says_why() {
    let netboot = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/netboot.json");
    assert_ends(
        &format!(
            "lvs arm rs1 --yes
             lvs apply --yes >/dev/null; lvs arm rs1 --yes
             install -m 600 {netboot} /mnt/state/last-good.json
             lvs arm rs1 rs7 rs8 --yes; lvs arm rs1 --yes; lvs arm rs1 --within soon
             ls /mnt/state/armed.json; lvs arm rs7 --yes"
        ),
        1,
        &[
            "no document is in force on this machine: apply one first",
            "netboot.boot: the document in force has no network boot; add \"boot\": {} and apply it",
            "no real server is called \"rs7\"",
            "no real server is called \"rs8\"",
            "vmlinuz does not answer",
            "invalid value 'soon' for '--within <TIME>'",
            "armed.json': No such file",
        ],
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
    assert_ends(
        "lvs apply --yes >/dev/null; lvs apply --yes --format json | jq -c .result",
        0,
        &[r#"{"done":0,"end":"nothing to do"}"#],
    );
}

/// As a run stands on disk that was killed: the next one makes up for it, and nobody takes it for one that ended well.
#[test]
fn a_run_that_was_cut_off_is_remembered_as_such() {
    assert_ends(
        "lvs apply --yes >/dev/null; cd /mnt/state; mv history/1 pending/1; lvs history; lvs apply --yes >/dev/null; lvs history",
        0,
        &["cut off\n", "cut off, and finished by a later run\n"],
    );
}

/// Two operators at once, again and again, who want different things: one has the lock and the other is told so, or
/// they come one after the other. What stands there in the end is what one of them wanted, never some of each.
/// 1000 times, or as often as `LVS_RACE_SECONDS` (60) allow.
#[test]
fn of_two_at_once_one_is_locked_out_and_nothing_is_mixed() {
    let text = assert_ends(
        r#"sed 's/192.0.2.2/192.0.2.3/; s/10.0.0.1/10.0.0.9/; s/"drop"/"accept"/' /mnt/cluster.json > /mnt/other.json
        stands() { lvs plan --detailed-exitcode /mnt/$1.json > /mnt/plan 2>&1; }
        in_turn=0 locked=0 pairs=0 wants=
        while [ $pairs -lt 1000 ] && [ $SECONDS -lt ${LVS_RACE_SECONDS:-60} ]; do
          lvs apply --yes /mnt/cluster.json > /mnt/one 2>&1 & one=$!
          sleep 0.0$((RANDOM % 10))
          lvs apply --yes /mnt/other.json > /mnt/two 2>&1 & two=$!
          wait $one; one=$?; wait $two; two=$?; pairs=$((pairs + 1))
          case $one$two in
            00) in_turn=$((in_turn + 1)); wants=other;;
            05) locked=$((locked + 1)); wants=cluster;;
            50) locked=$((locked + 1)); wants=other;;
            *) echo "ended $one and $two"; cat /mnt/one /mnt/two; exit 9;;
          esac
          [ $one$two != 00 ] || for it in cluster other; do stands $it && wants=$it; done
          stands $wants || { echo "ended $one and $two, and it is mixed"; cat /mnt/plan; ip -br addr; exit 8; }
          [ -z "$(ls /mnt/state/pending 2> /dev/null)" ] || { echo "a journal is left"; exit 6; }
        done
        echo "race: $((2 * pairs)) applies, $locked locked out, $in_turn one after the other, $SECONDS seconds"
        lvs destroy --yes > /mnt/gone || exit 5; nft list tables; ip -br addr"#,
        0,
        &["race: ", " locked out"],
    );
    nothing_is_left_after("race: ", &text);
    let found = text.lines().find_map(|it| it.strip_prefix("race: "));
    figure(
        "P11",
        "namespaces",
        &format!("{}, 0 mixed", found.unwrap_or_default()),
    );
}

/// Killed at any moment, and for good: the next run finishes, and in the end nothing is left over. A child between its
/// birth and its exec(2) still holds the lock of a parent that was killed, so the next run may have to ask again.
#[test]
fn killed_at_any_moment_the_next_run_finishes() {
    let text = assert_ends(
        r#"sed 's/192.0.2.2/192.0.2.3/; s/10.0.0.1/10.0.0.9/; s/"drop"/"accept"/' /mnt/cluster.json > /mnt/other.json
        killed=0 kills=0 heirs=0
        while [ $kills -lt 200 ] && [ $SECONDS -lt 30 ]; do
          kills=$((kills + 1)); first=cluster; [ $((RANDOM % 2)) = 0 ] || first=other
          wanted=cluster; [ $((kills % 2)) = 0 ] || wanted=other
          "$LVS" apply --yes /mnt/$first.json > /mnt/one 2>&1 & it=$!
          sleep 0.0$((RANDOM % 900 + 100))
          kill -9 $it 2> /dev/null; wait $it 2> /dev/null; [ $? != 137 ] || killed=$((killed + 1))
          for again in 1 2 3 4 5; do
            lvs apply --yes /mnt/$wanted.json > /mnt/two 2>&1; code=$?; [ $code = 5 ] || break
            heirs=$((heirs + 1)); sleep 0.1
          done
          [ $code = 0 ] || { echo "the next run ended $code, $it was killed"; cat /mnt/two; exit 9; }
          lvs plan --detailed-exitcode /mnt/$wanted.json > /mnt/plan 2>&1 || { cat /mnt/plan; exit 8; }
          [ -z "$(ls /mnt/state/pending 2> /dev/null)" ] || { echo "a journal is left"; exit 6; }
        done
        echo "kills: $killed of $kills before the end, $heirs locked for a moment, $SECONDS seconds"
        lvs destroy --yes > /mnt/gone || exit 5; nft list tables; ip -br addr"#,
        0,
        &["kills: "],
    );
    nothing_is_left_after("kills: ", &text);
}

/// Prints the line of figures; what follows it must show nothing of ours.
#[track_caller]
fn nothing_is_left_after(figures: &str, text: &str) {
    let (_, end) = text.rsplit_once(figures).unwrap();
    let (line, end) = end.split_once('\n').unwrap();
    eprintln!("{figures}{line}");
    for left in ["192.0.2.", "10.0.0.", "table inet lvs_reconcile"] {
        assert!(!end.contains(left), "{text}");
    }
}

/// Between the look and the yes anything may happen: what was looked at is made, or nothing.
#[test]
fn a_plan_that_is_another_now_is_not_made() {
    let edits = [
        "ip addr add 203.0.113.2/24 dev eth0",
        "ip addr flush dev eth1",
        "ip link set eth1 down",
        "ip route del 198.51.100.0/24",
        "nft delete table inet lvs_reconcile",
        "nft add rule inet lvs_reconcile lvs_forward drop",
        "sysctl -qw net.ipv4.ip_forward=0",
        "rm /etc/sysctl.d/60-lvs-reconcile.conf",
        "echo >> /etc/sysctl.d/60-lvs-reconcile.conf",
        "sed -i s/drop/accept/ /mnt/cluster.json",
        "sed -i s/203.0.113.2/203.0.113.3/ /mnt/cluster.json",
        "sed -i s/10.0.0.1/10.0.0.2/ /mnt/cluster.json",
    ];
    for edit in edits {
        let said = assert_ends(
            &format!(
                "sed -i 's|\"name\": \"dir1\",|&\"routes\": [{{\"to\": \"198.51.100.0/24\", \"via\": \"10.0.0.9\"}}],|' /mnt/cluster.json
                 lvs apply --yes >/dev/null; sed -i s/192.0.2.2/203.0.113.2/ /mnt/cluster.json
                 digest() {{ lvs plan --format json | jq -r .digest; }}
                 snapshot() {{ ip addr; ip route; nft list ruleset; cat /etc/sysctl.d/*; sysctl net.ipv4.ip_forward; }}
                 approved=$(digest); [ $approved = $(digest) ] && echo the same twice
                 {edit}; snapshot >/mnt/before
                 lvs apply --yes --approved $approved; code=$?; snapshot | cmp - /mnt/before && echo untouched
                 lvs apply --yes --approved $(digest) | tail -1; exit $code"
            ),
            6,
            &["the same twice", "look again", "untouched", "done: "],
        );
        assert!(said.contains("verified"), "{edit}: {said}");
    }
    let n = edits.len();
    figure(
        "P4",
        "namespaces",
        &format!("{n} of {n} changes between plan and apply seen before the first step"),
    );
}

/// The operator sits and thinks; somebody else does not.
#[test]
fn what_changed_before_the_yes_is_looked_at_again() {
    assert_ends(
        "answer() { (sleep 2; $1; echo y) | script -qec \"$LVS apply\" /dev/null; echo \"ends $?\"; }
         answer true | grep -o 'done: .*\\|ends.*'; lvs destroy --yes >/dev/null
         answer 'ip addr add 10.0.0.1/24 dev eth1'; ip -br -4 addr show eth0",
        0,
        &["verified 7 objects", "ends 0", "Make these changes? [y/N]", "look again", "ends 6"],
    );
}

/// What was taken over stays ours, wherever the run that took it over was killed.
#[test]
fn what_was_taken_over_before_a_kill_is_ours() {
    assert_ends(
        "ip addr add 192.0.2.2/24 dev eth0 label eth0:9; mine() { grep -o 192.0.2.2 /mnt/state/owned.json | head -1; }
         kill_at() { strace -qq -o /dev/null -P \"$2\" -e trace=$1 -e inject=$1:signal=KILL \"$LVS\" apply --yes --adopt 'address eth0 192.0.2.2/24' >/dev/null; }
         kill_at renameat /mnt/state/owned.json; ip -br -4 addr show eth0
         lvs apply --yes >/dev/null; mine; lvs destroy --yes >/dev/null; ip -o -4 addr show eth0; echo gone",
        0,
        &["192.0.2.2/24", "\n192.0.2.2\ngone"],
    );
    // Killed before it was touched, it is somebody else's still.
    assert_ends(
        "ip addr add 192.0.2.2/24 dev eth0 label eth0:9
         strace -qq -o /dev/null -P /mnt/state/pending/1 -e trace=fsync -e inject=fsync:signal=KILL \"$LVS\" apply --yes --adopt 'address eth0 192.0.2.2/24' >/dev/null
         ls /mnt/state/pending; lvs destroy --yes; ip -o -4 addr show eth0; lvs apply --yes",
        6,
        &["1\n", "inet 192.0.2.2/24", "is not ours"],
    );
}

/// The plan that was approved is the plan that is made: when the machine has changed since, the difference is named.
#[test]
fn a_plan_on_file_is_made_or_nothing() {
    assert_ends(
        "lvs plan --out /mnt/plan.json >/dev/null; lvs plan --check /mnt/plan.json >/dev/null; echo checked $?
         sed s/192.0.2.2/192.0.2.7/ /mnt/plan.json >/mnt/tampered.json
         lvs apply --yes --plan /mnt/tampered.json; echo tampered $?
         ip addr add 192.0.2.2/24 dev eth0
         lvs plan --check /mnt/plan.json >/dev/null; echo stale $?
         lvs apply --yes --plan /mnt/plan.json >/dev/null; echo refused $?; ip -br -4 addr show eth1; ip addr flush dev eth0
         lvs apply --yes --plan /mnt/plan.json >/dev/null; echo made $?; ip -br -4 addr show eth1",
        0,
        &[
            "checked 0",
            "nobody has approved it",
            "tampered 1",
            "approved, and not to be done now: + address eth0 192.0.2.2/24",
            "stale 6",
            "refused 6\nmade 0\neth1@far1",
        ],
    );
}

/// Elsewhere the same plan is made of a snapshot, and of one that was taken without a plan.
#[test]
fn a_snapshot_is_a_machine_to_plan_for() {
    let said = assert_ends(
        "cd /mnt; ip addr add 192.0.2.66/24 dev eth0
         lvs plan --save-live /mnt/live.json >/mnt/here; lvs snapshot >/mnt/taken.json
         lvs apply --yes >/dev/null
         unshare -n env -i $LVS plan --live /mnt/live.json /mnt/cluster.json >/mnt/there; cmp /mnt/here /mnt/there && echo the same
         for it in here taken; do [ $it = here ] || $LVS plan --live /mnt/taken.json >/mnt/taken; sed /^live/d /mnt/$it >/mnt/$it.body; done
         cmp /mnt/here.body /mnt/taken.body && echo the same again; head -n 4 /mnt/there
         lvs plan --live /mnt/live.json --node dir2; echo another $?",
        0,
        &[
            "the same\n",
            "the same again",
            "live state: dir1 as of 20",
            "was taken of \"dir1\", and not of \"dir2\"\nanother 1",
        ],
    );
    assert!(!said.contains("differ"), "{said}");
}

/// What the document asks for anew, and what the machine came away from, in one plan; and of an edited document both.
#[test]
fn drift_is_told_apart_from_what_is_asked_for() {
    let text = assert_ends(
        "lvs plan | grep -c drift; lvs apply --yes >/dev/null
         ip addr del 10.0.0.1/24 dev eth1; sed s/192.0.2.2/192.0.2.3/ /mnt/cluster.json >/mnt/other.json
         lvs plan; lvs plan /mnt/other.json
         lvs plan --format json /mnt/other.json | python3 -c '
import json, sys
for it in json.load(sys.stdin)[\"changes\"]: print(it[\"name\"], it[\"cause\"])'
         lvs plan --format markdown /mnt/other.json",
        0,
        &[
            "0\n",
            "1 change: 1 create, 0 update, 0 delete.  Cuts no connection.  1 corrects drift.\n",
            "3 changes: 2 create, 0 update, 1 delete.  1 change may cut connections.  1 corrects drift.\n",
            "none  (drift)\n",
            "eth1 10.0.0.1/24 drift\n",
            "eth0 192.0.2.3/24 document\n",
            "eth0 192.0.2.2/24 document\n",
            "1 of them corrects drift.",
            " *drift* | none |",
        ],
    );
    assert_eq!(text.matches("(drift)").count(), 2, "{text}");
}

/// Who is connected reads in the plan which changes are his way in; where nobody is, nothing is said.
#[test]
fn the_way_in_is_marked_in_the_plan() {
    let text = assert_ends(
        "lvs apply --yes >/dev/null; sed 's/192.0.2.2/192.0.2.3/; s/10.0.0.1/10.0.0.2/' /mnt/cluster.json >/mnt/other.json
         lvs plan /mnt/other.json | grep 'lock the operator'; echo nobody $?
         export SSH_CONNECTION='192.0.2.99 50000 192.0.2.2 22'; lvs plan /mnt/other.json; lvs snapshot >/mnt/live.json
         env -u SSH_CONNECTION $LVS plan --live /mnt/live.json --format json /mnt/other.json | grep -c mayLockOut",
        0,
        &[
            "nobody 1\n",
            "connections to this address; may lock the operator out\n",
            "\n1\n",
        ],
    );
    assert_eq!(text.matches("lock the operator out").count(), 1, "{text}");
}

/// The files of others are read where they are, at each plan.
#[test]
fn who_else_is_at_work_is_named() {
    let enabled = "/etc/systemd/system/sysinit.target.wants/nftables.service";
    let script = format!(
        "mkdir /mnt/upper /mnt/work && mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work none /etc
         rm -f /etc/systemd/system/*/nftables.service; echo 'flush ruleset' >/etc/nftables.conf
         lvs plan | grep LVS029 && exit 9
         mkdir -p $(dirname {enabled}); ln -s /nowhere {enabled}
         lvs plan && lvs plan --format json | tr -d ' \\n'"
    );
    let text = assert_ends(&script, 0, &["! LVS029 nftables.service is enabled"]);
    assert!(text.contains("\"code\":\"LVS029\""), "{text}");
}

/// What is written is a file of one's own, whole or not at all, and none of those that it is made of.
#[test]
fn a_plan_on_file_takes_nobodys_place() {
    assert_ends(
        "cp /mnt/cluster.json /mnt/before; ln -s /mnt/cluster.json /mnt/link
         lvs snapshot >/mnt/live.json; lvs plan --live /mnt/live.json --out /mnt/plan.json >/dev/null; stat -c %a /mnt/plan.json
         for it in /mnt/cluster.json /mnt/link /mnt /dev/null; do lvs plan --out $it >/dev/null; echo $?; done
         lvs plan --live /mnt/live.json --out /mnt/live.json >/dev/null; echo $?
         cmp /mnt/cluster.json /mnt/before && lvs plan --live /mnt/live.json --check /mnt/plan.json >/dev/null && echo untouched
         lvs plan --check /mnt/plan.json --out /mnt/plan.json
         lvs plan --check /dev/zero",
        1,
        &[
            "600\n",
            "it is what the plan is made of",
            "there is something that is no file",
            "untouched",
            "cannot be used with",
            "/dev/zero: is larger than 256 MiB",
        ],
    );
}
