//! Colours: at a terminal, unless somebody says otherwise as <https://no-color.org> and
//! <https://bixense.com/clicolors> have it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::pty::openpty;

/// Whoever runs the tests may have wishes about colours, too, and CI systems that show them say so by `CI`.
fn ours(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"));
    let case = "tests/diffs/machine-added";
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "diff",
        &format!("{case}/before.json"),
        &format!("{case}/after.json"),
    ]);
    command
        .env_clear()
        .env("TERM", "xterm")
        .envs(environment.iter().copied());
    command
}

fn through_a_pipe(environment: &[(&str, &str)]) -> String {
    String::from_utf8(ours(environment).output().unwrap().stdout).unwrap()
}

fn at_a_terminal(environment: &[(&str, &str)]) -> String {
    let pair = openpty(None, None).unwrap();
    let mut child = ours(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::from(pair.slave.try_clone().unwrap()))
        .stderr(Stdio::from(pair.slave))
        .spawn()
        .unwrap();
    // It ends with an error when the last who writes is gone.
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    let mut terminal = File::from(pair.master);
    while let Ok(length @ 1..) = terminal.read(&mut buffer) {
        said.extend_from_slice(&buffer[..length]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(said).unwrap()
}

fn is_coloured(text: &str) -> bool {
    assert!(text.contains("rs"), "{text}");
    text.contains('\u{1b}')
}

#[test]
fn a_terminal_has_colours_and_a_pipe_has_none() {
    assert!(is_coloured(&at_a_terminal(&[])));
    assert!(!is_coloured(&through_a_pipe(&[])));
}

#[test]
fn who_wants_no_colours_has_none() {
    assert!(!is_coloured(&at_a_terminal(&[("NO_COLOR", "1")])));
    assert!(!is_coloured(&at_a_terminal(&[("CLICOLOR", "0")])));
    assert!(!is_coloured(&at_a_terminal(&[("TERM", "dumb")])));
    // Set and empty is not set.
    assert!(is_coloured(&at_a_terminal(&[("NO_COLOR", "")])));
}

#[test]
fn who_wants_colours_in_a_pipe_has_them() {
    assert!(is_coloured(&through_a_pipe(&[("CLICOLOR_FORCE", "1")])));
    assert!(!is_coloured(&through_a_pipe(&[("CLICOLOR_FORCE", "")])));
    let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(!is_coloured(&through_a_pipe(&both)));
}
