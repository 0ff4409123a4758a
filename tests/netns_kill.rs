//! The program itself on the kernel itself, killed at every boundary between two mutations, or refused by the disk: what
//! tests/lab/t/long/42-kill.sh does with IPVS and daemons, here with everything else and at every single point. Needs root
//! and strace; without them it fails.

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[allow(
    dead_code,
    reason = "shared with programs that need no script of their own"
)]
mod machine;

use figures::figure;
use machine::on_the_machine_with;

/// Runs it on two machines at once, each of which takes every other point.
#[track_caller]
fn on_two_machines(what: &str) -> Vec<String> {
    let half = |first: usize| {
        let script = format!(". tests/netns_kill/machine.sh; undisturbed; {what} 2 {first}");
        on_the_machine_with(include_str!("netns_kill/document.json"), &script)
    };
    let both = std::thread::scope(|scope| {
        [1, 2]
            .map(|first| scope.spawn(move || half(first)))
            .map(|it| it.join().unwrap())
    });
    let mut found = Vec::new();
    for (code, text) in both {
        let figures = text.lines().find_map(|it| it.strip_prefix("# "));
        assert!(
            code == 0 && figures.is_some() && !text.contains("not ok - "),
            "{text}"
        );
        eprintln!("kill: {}", figures.unwrap_or_default());
        found.extend(figures.map(str::to_owned));
    }
    found
}

#[test]
fn killed_at_every_boundary_the_next_run_finishes() {
    let found = on_two_machines("kills").join("; ");
    figure("P8", "namespaces", &found);
}

#[test]
fn refused_by_the_disk_it_takes_back_what_it_did_and_says_so() {
    on_two_machines("refusals");
}
