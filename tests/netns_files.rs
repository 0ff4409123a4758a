//! Files of one's own and ssh, on a director with directories of its own: written, kept, put right, removed.

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[allow(dead_code, reason = "shared with other programs")]
mod machine;

use machine::on_the_machine_with;

/// A director, two machines that are installed, and a file of each sort.
const DOCUMENT: &str = r#"{
  "version": 1,
  "domain": "cluster.example",
  "directors": [{ "name": "dir1", "interfaces": [
    { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] },
    { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24"] }
  ] }],
  "realServers": [
    { "name": "rs1", "address": "10.0.0.11", "mac": "02:00:00:00:00:11" },
    { "name": "rs2", "address": "10.0.0.12" }
  ],
  "netboot": { "kickstart": [{ "name": "p", "target": "rhel9", "url": "http://10.0.0.1/x" }] },
  "etcHosts": true,
  "ssh": { "publicKey": "/root/.ssh/id_ed25519.pub" },
  "files": [
    { "path": "/root/.screenrc", "mode": "0600", "template": [
      "screen -t <%= director.name %> 0",
      "<% for server in realServers %>",
      "screen -t <%= server.name %> <%= loop.index %> ssh <%= server.name %>",
      "<% endfor %>"
    ] },
    { "path": "/root/made/for/it", "owner": "daemon", "group": "adm", "content": ["a", "\tb"] }
  ]
}"#;

/// Another root: the machine's programs, and an `/etc`, a `/root` and everything above them of its own.
const ROOM: &str = r#"
mkdir /mnt/r && mount -t tmpfs -o mode=0755 tmpfs /mnt/r
for it in /*; do
  if [ -L "$it" ]; then cp -a "$it" /mnt/r/
  elif [ "$it" = /etc ]; then cp -a /etc /mnt/r/
  elif [ -d "$it" ] && [ "$it" != /root ] && [ "$it" != /kickstart ]; then
    way=--rbind; [ "$it" != /mnt ] || way=--bind
    mkdir "/mnt/r$it" && mount $way "$it" "/mnt/r$it"
  fi
done
rm -rf /mnt/r/etc/ssh /mnt/r/etc/cloud && mkdir -p /mnt/r/etc/cloud && mkdir -m 700 -p /mnt/r/root/.ssh
printf '127.0.0.1 localhost\n127.0.1.1 dir1\n' >/mnt/r/etc/hosts
key() { ssh-keygen -q -t ed25519 -N '' -C root@dir1 -f /root/.ssh/id_ed25519; }
export -f lvs key
exec chroot /mnt/r bash -ec "#;

#[track_caller]
fn assert_ends(script: &str, code: i32, says: &[&str]) -> String {
    let script = format!("{ROOM}{}", shell_words::quote(script));
    let (ended, text) = on_the_machine_with(DOCUMENT, &script);
    assert_eq!(ended, code, "{text}");
    for words in says {
        assert!(text.contains(words), "nothing says {words:?}:\n{text}");
    }
    text
}

#[test]
fn files_are_written_and_the_second_run_does_nothing() {
    assert_ends(
        r#"key; lvs apply --yes; lvs apply --yes; lvs plan --detailed-exitcode
        printf 'screen -t dir1 0\nscreen -t rs1 1 ssh rs1\nscreen -t rs2 2 ssh rs2\n' | cmp - /root/.screenrc
        printf 'a\n\tb\n' | cmp - /root/made/for/it
        stat -c '%n %a %U:%G' /root/.screenrc /root/made/for/it /root/made /etc/ssh/ssh_config.d/lvs-reconcile.conf
        ssh -G -F /etc/ssh/ssh_config.d/lvs-reconcile.conf rs2 | grep -E '^(hostname|user) '
        ssh -G -F /etc/ssh/ssh_config.d/lvs-reconcile.conf rs1.cluster.example | grep -E '^hostname '
        grep -cFf /root/.ssh/id_ed25519.pub /kickstart/rs1.cfg"#,
        0,
        &[
            "Nothing to do",
            "/root/.screenrc 600 root:root",
            "/root/made/for/it 644 daemon:adm",
            "/root/made 755 root:root",
            "lvs-reconcile.conf 644 root:root",
            "user root\nhostname 10.0.0.12\n",
            "hostname 10.0.0.11\n1\n",
        ],
    );
}

#[test]
fn drift_is_shown_and_put_right() {
    assert_ends(
        r#"key; lvs apply --yes >/dev/null
        chmod 644 /root/.screenrc; chown root:root /root/made/for/it; lvs plan
        echo evil >>/root/.screenrc; lvs plan; lvs plan --diff; lvs apply --yes
        stat -c '%n %a %U:%G' /root/.screenrc /root/made/for/it; grep -c evil /root/.screenrc || true
        lvs plan --detailed-exitcode"#,
        0,
        &[
            "/root/.screenrc    mode 0644 → 0600",
            "owner root:root → daemon:adm",
            "+0 −1 lines, mode 0644 → 0600",
            "-evil",
            "/root/.screenrc 600 root:root\n/root/made/for/it 644 daemon:adm\n0\n",
        ],
    );
}

/// With the entry goes the file, and the directories that were made for it; rollback brings both back as they were.
#[test]
fn what_is_wanted_no_longer_goes() {
    assert_ends(
        r#"key; lvs apply --yes >/dev/null; cp /mnt/cluster.json /mnt/before.json
        sed -i 's/^  "ssh": .*/  "ssh": { "config": false },/; /"files": \[/,/^  \]/d; s/"config": false },/"config": false }/' /mnt/cluster.json
        lvs apply --yes; find /root /etc/ssh /kickstart -not -path '/root/.ssh*' | sort
        lvs plan --detailed-exitcode; echo; lvs rollback --yes
        stat -c '%n %a %U:%G' /root/.screenrc /root/made/for/it; ls /etc/ssh/ssh_config.d
        lvs plan --detailed-exitcode /mnt/before.json"#,
        0,
        &[
            "- file        /root/.screenrc",
            "\n/root\nlvs-reconcile plan",
            "/root/.screenrc 600 root:root\n/root/made/for/it 644 daemon:adm\nlvs-reconcile.conf\n",
        ],
    );
}

/// What stood there is nobody else's to lose: it is a conflict until it is adopted, and a rollback gives it back.
#[test]
fn what_stands_there_is_not_overwritten() {
    assert_ends(
        r#"key; echo mine >/root/.screenrc; chown daemon:daemon /root/.screenrc; chmod 640 /root/.screenrc
        lvs apply --yes && exit 9; cat /root/.screenrc
        lvs apply --yes --adopt 'file /root/.screenrc'; head -n 1 /root/.screenrc; lvs rollback --yes
        cat /root/.screenrc; stat -c '%a %U:%G' /root/.screenrc"#,
        0,
        &[
            "--adopt",
            "mine\n",
            "screen -t dir1 0\n",
            "mine\n640 daemon:daemon\n",
        ],
    );
    // The same content is used as it is, and left there.
    assert_ends(
        r#"key; lvs apply --yes >/dev/null; cp -a /root/.screenrc /mnt/kept; lvs destroy --yes >/dev/null
        cp -a /mnt/kept /root/.screenrc; lvs apply --yes >/dev/null; lvs destroy --yes >/dev/null; cmp /mnt/kept /root/.screenrc"#,
        0,
        &[],
    );
}

/// A package's own file, as it came, is kept beside ours and comes back with its mode.
#[test]
fn a_packages_own_file_comes_back() {
    assert_ends(
        r#"key; sed -i 's:/root/made/for/it:/etc/deluser.conf:' /mnt/cluster.json; cp -a /etc/deluser.conf /mnt/shipped
        lvs apply --yes; stat -c '%n %a %U:%G' /etc/deluser.conf; printf 'a\n\tb\n' | cmp - /etc/deluser.conf; lvs apply --yes
        cmp /mnt/shipped /etc/deluser.conf.lvs-reconcile-original
        lvs destroy --yes; cmp /mnt/shipped /etc/deluser.conf; stat -c '%n %a %U:%G' /etc/deluser.conf
        ls /etc/deluser*"#,
        0,
        &[
            "replaces the package's own",
            "/etc/deluser.conf 644 daemon:adm\n",
            "Nothing to do",
            "/etc/deluser.conf 644 root:root\n/etc/deluser.conf\n",
        ],
    );
}

/// A directory or a link is not ours to replace, and what is written through a link would be elsewhere.
#[test]
fn only_a_file_is_a_file() {
    assert_ends(
        "key; mkdir /root/.screenrc; lvs apply --yes",
        1,
        &["/root/.screenrc: it is a directory"],
    );
    assert_ends(
        "key; echo x >/root/there; ln -s there /root/.screenrc; code=0; lvs apply --yes || code=$?; cat /root/there; exit $code",
        1,
        &["/root/.screenrc: it is a symbolic link", "\nx\n"],
    );
}

#[test]
fn an_account_that_is_not_there_is_refused_before_anything_changes() {
    assert_ends(
        r#"key; sed -i 's/"daemon"/"nobody-here"/' /mnt/cluster.json; lvs plan
        code=0; lvs apply --yes || code=$?; ip -br addr show eth0 | grep -c 192.0.2.2 || true; ls -A /root; exit $code"#,
        1,
        &[
            "+ file        /root/made/for/it",
            "no user is called nobody-here; make it with useradd",
            "\n0\n.ssh\n",
        ],
    );
}

#[test]
fn a_key_is_read_where_it_is_and_judged() {
    let missing = "ssh.publicKey: there is no /root/.ssh/id_ed25519.pub on this director; make one with: ssh-keygen -t ed25519 -f /root/.ssh/id_ed25519";
    assert_ends("lvs plan", 1, &[missing]);
    assert_ends(
        "key; chmod 666 /root/.ssh/id_ed25519.pub; lvs apply --yes",
        1,
        &["can be written by others"],
    );
    assert_ends(
        "key; chown daemon /root/.ssh; lvs plan",
        1,
        &["/root/.ssh belongs to user 1"],
    );
    assert_ends(
        "key; mv /root/.ssh/id_ed25519 /root/.ssh/id_ed25519.pub; lvs plan",
        1,
        &["does not start with a type of keys"],
    );
    // What it says instead is nobody's business.
    let said = assert_ends(
        "echo top secret >/root/.ssh/id_ed25519.pub; lvs plan",
        1,
        &["does not start with"],
    );
    assert!(!said.contains("top"), "{said}");
    // Off the director nobody looks.
    assert_ends(
        "lvs validate && lvs render --to /mnt/out && cat /mnt/out/kickstart/rs1.cfg",
        0,
        &[
            "its public key, is not known here",
            "sshkey --username=root '(the key in /root/.ssh/id_ed25519.pub)'",
        ],
    );
}

#[test]
fn others_of_the_hosts_file_are_pointed_out() {
    let stale = "/etc/hosts has 10.9.9.9 for rs2 beside our lines";
    let rewritten = "cloud-init writes /etc/hosts anew at every boot, without our lines; set manage_etc_hosts to false in /etc/cloud/cloud.cfg";
    let quiet = assert_ends("key; lvs apply --yes; lvs plan", 0, &[]);
    assert!(
        !quiet.contains("beside our lines") && !quiet.contains("cloud-init"),
        "{quiet}"
    );
    assert_ends(
        r#"key; echo 'manage_etc_hosts: true' >/etc/cloud/cloud.cfg; echo '10.9.9.9 RS2 # old' >>/etc/hosts
        lvs apply --yes; cat /etc/hosts; lvs destroy --yes >/dev/null; cat /etc/hosts"#,
        0,
        &[
            stale,
            rewritten,
            "127.0.1.1 dir1\n10.9.9.9 RS2 # old\n# lvs-reconcile: begin",
            "# lvs-reconcile: end\n127.0.0.1 localhost\n127.0.1.1 dir1\n10.9.9.9 RS2 # old\n",
        ],
    );
    let told = assert_ends(
        "key; echo 'manage_etc_hosts: true' >/etc/cloud/cloud.cfg; mkdir /etc/cloud/cloud.cfg.d
        echo 'manage_etc_hosts: false' >/etc/cloud/cloud.cfg.d/99.cfg; lvs plan",
        0,
        &[],
    );
    assert!(!told.contains("cloud-init"), "{told}");
}
