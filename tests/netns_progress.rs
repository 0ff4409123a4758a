//! What somebody at the terminal sees while he waits, and that nothing of it stays. In namespaces of its own; without
//! root it fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at once"
)]

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[allow(dead_code, reason = "each test program draws from it what it needs")]
mod machine;

use machine::on_the_machine;

/// A packet filter that takes its time; so does every look, then.
const SLOW: &str = r#"
cp /usr/sbin/nft /mnt/nft.real
printf '#!/bin/sh\nsleep 0.7\nexec /mnt/nft.real "$@"\n' > /mnt/nft
chmod +x /mnt/nft; mount --bind /mnt/nft /usr/sbin/nft
export TERM=xterm
at_terminal() { script -qec "$1" /dev/null; }
"#;

/// Runs it on a slow machine; all that was written.
fn written(script: &str) -> String {
    let (code, text) = on_the_machine(&format!("{SLOW}\n{script}"));
    assert_eq!(code, 0, "{text}");
    text
}

/// What stands on the screen when all of this was written to a terminal: of what a terminal can do, as much as we use.
fn screen(written: &str) -> String {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0, 0);
    let mut rest = written.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => {
                (row, column) = (row + 1, 0);
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\u{1b}' => {
                assert_eq!(rest.next(), Some('['), "{written:?}");
                let mut code = String::new();
                let command = loop {
                    match rest.next().unwrap() {
                        it if it.is_ascii_alphabetic() => break it,
                        it => code.push(it),
                    }
                };
                match (command, code.as_str()) {
                    ('m', _) => {}
                    ('K', "2") => lines[row].clear(),
                    ('K', "" | "0") => lines[row].truncate(column),
                    ('A', up) => row -= up.parse::<usize>().unwrap_or(1),
                    other => panic!("nobody knows {other:?} in {written:?}"),
                }
            }
            c => {
                let line: &mut Vec<char> = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    let lines = lines
        .into_iter()
        .map(|it| it.into_iter().collect::<String>());
    lines.map(|it| it.trim_end().to_owned() + "\n").collect()
}

/// Words of the line, none of which is in a plan or in a report.
const WORDS: [&str; 2] = ["looking at the machine", "step "];

#[test]
fn at_a_terminal_it_is_said_what_is_waited_for_and_nothing_of_it_stays() {
    let all = written(r#"at_terminal "$LVS apply --yes""#);
    let seen = screen(&all);
    for words in [
        "looking at the machine",
        "step 1 of 7: nftables inet lvs_reconcile",
    ] {
        assert!(all.contains(words), "nothing says {words:?}:\n{all}");
    }
    let plain = written("lvs apply --yes");
    assert_eq!(seen.trim_end(), plain.trim_end(), "{all:?}");
}

#[test]
fn what_is_taken_back_is_said_to_be() {
    let all = written(
        r#"mount -t tmpfs -o ro tmpfs /etc/sysctl.d
        at_terminal "$LVS apply --yes"; [ $? = 3 ]"#,
    );
    assert!(all.contains("taking back, step "), "{all}");
    assert!(all.contains(": nftables inet lvs_reconcile"), "{all}");
    assert!(!screen(&all).contains("taking back"), "{all}");
}

#[test]
fn without_a_terminal_or_when_it_is_to_be_quiet_nothing_is_said() {
    for script in [
        "lvs apply --yes",
        r#"at_terminal "$LVS apply --yes 2>/mnt/error"; cat /mnt/error"#,
        r#"at_terminal "$LVS apply --yes -q""#,
        r#"TERM=dumb at_terminal "$LVS apply --yes""#,
    ] {
        let all = written(script);
        for words in WORDS {
            assert!(!all.contains(words), "{script} says {words:?}:\n{all}");
        }
        assert!(!all.contains("\u{1b}[2K"), "{script}: {all:?}");
    }
}

/// What takes no time is not spoken of, and a program reads what it asked for.
#[test]
fn what_is_fast_is_not_spoken_of_and_data_are_whole() {
    let all = written(
        r#"umount /usr/sbin/nft
        at_terminal "$LVS plan""#,
    );
    assert!(!WORDS.iter().any(|it| all.contains(it)), "{all:?}");
    let all = written(
        r#"lvs apply --yes >/dev/null
        at_terminal "$LVS plan --format json >/mnt/plan"; jq -r .command /mnt/plan"#,
    );
    assert!(all.contains("looking at the machine"), "{all:?}");
    assert_eq!(screen(&all).trim(), "plan");
}
