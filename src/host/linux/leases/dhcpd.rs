//! `dhcpd.leases` of ISC's dhcpd, dhcpd.leases(5): statements of words and strings, ended by `;` or by a block in braces.
//! Every change of a lease is a block more.

use std::str::Chars;

use super::{Lease, name};
use crate::output::time::since_1970;

/// The leases, in the order in which they were written.
pub(super) fn leases(text: &str) -> Vec<Lease> {
    let mut tokens = Tokens {
        rest: text.chars(),
        peeked: None,
    };
    let mut leases = Vec::new();
    while let Some((words, end)) = tokens.statement() {
        let block = match end {
            Token::Open => tokens.block(),
            _ => continue,
        };
        if let [Token::Word(lease), Token::Word(address)] = &words[..]
            && lease == "lease"
        {
            leases.extend(understood(address, &block));
        }
    }
    leases
}

/// A lease by its statements; none without a MAC.
fn understood(address: &str, block: &[Vec<Token>]) -> Option<Lease> {
    let value = |words: &[&str]| block.iter().find_map(|it| follows(it, words));
    let word = |words: &[&str]| value(words)?.first().map(Token::text);
    let time = |words: &[&str]| value(words).and_then(time);
    let mac = word(&["hardware", "ethernet"])?.parse().ok()?;
    let state = word(&["binding", "state"]);
    Some(Lease {
        mac,
        address: address.parse().ok()?,
        host_name: word(&["client-hostname"]).and_then(name),
        asked: time(&["cltt"]).or(time(&["starts"])),
        ends: time(&["ends"]),
        is_over: state.is_some_and(|it| it != "active"),
    })
}

/// What follows these words in a statement.
fn follows<'t>(statement: &'t [Token], words: &[&str]) -> Option<&'t [Token]> {
    let (head, rest) = statement.split_at_checked(words.len())?;
    let same = head.iter().zip(words).all(|(it, word)| it.text() == *word);
    same.then_some(rest)
}

/// `4 2026/11/26 13:05:07`, in UTC, or `epoch 1795353907`; none for `never`.
fn time(words: &[Token]) -> Option<u64> {
    let [first, rest @ ..] = words else {
        return None;
    };
    match (first.text(), rest) {
        ("epoch", [seconds, ..]) => seconds.text().parse().ok(),
        (_, [date, time, ..]) => {
            let date = numbers(date.text(), '/')?;
            let time = numbers(time.text(), ':')?;
            since_1970(date, time)
        }
        _ => None,
    }
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let numbers = text.split(separator).map(|it| it.parse().ok());
    let numbers: Option<Vec<u64>> = numbers.collect();
    numbers?.try_into().ok()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// What stood in quotes.
    Text(String),
    End,
    Open,
    Close,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) => text,
            _ => "",
        }
    }
}

struct Tokens<'t> {
    rest: Chars<'t>,
    peeked: Option<char>,
}

impl Tokens<'_> {
    /// The words up to the end of a statement, and what ended it; none at the end of the text.
    fn statement(&mut self) -> Option<(Vec<Token>, Token)> {
        let mut words = Vec::new();
        loop {
            match self.token()? {
                end @ (Token::End | Token::Open | Token::Close) => return Some((words, end)),
                word => words.push(word),
            }
        }
    }

    /// The statements of a block whose brace has been read; what stands in blocks of its own is passed over.
    fn block(&mut self) -> Vec<Vec<Token>> {
        let (mut statements, mut depth) = (Vec::new(), 1);
        while let Some((words, end)) = self.statement() {
            match end {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                _ if depth == 1 => statements.push(words),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        statements
    }

    fn next_char(&mut self) -> Option<char> {
        self.peeked.take().or_else(|| self.rest.next())
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            match self.next_char()? {
                ';' => return Some(Token::End),
                '{' => return Some(Token::Open),
                '}' => return Some(Token::Close),
                '"' => return Some(Token::Text(self.string())),
                '#' => drop(self.rest.find(|it| *it == '\n')),
                it if it.is_whitespace() => {}
                it => return Some(Token::Word(self.word(it))),
            }
        }
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        for it in self.rest.by_ref() {
            if it.is_whitespace() || matches!(it, ';' | '{' | '}' | '"' | '#') {
                self.peeked = Some(it);
                break;
            }
            word.push(it);
        }
        word
    }

    /// Up to the closing quote: `\"`, `\\`, and bytes as `\ooo`.
    fn string(&mut self) -> String {
        let mut bytes = Vec::new();
        while let Some(it) = self.next_char().filter(|it| *it != '"') {
            match it {
                '\\' => bytes.extend(self.escape()),
                it => bytes.extend_from_slice(it.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn escape(&mut self) -> Option<u8> {
        let first = self.next_char()?;
        let Some(high) = first.to_digit(8) else {
            return u8::try_from(first).ok();
        };
        let low = [
            self.next_char()?.to_digit(8)?,
            self.next_char()?.to_digit(8)?,
        ];
        u8::try_from(high * 64 + low[0] * 8 + low[1]).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ACTIVE: &str = r#"# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
lease 172.16.0.200 {
  starts 0 2026/11/22 13:25:07;
  ends 1 2026/11/23 01:25:07;
  cltt 0 2026/11/22 13:25:07;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 52:54:00:12:34:56;
  uid "\001RT\000\0224V";
  set vendor-class-identifier = "PXEClient:Arch:00000; }";
  on expiry { set x = "y"; hardware ethernet 52:54:00:00:00:01; }
  client-hostname "a\"b\033[31m";
}
server-duid "\000\001";
"#;

    #[test]
    fn a_block_is_a_lease() {
        let [lease] = &leases(ACTIVE)[..] else {
            panic!("one lease: {:?}", leases(ACTIVE));
        };
        assert_eq!(lease.mac, "52:54:00:12:34:56".parse().unwrap());
        assert_eq!(lease.asked, Some(1_795_353_907));
        assert_eq!(lease.ends, Some(1_795_353_907 + 43_200));
        assert_eq!(lease.host_name.as_deref(), Some("a\"b\u{1b}[31m"));
        assert!(!lease.is_over);
    }

    #[test]
    fn times_of_every_form() {
        let with = |ends: &str| {
            let text = ACTIVE.replace("ends 1 2026/11/23 01:25:07", &format!("ends {ends}"));
            leases(&text)[0].ends
        };
        assert_eq!(with("epoch 1795353907; # Sun Nov 22"), Some(1_795_353_907));
        assert_eq!(with("never"), None);
        assert_eq!(with("1 2026/13/45 99:99:99"), None);
    }

    #[test]
    fn who_gave_back_and_who_has_no_mac() {
        let free = ACTIVE.replace("binding state active", "binding state free");
        assert!(leases(&free)[0].is_over);
        let abandoned =
            "lease 172.16.0.201 { starts 0 2026/11/22 13:25:07; binding state abandoned; }";
        assert_eq!(leases(abandoned), []);
    }

    proptest! {
        /// A file that is being written, or that somebody made up, ends in leases or in none.
        #[test]
        fn a_cut_or_garbled_file_is_read_to_its_end(cut in 0..ACTIVE.len(), byte in "\\PC{0,3}[;{}\"\\\\#]?") {
            let (head, tail) = ACTIVE.split_at(cut);
            let garbled = [head, byte.as_str(), tail].concat();
            prop_assert!(leases(&garbled).len() <= 1);
            prop_assert!(leases(head).len() <= 1);
        }
    }
}
