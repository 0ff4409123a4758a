//! The files of an installation, read by their grammars, and compared with the profile as it was written.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Every file says what the profile says, and there is nothing in it that it does not.
pub fn assert_says(profile: &Value, files: &BTreeMap<String, String>) {
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    match names.as_slice() {
        ["10.0.0.11-kickstart", "rs1.cfg"] => {
            assert_eq!(files["10.0.0.11-kickstart"], files["rs1.cfg"]);
            kickstart(profile, &files["rs1.cfg"]);
        }
        ["rs1.preseed"] => preseed(profile, &files["rs1.preseed"]),
        ["rs1/meta-data", "rs1/user-data"] => autoinstall(profile, &json(&files["rs1/user-data"])),
        other => panic!("{other:?}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map_or(Vec::new(), |it| it.iter().map(text).collect())
}

/// A script as it was meant.
fn script(lines: &Value) -> String {
    texts(lines).iter().map(|it| format!("{it}\n")).collect()
}

/// What mounts the one directory.
fn fstab(profile: &Value) -> String {
    let mount = &profile["mounts"][0];
    let (source, at) = (text(&mount["export"]), text(&mount["at"]));
    format!("mkdir -p {at}\necho '10.0.0.1:{source} {at} nfs ro,_netdev,nofail 0 0' >>/etc/fstab\n")
}

/// The lines of Python: pykickstart splits by these.
fn lines(text: &str) -> Vec<&str> {
    let ends = |c| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    text.strip_suffix('\n')
        .expect("a last line")
        .split(ends)
        .collect()
}

/// Commands, then sections, as pykickstart finds them.
fn kickstart(profile: &Value, text: &str) {
    let mut commands = Vec::new();
    let mut sections: Vec<(&str, String)> = Vec::new();
    let mut open = false;
    for line in lines(text) {
        let first = line.split_whitespace().next().unwrap_or_default();
        match (open, first) {
            (true, "%end") => open = false,
            (true, word) if word.starts_with("%ksappend") => panic!("{line:?}"),
            (
                true,
                "%include" | "%pre" | "%post" | "%packages" | "%addon" | "%onerror" | "%traceback",
            ) => {
                panic!("{line:?}")
            }
            (true, _) => sections.last_mut().unwrap().1.extend([line, "\n"]),
            (false, "%pre" | "%post" | "%packages") => {
                open = true;
                sections.push((line, String::new()));
            }
            (false, "") => {}
            (false, _) if line.starts_with('#') => {}
            (false, _) => commands.push(words(line)),
        }
    }
    assert!(!open, "a section has no end");
    assert_commands(profile, &commands);
    assert_sections(profile, &sections);
}

/// shlex.split(line, comments=True): a `#` begins a comment anywhere outside of quotes, so that none may be there.
fn words(line: &str) -> Vec<String> {
    assert!(!line.contains('#'), "{line:?}");
    shell_words::split(line).expect("closed quotes")
}

fn assert_commands(profile: &Value, commands: &[Vec<String>]) {
    let of = |name: &str| {
        let found = commands.iter().filter(|it| it[0] == name);
        found.map(|it| it[1..].to_vec()).collect::<Vec<_>>()
    };
    let one = |name: &str, arguments: &[String]| assert_eq!(of(name), [arguments], "{name}");
    let (keyboard, disk) = (text(&profile["keyboard"]), text(&profile["disk"]));
    one("lang", &[text(&profile["language"]).into()]);
    one(
        "keyboard",
        &[
            format!("--vckeymap={keyboard}"),
            format!("--xlayouts={keyboard}"),
        ],
    );
    one("url", &[format!("--url={}", text(&profile["url"]))]);
    one("rootpw", &["--iscrypted".into(), "(secret)".into()]);
    one("ignoredisk", &[format!("--only-use={disk}")]);
    one(
        "services",
        &[format!(
            "--enabled={}",
            texts(&profile["enabledServices"]).join(",")
        )],
    );
    let repository = &profile["repositories"][0];
    let (name, url) = (text(&repository["name"]), text(&repository["url"]));
    one(
        "repo",
        &[format!("--name={name}"), format!("--baseurl={url}")],
    );
    let (zone, server) = (text(&profile["timezone"]), text(&profile["ntpServers"][0]));
    let old = matches!(text(&profile["target"]), "rhel7" | "rhel8");
    let option = old.then(|| format!("--ntpservers={server}"));
    let zone: Vec<String> = [zone.into(), "--utc".into()]
        .into_iter()
        .chain(option)
        .collect();
    one("timezone", &zone);
    let sources: Vec<Vec<String>> = (!old)
        .then(|| vec![format!("--ntp-server={server}")])
        .into_iter()
        .collect();
    assert_eq!(of("timesource"), sources);
    let key = (profile["target"] != "rhel7").then(|| {
        vec![
            "--username=root".into(),
            text(&profile["sshKeys"][0]).into(),
        ]
    });
    assert_eq!(of("sshkey"), key.into_iter().collect::<Vec<Vec<String>>>());
    let partitions = profile["partitions"].as_array().unwrap().iter();
    let mounts: Vec<&str> = partitions.map(|it| text(&it["mount"])).collect();
    let parts = of("part");
    assert_eq!(
        parts.iter().map(|it| it[0].as_str()).collect::<Vec<_>>(),
        mounts
    );
    assert!(parts.iter().all(|it| it.len() == 4), "{parts:?}");
    // With a timesource of its own or not, with a key by command or not.
    let plain = 17 + mounts.len() + 3;
    assert_eq!(
        commands.len(),
        plain + usize::from(!old) + usize::from(profile["target"] != "rhel7"),
        "{commands:?}"
    );
}

fn assert_sections(profile: &Value, sections: &[(&str, String)]) {
    let packages: String = texts(&profile["packages"])
        .iter()
        .map(|it| format!("{it}\n"))
        .collect();
    let key = match text(&profile["target"]) {
        "rhel7" => keys(profile),
        _ => String::new(),
    };
    let mut wanted = vec![("%packages", format!("{packages}nfs-utils\n"))];
    wanted.push((
        "%pre --erroronfail --log=/tmp/ks-pre.log",
        script(&profile["pre"]),
    ));
    wanted.push((
        "%post --erroronfail --log=/root/ks-finish.log",
        format!("set -eu\n{key}{}", fstab(profile)),
    ));
    wanted.push((
        "%post --erroronfail --log=/root/ks-post.log",
        script(&profile["post"]),
    ));
    assert_eq!(sections, wanted);
}

fn keys(profile: &Value) -> String {
    let key = text(&profile["sshKeys"][0]);
    format!(
        "mkdir -p -m 700 /root/.ssh\ncat >>/root/.ssh/authorized_keys <<'KEYS'\n{key}\nKEYS\n\
         chmod 600 /root/.ssh/authorized_keys\n\
         ! command -v restorecon >/dev/null || restorecon -R /root/.ssh\n"
    )
}

/// `owner question type value`, where the value is the rest of the line; a backslash at its end would go on.
fn preseed(profile: &Value, text_: &str) {
    let mut answers = BTreeMap::new();
    for line in text_
        .split(['\n', '\r'])
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
    {
        assert!(!line.ends_with('\\'), "{line:?}");
        let mut words = line.splitn(4, [' ', '\t']);
        let owner = words.next().unwrap();
        assert!(
            ["d-i", "tasksel", "popularity-contest"].contains(&owner),
            "{line:?}"
        );
        let (question, _) = (words.next().unwrap(), words.next().unwrap());
        let before = answers.insert(question, words.next().unwrap_or_default());
        assert_eq!(before, None, "{question}");
    }
    assert_eq!(answers.len(), 34, "{answers:?}");
    let url = text(&profile["url"]).split_once("://").unwrap();
    let (host, path) = url.1.split_once('/').unwrap_or((url.1, ""));
    let device = format!("/dev/{}", text(&profile["disk"]));
    let packages = [texts(&profile["packages"]), vec!["nfs-common"]]
        .concat()
        .join(" ");
    for (question, value) in [
        ("debian-installer/locale", text(&profile["language"])),
        (
            "keyboard-configuration/xkb-keymap",
            text(&profile["keyboard"]),
        ),
        ("time/zone", text(&profile["timezone"])),
        ("clock-setup/ntp-server", text(&profile["ntpServers"][0])),
        ("mirror/protocol", url.0),
        (&format!("mirror/{}/hostname", url.0), host),
        (
            &format!("mirror/{}/directory", url.0),
            &format!("/{}", path.trim_end_matches('/')),
        ),
        ("passwd/root-password-crypted", "(secret)"),
        ("partman-auto/disk", &device),
        ("grub-installer/bootdev", &device),
        ("pkgsel/include", &packages),
    ] {
        assert_eq!(answers[question], value, "{question}");
    }
    let early = shell_words::split(answers["preseed/early_command"]).unwrap();
    assert_eq!(unprinted(&early[..3]), script(&profile["pre"]));
    assert_eq!(early[3..], [">/tmp/lvs-pre", "&&", "sh", "/tmp/lvs-pre"]);
    assert_late(profile, answers["preseed/late_command"]);
}

fn assert_late(profile: &Value, command: &str) {
    let late = shell_words::split(command).unwrap();
    let finish = format!(
        "set -eu\n{}{}{}",
        keys(profile),
        fstab(profile),
        enabled(profile)
    );
    assert_eq!(unprinted(&late[..3]), finish);
    let run = |file: &str| {
        [
            format!(">/target{file}"),
            "&&".into(),
            "in-target".into(),
            "sh".into(),
            file.to_owned(),
        ]
    };
    assert_eq!(late[3..8], run("/root/lvs-finish"));
    assert_eq!(late[8], "&&");
    assert_eq!(unprinted(&late[9..12]), script(&profile["post"]));
    assert_eq!(late[12..], run("/root/lvs-post"));
}

fn enabled(profile: &Value) -> String {
    texts(&profile["enabledServices"])
        .iter()
        .map(|it| format!("systemctl enable {it}\n"))
        .collect()
}

/// What `printf '%b' TEXT` writes.
fn unprinted(words: &[String]) -> String {
    assert_eq!(words[..2], ["printf", "%b"]);
    let mut written = String::new();
    let mut letters = words[2].chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => written.push(match letters.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                other => panic!("\\{other:?}"),
            }),
            (plain, false) => written.push(plain),
        }
    }
    written
}

/// YAML that is JSON, after its comments.
pub fn json(text: &str) -> Value {
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    serde_json::from_str(&lines.collect::<String>()).unwrap()
}

fn autoinstall(profile: &Value, read: &Value) {
    let it = &read["autoinstall"];
    let packages = [texts(&profile["packages"]), vec!["nfs-common"]].concat();
    let finish = format!("set -eu\n{}{}", fstab(profile), enabled(profile));
    let wanted = json!({
        "version": 1,
        "locale": profile["language"],
        "keyboard": { "layout": profile["keyboard"] },
        "timezone": profile["timezone"],
        "apt": { "primary": [{ "arches": ["default"], "uri": profile["url"] }] },
        "network": { "version": 2, "ethernets": { "nic0": { "match": { "macaddress": "02:00:00:00:00:11" }, "dhcp4": true } } },
        "storage": { "layout": { "name": "direct", "match": { "path": format!("/dev/{}", text(&profile["disk"])) } } },
        "ssh": { "install-server": true, "allow-pw": false },
        "packages": packages,
        "shutdown": "reboot",
        "early-commands": [["sh", "-c", script(&profile["pre"])]],
        "late-commands": [
            ["curtin", "in-target", "--", "sh", "-c", finish],
            ["curtin", "in-target", "--", "sh", "-c", script(&profile["post"])],
        ],
        "user-data": {
            "hostname": "rs1", "fqdn": "rs1.cluster.example", "disable_root": false,
            "ntp": { "enabled": true, "servers": profile["ntpServers"] },
            "users": [{
                "name": "root", "lock_passwd": false, "hashed_passwd": "(secret)",
                "ssh_authorized_keys": profile["sshKeys"],
            }],
        },
    });
    assert_eq!(*it, wanted);
}
