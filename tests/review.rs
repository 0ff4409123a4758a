//! The ready workflows of `examples/`: their steps, run as they stand there on a repository of one's own. What talks to
//! the forge is played by scripts that keep books.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The blocks of a workflow that are scripts, in their order: what stands deeper behind a line that ends in `|`.
fn scripts(workflow: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(workflow)).unwrap();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let begins =
        (0..lines.len()).filter(|at| lines[*at].ends_with("run: |") || lines[*at].ends_with("- |"));
    begins
        .map(|at| {
            let outer = depth(lines[at]);
            let inside = lines[at + 1..]
                .iter()
                .take_while(|it| depth(it) > outer || it.is_empty());
            inside.map(|it| it.trim_start().to_owned() + "\n").collect()
        })
        .collect()
}

/// A repository in which one commit follows another, and commands that note how they were called.
fn repository(before: &str, after: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let git = "git -c user.name=a -c user.email=a@example.org";
    let commit = format!("git add cluster.json && {git} commit -qm change");
    fs::write(dir.path().join("before"), before).unwrap();
    fs::write(dir.path().join("after"), after).unwrap();
    run(
        dir.path(),
        &format!(
            "git init -q; cp before cluster.json && {commit} && cp after cluster.json && {commit}"
        ),
        &[],
    );
    fs::create_dir(dir.path().join("bin")).unwrap();
    for (name, answer) in [
        ("gh", "[ -z \"$ANSWER\" ] || printf '%s\\n' \"$ANSWER\""),
        ("curl", "[ -z \"$ANSWER\" ] || printf '%s\\n' \"$ANSWER\""),
    ] {
        let path = dir.path().join("bin").join(name);
        fs::write(
            &path,
            format!("#!/bin/sh\necho \"{name} $*\" >>called\n{answer}\n"),
        )
        .unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

fn run(at: &Path, script: &str, environment: &[(&str, &str)]) {
    let ours = Path::new(env!("CARGO_BIN_EXE_lvs-reconcile"))
        .parent()
        .unwrap();
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        at.join("bin").display(),
        ours.display()
    );
    let ran = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", script])
        .current_dir(at)
        .env("PATH", path)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn document(weight: u32) -> String {
    let text = include_str!("../examples/howto.json");
    text.replacen("\"weight\": 3", &format!("\"weight\": {weight}"), 1)
}

fn read(at: &Path, name: &str) -> String {
    fs::read_to_string(at.join(name)).unwrap()
}

fn on_github(answer: &str) -> (String, String) {
    let dir = repository(&document(3), &document(5));
    let environment = [
        ("NUMBER", "7"),
        ("GITHUB_REPOSITORY", "us/cluster"),
        ("GITHUB_STEP_SUMMARY", "summary.md"),
        ("ANSWER", answer),
    ];
    let scripts = scripts("examples/github-actions/lvs-reconcile.yml");
    assert_eq!(scripts.len(), 3, "{scripts:?}");
    for script in scripts {
        run(dir.path(), &script, &environment);
    }
    let comment = read(dir.path(), "comment.md");
    assert_eq!(comment, read(dir.path(), "summary.md"));
    (comment, read(dir.path(), "called"))
}

#[test]
fn a_pull_request_on_github_gets_one_comment() {
    let (comment, called) = on_github("");
    assert!(
        comment.contains("**1 change, no connection is cut**"),
        "{comment}"
    );
    assert!(comment.contains("weight 3 → 5"), "{comment}");
    let last = |called: &str| called.lines().last().unwrap().to_owned();
    let new = "gh api repos/us/cluster/issues/7/comments -F body=@comment.md";
    assert_eq!(last(&called), new);
    let (_, called) = on_github("4");
    let again = "gh api --method PATCH repos/us/cluster/issues/comments/4 -F body=@comment.md";
    assert_eq!(last(&called), again);
}

fn on_gitlab(answer: &str, base: &str) -> (String, String) {
    let dir = repository(&document(3), &document(5));
    let environment = [
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base),
        ("CI_API_V4_URL", "https://forge.example/api/v4"),
        ("CI_PROJECT_ID", "1"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("LVS_NOTE_TOKEN", "token"),
        ("ANSWER", answer),
    ];
    let scripts = scripts("examples/gitlab-ci/lvs-reconcile.gitlab-ci.yml");
    assert_eq!(scripts.len(), 3, "{scripts:?}");
    for script in scripts {
        run(dir.path(), &script, &environment);
    }
    (read(dir.path(), "comment.md"), read(dir.path(), "called"))
}

#[test]
fn a_merge_request_on_gitlab_gets_one_note() {
    let (comment, called) = on_gitlab("[{\"id\": 3, \"body\": \"fine\"}]", "HEAD~1");
    assert!(
        comment.starts_with("<!-- lvs-reconcile -->\n### `diff` dir1\n"),
        "{comment}"
    );
    let last = called.lines().last().unwrap();
    assert!(
        last.ends_with(
            "--form body=<comment.md https://forge.example/api/v4/projects/1/merge_requests/7/notes"
        ),
        "{called}"
    );
    let ours = "[{\"id\": 3, \"body\": \"fine\"}, {\"id\": 4, \"body\": \"<!-- lvs-reconcile -->\\n### old\"}]";
    let (_, called) = on_gitlab(ours, "HEAD~1");
    let last = called.lines().last().unwrap();
    assert!(
        last.contains("--request PUT") && last.ends_with("/notes/4"),
        "{called}"
    );
}

/// The document is new.
#[test]
fn a_first_document_is_all_new() {
    let (comment, _) = on_gitlab("[]", "HEAD~5");
    assert!(
        comment.contains("30 create, 2 update, 0 delete"),
        "{comment}"
    );
}
