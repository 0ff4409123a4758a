//! The walls of the house, checked: who may touch the machine, and how long a function may be.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms that may name files, processes, sockets, clocks and the environment.
const AT_THE_EDGE: [&str; 11] = [
    "src/host/",
    "src/source/",
    "src/health/",
    "src/watch/",
    "src/ipvs/",
    "src/cli/",
    "src/main.rs",
    "src/session.rs",
    "src/resources/file/",
    "src/journal/",
    "src/surroundings.rs",
];
/// Single files that may, too.
const EDGE_FILES: [&str; 8] = [
    "confirm.rs",
    "observe.rs",
    "apply.rs",
    "verify.rs",
    "lock.rs",
    "store.rs",
    "sealed.rs",
    "trust.rs",
];
const TOUCHES: [&str; 10] = [
    "std::fs",
    "std::process",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os::unix::net",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "nix::",
];

#[test]
fn only_the_edge_touches_the_machine() {
    for path in sources() {
        let text = code(&path);
        let found: Vec<_> = TOUCHES
            .into_iter()
            .filter(|word| text.contains(word))
            .collect();
        assert!(
            found.is_empty() || is_edge(&path),
            "{} is pure, but names {found:?}",
            path.display()
        );
    }
}

#[test]
fn the_spine_names_no_kind() {
    for name in ["delta.rs", "plan.rs", "apply.rs", "verify.rs"] {
        let text = code(&Path::new("src").join(name));
        for kind in ["Kind::", "Change::Link", "Change::Address", "Change::File"] {
            assert!(!text.contains(kind), "src/{name} names {kind}");
        }
    }
}

#[test]
fn the_ipvs_layer_stands_alone() {
    for path in sources()
        .into_iter()
        .filter(|it| it.starts_with("src/ipvs"))
    {
        for line in code(&path).lines().filter(|it| it.contains("crate::")) {
            assert!(line.contains("crate::ipvs"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for path in sources() {
        let text = code(&path);
        let lines = text.lines().count();
        if lines > 400 {
            long.push(format!("{} has {lines} lines", path.display()));
        }
        for (name, lines) in functions(&text)
            .into_iter()
            .filter(|(_, lines)| *lines > 40)
        {
            long.push(format!("{}: fn {name} has {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// A document may name a file in anybody's home and in /usr/local: so may the units that write it, and take it back.
#[test]
fn the_units_of_systemd_may_write_what_a_document_names() {
    for name in [
        "lvs-reconcile",
        "lvs-reconcile-boot",
        "lvs-reconcile-recover",
    ] {
        let text = fs::read_to_string(format!("packaging/systemd/{name}.service")).unwrap();
        let settings: Vec<_> = text.lines().filter(|it| !it.starts_with('#')).collect();
        let says = |word: &str| settings.iter().any(|it| it.starts_with(word));
        assert!(
            !says("ProtectHome=") && !says("ReadOnlyPaths=") && !says("InaccessiblePaths="),
            "{name}"
        );
        let free = says("ReadWritePaths=-/usr/local");
        assert!(
            !says("ProtectSystem=") || says("ProtectSystem=true") && free,
            "{name}"
        );
    }
}

fn is_edge(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unit_or_kernel = text.starts_with("src/resources/") && !text.ends_with("/mod.rs");
    AT_THE_EDGE.iter().any(|room| text.starts_with(room))
        || EDGE_FILES.contains(&&*name)
        || (unit_or_kernel && !PURE_IN_KINDS.contains(&&*name))
}

/// Beside `mod.rs`, what a kind's folder holds that is pure.
const PURE_IN_KINDS: [&str; 4] = ["union.rs", "render.rs", "read.rs", "block.rs"];

/// A source file up to its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].to_owned()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![PathBuf::from("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => dirs.push(path),
                Some(kind) if kind == "rs" && !path.to_string_lossy().contains("/tests") => {
                    found.push(path)
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Name and length of each function, by rustfmt's closing brace at the opening indent.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let name = |line: &str| {
        let words = line
            .trim_start()
            .trim_start_matches("pub ")
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub(crate) ");
        let rest = words
            .trim_start_matches("const ")
            .trim_start_matches("async ")
            .strip_prefix("fn ")?;
        Some(rest.split(['(', '<']).next()?.to_owned())
    };
    let end = |at: usize| {
        lines[at..]
            .iter()
            .position(|line| line.trim() == "}" && indent(line) == indent(lines[at]))
    };
    // A method of a trait may have no body.
    let has_body = |at: usize| {
        let head = lines[at..]
            .iter()
            .find(|it| it.ends_with('{') || it.ends_with(';'));
        head.is_some_and(|it| it.ends_with('{'))
    };
    (0..lines.len())
        .filter(|at| has_body(*at))
        .filter_map(|at| Some((name(lines[at])?, end(at)? + 1)))
        .collect()
}
