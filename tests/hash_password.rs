//! `hash-password`, as it is called: the hash is the one that openssl makes, and the password is seen nowhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use nix::pty::openpty;

fn hash_password(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lvs-reconcile"));
    command.arg("hash-password").args(arguments);
    command
}

/// With the password on standard input.
fn given(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = hash_password(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What is too long is refused before all of it was read.
    match child.stdin.take().unwrap().write_all(input) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
        _ => {}
    }
    child.wait_with_output().unwrap()
}

/// What openssl makes of the same password, with the salt and the rounds of a hash.
fn by_openssl(hash: &str, password: &str) -> String {
    let (salt, _) = hash
        .strip_prefix("$6$")
        .and_then(|it| it.rsplit_once('$'))
        .unwrap();
    let arguments = ["passwd", "-6", "-salt", salt, "-stdin"];
    let mut openssl = Command::new("openssl");
    openssl
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = openssl.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(password.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_hash_is_that_of_openssl() {
    let long = "a long one ".repeat(20);
    for (password, arguments) in [
        ("secret", &[][..]),
        (" with spaces, a 'quote' and \"ümläuts\" ", &[]),
        (long.as_str(), &[]),
        ("secret", &["--rounds", "10000"]),
    ] {
        for end in ["\n", ""] {
            let output = given(arguments, format!("{password}{end}").as_bytes());
            let hash = String::from_utf8(output.stdout).unwrap();
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{password:?}"
            );
            assert_eq!(hash, by_openssl(hash.trim_end(), password), "{password:?}");
        }
    }
}

#[test]
fn each_hash_has_its_own_salt() {
    let one = given(&[], b"secret\n").stdout;
    assert_ne!(one, given(&[], b"secret\n").stdout);
    assert_eq!(one.split(|it| *it == b'$').nth(2).unwrap().len(), 16);
}

#[test]
fn what_is_no_password_is_refused_and_not_shown() {
    let long = "x".repeat(600);
    let bad = ["", "\n", "sec\tret\n", "sec\0ret\n", "sec\r\n", &long];
    for input in bad {
        let output = given(&[], input.as_bytes());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{input:?}");
        assert!(
            output.stdout.is_empty() && !said.contains("sec") && !said.contains("xx"),
            "{said}"
        );
    }
    // As an argument everybody could read it: there is no such argument.
    let output = given(&["secret"], b"secret\n");
    assert_eq!(output.status.code(), Some(1));
}

/// What a person at a terminal sees while typing these lines, one for each prompt, and what comes out.
fn typed(lines: &[&str]) -> (String, Output) {
    let pty = openpty(None, None).unwrap();
    let (mut person, terminal) = (File::from(pty.master), pty.slave);
    let before = nix::sys::termios::tcgetattr(&terminal).unwrap();
    let child = hash_password(&[])
        .stdin(terminal.try_clone().unwrap())
        .stderr(terminal.try_clone().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = String::new();
    for line in lines {
        while !seen.ends_with(": ") {
            let mut bytes = [0; 256];
            let length = person.read(&mut bytes).unwrap();
            seen.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        }
        seen.push('|');
        person.write_all(line.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(nix::sys::termios::tcgetattr(&terminal).unwrap(), before);
    let mut rest = [0; 1024];
    let length = person.read(&mut rest).unwrap();
    seen.push_str(std::str::from_utf8(&rest[..length]).unwrap());
    (seen, output)
}

#[test]
fn a_terminal_shows_nothing_and_is_asked_twice() {
    let (seen, output) = typed(&["secret\n", "secret\n"]);
    let hash = String::from_utf8(output.stdout).unwrap();
    assert_eq!(seen, "Password: |\r\nThe same again: |\r\n");
    assert_eq!(hash, by_openssl(hash.trim_end(), "secret"));
}

#[test]
fn two_that_differ_and_an_interrupt_are_refused() {
    let (seen, output) = typed(&["secret\n", "secreT\n"]);
    assert!(
        output.stdout.is_empty() && seen.contains("not the same"),
        "{seen}"
    );
    let (seen, output) = typed(&["sec\u{3}"]);
    assert!(
        output.stdout.is_empty() && seen.contains("interrupted"),
        "{seen}"
    );
    assert!(!seen.contains("sec"), "{seen}");
}
