//! A director in a network and mount namespace of its own, on which the program runs as an operator meets it.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Mutex;

use crate::figures::figure;

/// A director with two cables, and a document that wants addresses on both.
pub const DOCUMENT: &str = r#"{
  "version": 1,
  "directors": [{
    "name": "dir1",
    "interfaces": [
      { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] },
      { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24"] }
    ]
  }],
  "firewall": { "forwardPolicy": "drop" }
}"#;

const MACHINE: &str = r#"
set -e
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir -p /mnt/etc/sysctl.d /mnt/etc/modules-load.d /mnt/state
mount --bind /mnt/etc/sysctl.d /etc/sysctl.d
mount --bind /mnt/etc/modules-load.d /etc/modules-load.d
cat > /mnt/cluster.json
ip link set lo up
ip link add eth0 type veth peer name far0
ip link add eth1 type veth peer name far1
ip link set far0 up; ip link set far1 up
export LVS_RECONCILE_STATE_DIR=/mnt/state LVS_RECONCILE_LOCK=/mnt/lock
export LVS_RECONCILE_DOCUMENT=/mnt/cluster.json LVS_RECONCILE_NODE=dir1
lvs() { "$LVS" "$@"; }
set +e
"#;

/// Runs a script on the machine; its exit code and everything that it printed.
pub fn on_the_machine(script: &str) -> (i32, String) {
    on_the_machine_with(DOCUMENT, script)
}

pub fn on_the_machine_with(document: &str, script: &str) -> (i32, String) {
    use std::io::Write;
    let mut child = Command::new("unshare")
        .args(["-m", "-n", "--propagation", "private", "bash", "-c"])
        .arg(format!("{MACHINE}\n({script}\n) </dev/null 2>&1"))
        .env("LVS", env!("CARGO_BIN_EXE_lvs-reconcile"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("unshare runs; these tests need root");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(document.as_bytes())
        .unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap_or(-1), text)
}

/// Every way to end that was seen, until all of them were.
fn count(code: i32) {
    static SEEN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock().unwrap();
    if seen.insert(code) && seen.iter().eq(&[0, 1, 2, 3, 4, 5, 6]) {
        figure(
            "P5",
            "namespaces",
            "exit codes seen: 7 of the 7 that are documented",
        );
    }
}

#[track_caller]
pub fn assert_ends(script: &str, code: i32, says: &[&str]) -> String {
    let (ended, text) = on_the_machine(script);
    assert_eq!(ended, code, "{text}");
    count(code);
    for words in says {
        assert!(text.contains(words), "nothing says {words:?}:\n{text}");
    }
    text
}
