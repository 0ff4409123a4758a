//! What packages install beside the program: manual pages and completions.

use std::collections::BTreeSet;
use std::process::Command;

fn ours(arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// The commands that `--help` lists.
fn commands() -> BTreeSet<String> {
    let help = ours(&["--help"]);
    let listed = help.lines().skip_while(|it| *it != "Commands:").skip(1);
    let lines = listed.take_while(|it| !it.is_empty());
    // What is wrapped stands further to the right.
    lines
        .filter_map(|it| it.strip_prefix("  ").filter(|it| !it.starts_with(' ')))
        .filter_map(|it| it.split_whitespace().next())
        .filter(|it| *it != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    ours(&["man", "--to", dir.path().to_str().unwrap()]);
    for command in commands() {
        let page = dir.path().join(format!("lvs-reconcile-{command}.8"));
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(
            text.contains(&format!(".TH lvs-reconcile-{command} 8")),
            "{text}"
        );
    }
    let all = std::fs::read_to_string(dir.path().join("lvs-reconcile.8")).unwrap();
    assert!(all.contains("Exit codes:"), "{all}");
    assert!(!dir.path().join("lvs-reconcile-guard.8").exists());
}

/// Bash reads what it is given, and completes what we have.
#[test]
fn bash_completes_our_commands() {
    let script = ours(&["completions", "bash"]);
    let complete = "it=$(complete -p lvs-reconcile); it=${it#*-F }; COMP_WORDS=(lvs-reconcile ''); COMP_CWORD=1
        ${it%% *} lvs-reconcile '' lvs-reconcile; echo ${COMPREPLY[*]}";
    let ran = Command::new("bash")
        .args(["-c", &format!("{script}\n{complete}")])
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let offered: BTreeSet<String> = said.split_whitespace().map(str::to_owned).collect();
    let missing: Vec<_> = commands()
        .into_iter()
        .filter(|it| !offered.contains(it))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {said:?}");
}
