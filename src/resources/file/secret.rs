//! Secrets: read where they are needed, and hidden wherever what stands on the machine is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use crate::host::HostError;
use crate::trust::{self, Reason, Trust};

use super::directory::{Directories, Missing};
use super::{Content, Form, Hidden, Piece, block, live};

/// Longer than any hash of crypt(5).
const LONGEST: usize = 512;

/// Those read so far, by the path of their file. Never printed.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// The text of `content` with its secrets in it, as it stands in a file of this form.
    pub(super) fn render(
        &mut self,
        directories: &mut Directories,
        form: Form,
        content: &Content,
    ) -> Result<String, HostError> {
        let mut text = String::new();
        for piece in &content.0 {
            match piece {
                Piece::Text(it) => text.push_str(it),
                Piece::Hidden(Hidden(it)) if it == super::SHOWN_SECRET => return Err(forgotten()),
                Piece::Hidden(Hidden(it)) => text.push_str(it),
                Piece::Secret(path) => text.push_str(self.value(directories, path)?),
            }
        }
        Ok(match form {
            Form::Whole => text,
            Form::Block => block::whole_lines(text),
        })
    }

    fn value(&mut self, directories: &mut Directories, path: &str) -> Result<&str, HostError> {
        if !self.0.contains_key(path) {
            let value = read(directories, path).map_err(|reason| {
                HostError::new(format!("cannot use the secret {path}"), reason)
            })?;
            self.0.insert(path.to_owned(), value);
        }
        Ok(&self.0[path])
    }

    /// The live text in pieces, so that none of them that is shown holds a secret. Together they are the text, byte
    /// for byte.
    pub(super) fn hide(&self, live: &str, desired: &Content) -> Content {
        if desired.raw().is_some_and(|it| it == live) {
            return desired.clone();
        }
        self.along(live, desired)
            .unwrap_or_else(|| self.by_line(live, desired))
    }

    /// Nothing changed but secrets: the text around them leads to what stands in their place.
    fn along(&self, live: &str, desired: &Content) -> Option<Content> {
        let mut rest = live;
        let mut pieces = Vec::new();
        for (at, piece) in desired.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    pieces.push(piece.clone());
                }
                Piece::Hidden(_) => return None,
                Piece::Secret(path) => {
                    let there = until(rest, desired.0.get(at + 1))?;
                    rest = &rest[there.len()..];
                    let same = self.0.get(path).is_some_and(|it| it == there);
                    pieces.push(match same {
                        true => piece.clone(),
                        false => Piece::Hidden(Hidden(there.to_owned())),
                    });
                }
            }
        }
        let all_seen = rest.is_empty() && pieces.iter().all(|it| !tells(it));
        all_seen.then_some(Content(pieces))
    }

    /// Hides every line that may hold a secret: one that looks like a hash, one that contains a secret we know, one
    /// that begins with the same word as a desired line with a secret in it.
    fn by_line(&self, live: &str, desired: &Content) -> Content {
        let words = first_words(desired);
        let secret = |line: &str| {
            looks_like_a_hash(line)
                || keyword(line).is_some_and(|it| words.contains(&it))
                || self.0.values().any(|it| line.contains(it.as_str()))
        };
        let mut pieces: Vec<Piece> = Vec::new();
        for line in live.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            if secret(body) {
                pieces.push(Piece::Hidden(Hidden(body.to_owned())));
                push_text(&mut pieces, &line[body.len()..]);
            } else {
                push_text(&mut pieces, line);
            }
        }
        Content(pieces)
    }
}

/// It came out of something printed: what it stood for is not known here.
fn forgotten() -> HostError {
    HostError::new(
        "cannot restore a former secret",
        "only that there was one is recorded",
    )
}

/// Secrets in the clear that a piece would show.
fn tells(piece: &Piece) -> bool {
    matches!(piece, Piece::Text(text) if looks_like_a_hash(text))
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// The rest of the line up to the text that must follow; a secret is one line at most.
fn until<'a>(rest: &'a str, next: Option<&Piece>) -> Option<&'a str> {
    let line = rest.lines().next().unwrap_or_default();
    let end = match next {
        None => line.len(),
        Some(Piece::Text(text)) => match text.split('\n').next() {
            Some("") => line.len(),
            Some(start) => line.find(start)?,
            None => return None,
        },
        // Two secrets side by side cannot be told apart.
        Some(_) => return None,
    };
    Some(&line[..end])
}

/// The first words of the desired lines that hold a secret.
fn first_words(desired: &Content) -> Vec<&str> {
    let before_secrets = desired.0.windows(2).filter_map(|pair| match pair {
        [Piece::Text(text), Piece::Secret(_)] => text.rsplit('\n').next(),
        _ => None,
    });
    before_secrets.filter_map(keyword).collect()
}

/// What a line is about: its first word, or in a preseed file, where all lines begin alike, the package it is for.
fn keyword(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    match words.next()? {
        "d-i" => words.next()?.split('/').next(),
        word => Some(word),
    }
}

/// `$id$` anywhere, as every hash of crypt(5) begins.
fn looks_like_a_hash(line: &str) -> bool {
    line.match_indices('$').any(|(at, _)| {
        let rest = &line[at + 1..];
        let id = rest.len() - rest.trim_start_matches(is_of_an_id).len();
        id > 0 && rest[id..].starts_with('$')
    })
}

fn is_of_an_id(c: char) -> bool {
    c.is_ascii_digit() || c.is_ascii_lowercase()
}

fn read(directories: &mut Directories, path: &str) -> Result<String, String> {
    const HOW: &str = "make one with: (umask 077; lvs-reconcile hash-password > FILE)";
    let absent = || format!("there is no such file; {HOW}");
    let told = |(place, reason): trust::Refusal| match reason {
        Reason::Io(error) if error.kind() == ErrorKind::NotFound => absent(),
        reason => format!("{} {reason}", place.display()),
    };
    let path = trust::resolve(Path::new(path), Trust::Strict).map_err(told)?;
    let named = path.to_str().ok_or("its name is not text")?;
    let (directory, name) = directories
        .holding(named, Missing::Stays)?
        .ok_or_else(absent)?;
    let file = live::read(&directory, name)?.ok_or_else(absent)?;
    let facts = file.file.metadata().map_err(super::reason::because)?;
    trust::judge_file(&facts, Trust::Strict).map_err(|reason| told((path.clone(), reason)))?;
    if file.mode & 0o027 != 0 {
        return Err(format!(
            "its mode is {:04o}: others may read it; chmod 600",
            file.mode
        ));
    }
    let text = std::str::from_utf8(&file.bytes).map_err(|_| not_a_hash(HOW))?;
    let line = text.lines().next().unwrap_or_default();
    match is_a_hash(line) {
        true => Ok(line.to_owned()),
        false => Err(not_a_hash(HOW)),
    }
}

/// Does not say what it is instead.
fn not_a_hash(how: &str) -> String {
    format!("its first line is not a password hash of crypt(5), such as $6$…; {how}")
}

/// `$id$…` of nothing but what crypt(5) allows: a password in clear must not be written where others read it, and no
/// hash can end a line or quote.
fn is_a_hash(line: &str) -> bool {
    let id = line.strip_prefix('$').and_then(|rest| rest.split_once('$'));
    let plain = |c: char| c.is_ascii_alphanumeric() || "./$=,+-".contains(c);
    line.len() <= LONGEST
        && id.is_some_and(|(id, rest)| {
            !id.is_empty()
                && id.chars().all(is_of_an_id)
                && !rest.is_empty()
                && rest.chars().all(plain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "$6$salt$oldoldold";
    const NEW: &str = "$6$salt$newnewnew";

    fn kickstart() -> Content {
        Content(vec![
            Piece::Text("lang en\nrootpw --iscrypted ".into()),
            Piece::Secret("/s".into()),
            Piece::Text("\nreboot\n".into()),
        ])
    }

    fn known() -> Secrets {
        Secrets(BTreeMap::from([("/s".to_owned(), NEW.to_owned())]))
    }

    fn whole(content: &Content) -> String {
        Secrets::default()
            .render(&mut Directories::default(), Form::Whole, content)
            .unwrap()
    }

    /// What is shown, after making sure that the pieces are the text.
    fn shown(live: &str, desired: &Content) -> String {
        let content = known().hide(live, desired);
        let mut clear = known();
        let text = clear
            .render(&mut Directories::default(), Form::Whole, &content)
            .unwrap();
        assert_eq!(text, live);
        let said = format!(
            "{content:?} {} {}",
            content.shown(),
            serde_json::to_string(&content).unwrap()
        );
        assert!(
            !said.contains("oldold") && !said.contains("newnew"),
            "{said}"
        );
        content.shown()
    }

    #[test]
    fn only_the_secret_changed() {
        let live = format!("lang en\nrootpw --iscrypted {OLD}\nreboot\n");
        assert_eq!(
            shown(&live, &kickstart()),
            "lang en\nrootpw --iscrypted (another secret)\nreboot\n"
        );
    }

    #[test]
    fn the_text_around_it_changed_too() {
        let live =
            format!("lang de\nrootpw --plaintext oldold\nuser --password={OLD}\n# {NEW}\nreboot");
        assert_eq!(
            shown(&live, &kickstart()),
            "lang de\n(another secret)\n(another secret)\n(another secret)\nreboot"
        );
    }

    #[test]
    fn in_a_preseed_file_the_other_lines_are_shown() {
        let desired = Content(vec![
            Piece::Text(
                "d-i time/zone string UTC\nd-i passwd/root-password-crypted password ".into(),
            ),
            Piece::Secret("/s".into()),
            Piece::Text("\n".into()),
        ]);
        let live = "d-i time/zone string CET\nd-i passwd/root-password password oldold\n";
        assert_eq!(
            shown(live, &desired),
            "d-i time/zone string CET\n(another secret)\n"
        );
    }

    #[test]
    fn a_hash_is_hidden_where_none_is_wanted_any_more() {
        let live = format!("rootpw --iscrypted {OLD}\r\nreboot\r\n");
        assert_eq!(
            shown(&live, &Content::text("rootpw --lock\n")),
            "(another secret)\r\nreboot\r\n"
        );
        assert_eq!(
            shown(&live, &Content::default()),
            "(another secret)\r\nreboot\r\n"
        );
    }

    #[test]
    fn a_shell_variable_is_not_taken_for_a_hash() {
        assert!(!looks_like_a_hash("echo $HOME$PATH $1 $$ ${x}$"));
        assert!(looks_like_a_hash("x=$6$rounds=5000$a$b"));
        assert!(looks_like_a_hash("$y$j9T$a$b"));
    }

    #[test]
    fn only_hashes_are_secrets() {
        assert!(is_a_hash(OLD) && is_a_hash("$6$rounds=5000$ab./$cd") && is_a_hash("$y$j9T$x$y"));
        for bad in [
            "", "secret", "$6$", "$$x", "$6$a b", "$6$a\"", "$6$a\\n", "6$a$b", "$A$b",
        ] {
            assert!(!is_a_hash(bad), "{bad}");
        }
        assert_eq!(whole(&Content::text("a")), "a");
    }
}
