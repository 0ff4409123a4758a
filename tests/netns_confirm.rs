//! The confirm window and `rollback`, by the program itself: what is not confirmed is taken back, however we end. Every
//! test has a network and mount namespace of its own; without root it fails.

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
mod machine;

use machine::assert_ends;

#[track_caller]
fn assert_says(script: &str, code: i32, says: &[&str]) -> String {
    let begin = "lvs apply --yes >/dev/null || exit 99";
    assert_ends(&format!("{begin}\n{MOVE}\n{script}"), code, says)
}

/// Another address on the interface that the operator came in by.
const MOVE: &str = "sed -i s/192.0.2.2/192.0.2.3/ /mnt/cluster.json
    over_ssh() { SSH_CONNECTION='192.0.2.99 50000 192.0.2.2 22' lvs \"$@\"; }
    eth0() { ip -br -4 addr show eth0; }
    waiting() { ls /mnt/state/pending; }
    guards() {
        for it in $(pgrep -f 'lvs-reconcile [g]uard'); do
            [ \"$(readlink /proc/$it/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ] || echo $it
        done
    }";

#[test]
fn a_change_of_the_way_in_needs_a_window() {
    let said = assert_says(
        "over_ssh apply --yes; echo code $?
         over_ssh destroy --yes; echo code $?
         eth0
         over_ssh apply --yes --no-confirm >/dev/null && eth0",
        0,
        &["may cut the connection", "--confirm-within 2m"],
    );
    assert_eq!(said.matches("code 6").count(), 2, "{said}");
    assert!(
        said.contains("192.0.2.2/24") && said.contains("192.0.2.3/24"),
        "{said}"
    );
}

#[test]
fn what_is_not_confirmed_is_taken_back() {
    assert_says(
        "cp /mnt/state/last-good.json /mnt/before; cp /mnt/state/owned.json /mnt/owned
         over_ssh apply --yes --confirm-within 10s; id=$(waiting)
         lvs apply --yes; echo \"another says $?\"
         lvs destroy --yes; echo \"destroy says $?\"
         over_ssh confirm $id; echo \"the same connection says $?\"
         eth0; sleep 12; eth0
         cmp /mnt/before /mnt/state/last-good.json && cmp /mnt/owned /mnt/state/owned.json && echo as it was
         lvs confirm $id; echo \"too late says $?\"
         lvs history",
        0,
        &[
            "lvs-reconcile confirm 2",
            "another says 5",
            "destroy says 5",
            "the same connection says 6",
            "192.0.2.3/24 \neth0@far0        UP             192.0.2.2/24",
            "as it was",
            "run 2: it was taken back",
            "too late says 6",
            "apply     2 changes    taken back",
        ],
    );
}

#[test]
fn what_is_confirmed_stays() {
    assert_says(
        "over_ssh apply --yes --confirm-within 10s >/dev/null; id=$(waiting)
         lvs confirm $id; lvs confirm $id; sleep 12; eth0
         cmp /mnt/cluster.json /mnt/state/last-good.json && lvs plan --detailed-exitcode",
        0,
        &[
            "confirmed\nconfirmed already\n",
            "192.0.2.3/24",
            "Nothing to do",
        ],
    );
}

/// Killed at any moment, hung up on, its guard hung up on too.
#[test]
fn the_guard_outlives_us() {
    for pause in ["0", "0.05", "0.2"] {
        assert_says(
            &format!(
                "over_ssh apply --yes --confirm-within 10s >/dev/null 2>&1 & apply=$!
                 until [ -e /mnt/state/pending/2/window.json ]; do sleep 0.01; done
                 until [ -n \"$(guards)\" ]; do sleep 0.01; done
                 sleep {pause}; kill -KILL $apply; wait $apply
                 kill -HUP $(guards); kill -INT $(guards)
                 sleep 13; eth0; lvs history; lvs plan | head -2"
            ),
            0,
            &[
                "192.0.2.2/24",
                "run 2    ",
                "taken back",
                "1 create, 0 update, 1 delete",
            ],
        );
    }
}

/// A power cut inside the window: another boot finds another boot's window, and takes back what outlived it.
#[test]
fn after_a_reboot_only_files_are_taken_back() {
    assert_says(
        "lvs apply --yes --no-confirm >/dev/null
         conf=/etc/sysctl.d/60-lvs-reconcile.conf; cp $conf /mnt/before
         sed -i 's/\"name\": \"dir1\",/& \"sysctls\": [{\"name\": \"net.ipv4.ip_dynaddr\", \"value\": \"1\"}],/' /mnt/cluster.json
         lvs apply --yes --confirm-within 10m >/dev/null; id=$(waiting)
         cmp -s $conf /mnt/before || echo another file
         sed -i 's/\"bootId\":\"[^\"]*\"/\"bootId\":\"another\"/' /mnt/state/pending/$id/window.json
         nft flush ruleset
         lvs rollback --unfinished; echo \"ends $?\"; cmp $conf /mnt/before && echo the file is back; eth0
         nft list tables; lvs rollback --unfinished; lvs history; cat /proc/sys/net/ipv4/ip_dynaddr",
        0,
        &["another file", "ends 0", "the file is back", "192.0.2.3/24", "Nothing to take back.", "taken back"],
    );
}

/// What was confirmed is in force after any number of boots: all of it can be taken back.
#[test]
fn what_another_boot_confirmed_is_taken_back_whole() {
    assert_says(
        "lvs apply --yes --confirm-within 10m >/dev/null; id=$(waiting); lvs confirm $id; eth0
         sed -i 's/\"bootId\":\"[^\"]*\"/\"bootId\":\"another\"/' /mnt/state/history/$id/window.json
         lvs rollback --yes >/dev/null; eth0",
        0,
        &["192.0.2.3/24 \neth0@far0        UP             192.0.2.2/24"],
    );
}

/// The kernel takes along what hangs on an address. A run that was killed before it could make up for that is taken back
/// with all of it, whosever it is.
#[test]
fn what_was_taken_along_comes_back() {
    assert_says(
        "ip addr add 192.0.2.77/24 dev eth0
         sed -i 's/192.0.2.3/203.0.113.3/' /mnt/cluster.json
         lvs apply --yes >/dev/null; eth0
         ip addr del 192.0.2.77/24 dev eth0
         lvs rollback --yes >/dev/null; eth0",
        0,
        &[
            "203.0.113.3/24 192.0.2.77/24 ",
            "192.0.2.2/24 192.0.2.77/24",
        ],
    );
}

/// What others made goes along only when it cannot be any more, and then it is said.
#[test]
fn what_cannot_come_back_is_said() {
    assert_says(
        "ip route add 198.51.101.0/24 dev eth0 proto 7 src 192.0.2.2
         ip route add 198.51.102.0/24 dev eth0 proto 7
         sed -i s/192.0.2.3/203.0.113.3/ /mnt/cluster.json; lvs apply --yes; ip route | grep 198
         lvs rollback --yes | tail -1; ip route | grep 198",
        0,
        &[
            "! the kernel took along route 198.51.101.0/24, which cannot be without what is gone\n198.51.102.0/24",
            "198.51.101.0/24 dev eth0 proto 7 scope link src 192.0.2.2",
        ],
    );
}

#[test]
fn runs_are_taken_back_one_by_one_or_together() {
    assert_says(
        "lvs apply --yes >/dev/null
         lvs rollback --yes >/dev/null; eth0
         lvs apply --yes >/dev/null; eth0
         lvs rollback --yes 1 >/dev/null; ip -br addr show eth0; nft list tables; ls /etc/sysctl.d
         lvs rollback --yes; lvs rollback --yes 99",
        1,
        &[
            "192.0.2.2/24 \neth0@far0        UP             192.0.2.3/24 \neth0@far0        DOWN           \n",
            "Nothing to take back.",
            "there is no run 99",
        ],
    );
}

/// One that was killed when all was done is finished by the next, which takes the document before for the one that was
/// taken back no more than the first did.
#[test]
fn a_rollback_that_was_killed_at_its_end_is_finished() {
    assert_says(
        "cp /mnt/state/last-good.json /mnt/before; lvs apply --yes >/dev/null
         lvs rollback --yes >/dev/null; cp /mnt/state/taken-back.json /mnt/taken-back
         mkdir -p /mnt/state/undoing; mv /mnt/state/history/2 /mnt/state/undoing/2; rm /mnt/state/undoing/2/undone
         lvs rollback --unfinished; echo \"ends $?\"; eth0
         cmp /mnt/taken-back /mnt/state/taken-back.json && cmp /mnt/before /mnt/state/last-good.json && echo the same
         ls /mnt/state/undoing; lvs history",
        0,
        &["ends 0", "192.0.2.2/24", "the same", "apply     2 changes    taken back"],
    );
}

/// What the next boot starts from is trusted by it, however many runs have kept a copy.
#[test]
fn the_last_good_document_can_be_applied_at_boot() {
    assert_says(
        "lvs apply --yes >/dev/null; chmod 755 /mnt; ip addr flush dev eth1
         lvs apply --boot | tail -1; ip addr flush dev eth1; lvs apply --boot | tail -1; lvs plan --detailed-exitcode",
        0,
        &["done: 1 step", "Nothing to do"],
    );
}

/// The daemon leaves alone what waits, and does not apply again what was taken back.
#[test]
fn watch_respects_both() {
    assert_says(
        "chmod 644 /mnt/cluster.json; lvs apply --yes --confirm-within 10s >/dev/null
         LVS_RECONCILE_LOG=info \"$LVS\" watch --interval 1 >/mnt/log 2>&1 & watch=$!
         sleep 3; ip addr flush dev eth1; sleep 3; ip -br -4 addr show eth1
         sleep 9; eth0; ip -br -4 addr show eth1; kill $watch; wait $watch; grep -o 'run 2 waits\\|was taken back' /mnt/log",
        0,
        &["run 2 waits\nwas taken back", "192.0.2.2/24 \neth1@far1        UP             10.0.0.1/24"],
    );
}

/// Whose an object is can be said by hand, and an inventory that was lost or broken never makes a foreign object ours.
#[test]
fn objects_are_adopted_and_released() {
    assert_says(
        "ip addr add 203.0.113.9/32 dev eth0
         lvs status --foreign; lvs apply --yes >/dev/null; ip -br -4 addr show eth0
         lvs adopt 'address eth0 203.0.113.9/32'; lvs adopt 'address eth0 203.0.113.8/32'; echo \"unknown says $?\"
         lvs release 'address eth0 203.0.113.9/32'; lvs release 'nftables inet lvs_reconcile'; lvs apply --yes | tail -1
         lvs adopt 'address eth0 203.0.113.9/32' >/dev/null; lvs apply --yes >/dev/null; ip -br -4 addr show eth0
         echo broken >/mnt/state/owned.json
         lvs plan --detailed-exitcode; echo \"plan says $?\"; ls /mnt/state/*unreadable
         lvs destroy --yes >/dev/null; ip -br -4 addr show eth0; nft list tables; lvs apply --yes >/dev/null; lvs plan | grep unreadable
         echo '{\"version\": 2}' >/mnt/state/owned.json; lvs plan; echo \"newer says $?\"; cat /mnt/state/owned.json",
        0,
        &[
            "address eth0 203.0.113.9/32\neth0@far0        UP             203.0.113.9/32 192.0.2.3/24 \n",
            "the next apply removes it",
            "nothing on this machine that could be ours: address eth0 203.0.113.8/32",
            "nftables inet lvs_reconcile: it carries our mark",
            "unknown says 1",
            "not ours any more",
            "plan says 0",
            "cannot be read, /mnt/state/owned.json: what carries no mark",
            "cannot access '/mnt/state/*unreadable'",
            "cannot be read, /mnt/state/owned.json.unreadable: what",
            "newer says 1",
            "written by a newer lvs-reconcile, in version 2",
        ],
    );
}

/// With no room left on the disk a run is taken back all the same, and written down: room was kept for that. It is given
/// up with the run.
#[test]
fn a_full_disk_does_not_lock_out() {
    assert_says(
        "cp -a /mnt/state /mnt/kept; mount -t tmpfs -o size=512k,mode=700 tmpfs /mnt/state; cp -a /mnt/kept/. /mnt/state/
         over_ssh apply --yes --confirm-within 10s >/dev/null
         dd if=/dev/zero of=/mnt/state/full bs=4k 2>/dev/null; df --output=avail /mnt/state | tail -1
         sleep 13; eth0; lvs history
         cmp /mnt/kept/last-good.json /mnt/state/last-good.json && cmp /mnt/kept/owned.json /mnt/state/owned.json && echo as it was
         rm /mnt/state/full; lvs rollback --unfinished
         over_ssh apply --yes --confirm-within 10s >/dev/null; lvs confirm $(waiting)
         find /mnt/state -name room; df --output=used /mnt/state | tail -1 | awk '{ print $1 < 128 ? \"small\" : \"large\" }'",
        0,
        &["    0\neth0@far0        UP             192.0.2.2/24", "taken back\nas it was\nNothing to take back.\nconfirmed\nsmall\n"],
    );
}

/// A file that cannot be given back for want of room keeps no address from coming back, and comes back later.
#[test]
fn no_room_for_a_file_does_not_lock_out() {
    assert_says(
        "file=/etc/sysctl.d/60-lvs-reconcile.conf
         cp $file /mnt/before; mount -t tmpfs -o size=8k tmpfs /etc/sysctl.d; cp -p /mnt/before $file
         over_ssh destroy --yes --confirm-within 10s >/dev/null; echo \"$(eth0) and$(ls /etc/sysctl.d)\"
         dd if=/dev/zero of=/etc/sysctl.d/full bs=4k 2>/dev/null; df --output=avail /etc/sysctl.d | tail -1
         sleep 13; eth0; lvs history; until [ -z \"$(guards)\" ] || [ $((n += 1)) -gt 40 ]; do sleep 0.5; done
         chmod 644 /mnt/cluster.json; LVS_RECONCILE_LOG=info \"$LVS\" watch --interval 1 >/mnt/log 2>&1 & watch=$!
         sleep 3; kill $watch; wait $watch; grep -o 'skipped a turn: run 2' /mnt/log; eth0
         rm /etc/sysctl.d/full; lvs apply --yes; echo \"says $?\"; lvs rollback --unfinished; cmp $file /mnt/before && lvs history",
        0,
        &[
            " and\n    0\neth0@far0        UP             192.0.2.2/24",
            "being taken back",
            "skipped a turn: run 2\neth0@far0        UP             192.0.2.2/24",
            "run 2 is not taken back to its end: `lvs-reconcile rollback 2` does that\nsays 5\n",
            "destroy   7 changes    taken back\n",
        ],
    );
}

/// Hung up, there is nobody to tell; the exit code says it all the same.
#[test]
fn an_error_that_nobody_reads_has_its_exit_code() {
    assert_says(
        "(sleep 0.5; lvs confirm 99; echo \"says $?\" >/mnt/code) 2>&1 | true; cat /mnt/code",
        0,
        &["says 6"],
    );
}
