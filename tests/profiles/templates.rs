//! Templates: what they may say, and what is said about bad ones.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cluster, files};

/// The file of `rs1` by a template of these lines.
fn made(target: &str, lines: &[&str], more: &[(&str, Value)]) -> Result<String, String> {
    let mut fields = vec![
        ("name", json!("web")),
        ("url", json!("http://10.0.0.1/")),
        ("template", json!(lines)),
    ];
    fields.extend_from_slice(more);
    let files = files(&cluster(target, &fields))?;
    Ok(files.into_values().next().unwrap())
}

fn said(lines: &[&str]) -> String {
    made("rhel9", lines, &[]).expect_err("it is refused")
}

#[test]
fn the_shells_own_marks_pass_untouched() {
    let shell = "a=(1 2); echo ${#a[@]} ${a[0]} {{ }} {% %} {# #} %{http_code} [[ -n $x ]] << EOF";
    assert_eq!(
        made("debian13", &[shell], &[]).unwrap(),
        format!("{shell}\n")
    );
}

#[test]
fn nothing_is_read_that_was_not_given() {
    let bad = said(&["<%= nope %>"]);
    assert_eq!(
        bad,
        "netboot.kickstart[0].template[0]: for rs1: undefined value; the values are machine, profile, director, \
         domain, realServers, vips, openPorts, rootPassword\n"
    );
    assert!(
        said(&["x", "", "<%= machine.nope %>"]).starts_with("netboot.kickstart[0].template[2]: ")
    );
    for lines in [
        &["<% include '/etc/passwd' %>"][..],
        &["<% import '/etc/passwd' as x %>"],
        &["<% extends '/etc/passwd' %>"],
        &["<%= rootPassword %>"],
        &["<%= machine.__class__ %>"],
        &["<%= range(3) %>"],
        &["<%= machine.name | safe %>"],
        &["<% if %>"],
        &["<% for x in vips %>"],
        &["<%= machine.name | ks(1) %>"],
        &["<%= profile.packages | ks %>"],
        &["<%= 'a\\nb' | ks %>"],
    ] {
        assert!(said(lines).contains(".template["), "{lines:?}");
    }
}

#[test]
fn endless_work_ends() {
    let loops = ["<% for a in profile.post %>"; 9].concat();
    let ends = ["<% endfor %>"; 9].concat();
    let lines: Vec<String> = (0..50).map(|it| it.to_string()).collect();
    let long = format!("{loops}x{ends}");
    let bad = made("rhel9", &[&long], &[("post", json!(lines))]).unwrap_err();
    assert!(bad.contains("shorten its loops"), "{bad}");
}

/// Every wrong section of a file, each once, and no file that fetches another.
#[test]
fn sections_are_looked_at_after_rendering() {
    let bad = said(&[
        "%end",
        "%post",
        "echo",
        "%pre",
        "%end",
        "%include /x",
        "\t%ksappend http://x",
        "%packages",
    ]);
    let lines: Vec<&str> = bad.lines().collect();
    let found = ["line 1 ", "line 4 ", "line 6 ", "line 7 ", "line 8 "];
    assert_eq!(lines.len(), found.len(), "{bad}");
    for found in found {
        assert!(lines.iter().any(|it| it.contains(found)), "{found}: {bad}");
    }
    // The same by a value: no line of the template begins so.
    let bad = said(&["<%= '%' ~ 'include /etc/shadow' %>"]);
    assert!(bad.contains("has %include"), "{bad}");
}

#[test]
fn the_hash_is_a_reference_here_too() {
    let hash = ("rootPasswordFile", json!("/etc/x"));
    let made = |lines: &[&str]| made("rhel9", lines, std::slice::from_ref(&hash));
    assert_eq!(
        made(&["rootpw --iscrypted <%= rootPassword %>"]).unwrap(),
        "rootpw --iscrypted (secret)\n"
    );
    // Whatever a template does with it, what it has is a mark.
    let bad = made(&["<%= rootPassword %><%= nope %>"]).unwrap_err();
    assert!(
        !bad.contains('\u{e000}') && !bad.contains("/etc/x"),
        "{bad}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// `ks` makes one word of anything.
    #[test]
    fn a_quoted_value_is_one_word(line in "[ -~]{0,20}|[^\\p{C}]{0,8}") {
        let lines = ["echo <%= (profile.post | join('')) | ks %> end"];
        if let Ok(text) = made("debian13", &lines, &[("post", json!([line]))]) {
            prop_assert_eq!(shell_words::split(text.trim_end_matches('\n')).unwrap(), ["echo", &line, "end"]);
        }
    }
}

/// A hundred machines have one template: what is wrong with it is said once.
#[test]
fn a_bad_template_is_refused_once() {
    let mut cluster = cluster(
        "rhel9",
        &[
            ("name", json!("web")),
            ("url", json!("http://10.0.0.1/")),
            ("template", json!(["<%= nope %>"])),
        ],
    );
    let servers = (11..111).map(|it| json!({ "name": format!("rs{it}x"), "address": format!("10.0.0.{it}"), "mac": format!("02:00:00:00:00:{it:02x}") }));
    cluster["realServers"] = servers.collect();
    assert_eq!(files(&cluster).unwrap_err().lines().count(), 1);
    cluster["netboot"]["kickstart"][0]["template"] = json!([
        "<% for it in realServers %>",
        "<%= it.name %>",
        "<% endfor %>"
    ]);
    let files = files(&cluster).unwrap();
    assert!(files.len() == 200 && files.values().all(|it| it.lines().count() == 100));
}
