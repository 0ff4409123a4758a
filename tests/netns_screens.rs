//! Every screen that needs a machine: `tests/screens/machine/*.txt`, each on a director of its own. Without root it
//! fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[allow(dead_code, reason = "each test program draws from it what it needs")]
mod machine;
#[allow(dead_code, reason = "shared with the screens that need no machine")]
#[path = "screens/play.rs"]
mod play;

/// The same on every machine, whatever else is installed there.
const ALIKE: &str = r#"
echo 0 > /proc/sys/net/ipv4/ip_forward
for other in /etc/systemd /etc/NetworkManager /etc/keepalived /etc/cloud /usr/lib/systemd/system; do
  [ ! -d "$other" ] || mount -t tmpfs tmpfs "$other"
done
cd /mnt
unset COLUMNS NO_COLOR CLICOLOR_FORCE
lvs-reconcile() { "$LVS" "$@"; }
"#;

#[test]
fn every_screen_is_as_it_was() {
    let screens = play::screens("tests/screens/machine");
    assert!(screens.len() > 10, "only {} screens", screens.len());
    play::assert_same(&screens, |screen| {
        let (code, text) = machine::on_the_machine(&(ALIKE.to_owned() + &screen.script()));
        assert_eq!(code, 0, "{}: {text}", screen.name());
        text
    });
}
