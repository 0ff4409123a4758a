//! Screens: what somebody sees who types a command. Each file is a session as it stands on a terminal: a line that
//! begins with `$ ` was typed, and what follows was printed. UPDATE=1 writes what is printed now; a new screen is a
//! file that has only what is typed.

use std::fs;
use std::path::{Path, PathBuf};

/// A session.
pub struct Screen {
    path: PathBuf,
    typed: Vec<String>,
    shown: String,
}

/// Runs what was typed, line by line in one shell, and prints it with what came of it.
const SHELL: &str = r#"
room=$(mktemp -d)
typed() {
  printf '$ %s\n' "$1"
  eval "$1" >"$room/out" 2>"$room/error"; code=$?
  cat "$room/out"
  [ ! -s "$room/error" ] || { echo '[standard error]'; cat "$room/error"; }
  [ $code = 0 ] || echo "[exit code $code]"
}
"#;

impl Screen {
    fn read(path: PathBuf) -> Self {
        let shown = fs::read_to_string(&path).unwrap();
        let typed = shown.lines().filter_map(|it| it.strip_prefix("$ "));
        Self {
            typed: typed.map(str::to_owned).collect(),
            shown,
            path,
        }
    }

    /// What makes it, for bash.
    pub fn script(&self) -> String {
        let lines = self.typed.iter();
        let lines = lines.map(|it| format!("typed {}\n", shell_words::quote(it)));
        format!("{SHELL}{}rm -r \"$room\"\n", lines.collect::<String>())
    }

    pub fn name(&self) -> String {
        self.path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    pub fn typed(&self) -> &[String] {
        &self.typed
    }
}

/// The sessions of a folder, in their order.
pub fn screens(folder: &str) -> Vec<Screen> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|it| it.extension().is_some_and(|it| it == "txt"))
        .collect();
    files.sort();
    files.into_iter().map(Screen::read).collect()
}

/// Every screen is what `printed` says of it.
pub fn assert_same(screens: &[Screen], printed: impl Fn(&Screen) -> String) {
    let mut wrong = Vec::new();
    for screen in screens {
        let now = steady(&printed(screen));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&screen.path, &now).unwrap();
        } else if now != screen.shown {
            let diff = similar::TextDiff::from_lines(&screen.shown, &now);
            let name = screen.path.display().to_string();
            let text = diff.unified_diff().header(&name, "printed now").to_string();
            wrong.push(text);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is another one each time, in words. In a shape, `0` is any digit.
fn steady(text: &str) -> String {
    let text = text.replace(
        concat!("lvs-reconcile ", env!("CARGO_PKG_VERSION")),
        "lvs-reconcile VERSION",
    );
    let text = masked(&text, "0000-00-00 00:00:00 UTC", "YYYY-MM-DD HH:MM:SS UTC");
    masked(&text, "for another 00 s", "for another SOME s")
}

fn masked(text: &str, shape: &str, word: &str) -> String {
    let fits = |at: &str| {
        let mut shape = shape.bytes();
        let begin = at.bytes().take(shape.len());
        at.len() >= shape.len()
            && begin.zip(shape.by_ref()).all(|(c, s)| match s {
                b'0' => c.is_ascii_digit(),
                s => c == s,
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if fits(rest) {
            out += word;
            rest = &rest[shape.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}
