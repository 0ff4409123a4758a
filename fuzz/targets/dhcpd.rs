//! `dhcpd.conf`, read by its grammar: words and strings, statements that end with `;`, and blocks.

use std::net::IpAddr;
use std::net::Ipv4Addr;

use lvs_reconcile::document::{Boot, Director, Document};

#[derive(Debug)]
struct Statement {
    words: Vec<String>,
    block: Vec<Statement>,
}

impl Statement {
    fn text(&self) -> String {
        self.words.join(" ")
    }

    /// What follows these words in the statement of this block that begins with them.
    fn of<'a>(block: &'a [Self], name: &str) -> Vec<&'a str> {
        let name: Vec<&str> = name.split(' ').collect();
        let found: Vec<_> = block
            .iter()
            .filter(|it| it.words.starts_with_all(&name))
            .collect();
        match found.as_slice() {
            [] => Vec::new(),
            [only] => only.words[name.len()..]
                .iter()
                .map(String::as_str)
                .collect(),
            more => panic!("{name:?} {} times", more.len()),
        }
    }
}

trait Begins {
    fn starts_with_all(&self, words: &[&str]) -> bool;
}

impl Begins for Vec<String> {
    fn starts_with_all(&self, words: &[&str]) -> bool {
        self.len() >= words.len() && self.iter().zip(words).all(|(a, b)| a == b)
    }
}

/// Tokens of dhcpd: strings keep their quotes, so that none can be taken for a word.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                let mut string = String::from('"');
                loop {
                    match rest.next().expect("a string ends") {
                        '"' => break,
                        '\\' | '\n' => panic!("an escape in {text:?}"),
                        c => string.push(c),
                    }
                }
                tokens.push(string + "\"");
            }
            '{' | '}' | ';' | ',' => tokens.push(c.into()),
            c if c.is_ascii_whitespace() => {}
            c => {
                let mut word = String::from(c);
                while let Some(c) =
                    rest.next_if(|c| !c.is_ascii_whitespace() && !"{};,\"#".contains(*c))
                {
                    word.push(c);
                }
                tokens.push(word);
            }
        }
    }
    tokens
}

fn statements(tokens: &mut impl Iterator<Item = String>, inside: bool) -> Vec<Statement> {
    let (mut found, mut words) = (Vec::new(), Vec::new());
    while let Some(token) = tokens.next() {
        let block = match token.as_str() {
            "}" if inside && words.is_empty() => return found,
            "{" => statements(tokens, true),
            ";" => Vec::new(),
            _ => {
                words.push(token);
                continue;
            }
        };
        let words = std::mem::take(&mut words);
        found.push(Statement { words, block });
    }
    assert!(!inside && words.is_empty(), "something does not end");
    found
}

pub fn assert_read(document: &Document, director: &Director, text: &str) {
    let dhcp = document.netboot.as_ref().and_then(|it| it.dhcp.as_ref());
    let dhcp = dhcp.expect("there is DHCP");
    let file = statements(&mut tokens(text).into_iter(), false);
    let server = address(Statement::of(&file, "server-identifier")[0]);
    assert!(own(director).any(|it| it == server), "{server}");
    assert_eq!(address(Statement::of(&file, "next-server")[0]), server);
    let lease = dhcp.lease_seconds.map_or(43_200, |it| it.get());
    assert_eq!(
        Statement::of(&file, "default-lease-time"),
        [lease.to_string()]
    );
    let subnet: Vec<_> = file.iter().filter(|it| it.words[0] == "subnet").collect();
    let [subnet] = subnet.as_slice() else {
        panic!("{} subnets", subnet.len());
    };
    let router = Statement::of(&subnet.block, "option routers");
    assert_eq!(
        router,
        [dhcp.router.map_or(server, |it| it.get()).to_string()]
    );
    let domain = document.domain.as_ref().map(|it| format!("\"{it}\""));
    assert_eq!(
        Statement::of(&subnet.block, "option domain-name")
            .first()
            .copied(),
        domain.as_deref()
    );
    ranges(document, &subnet.block, dhcp.first.get(), dhcp.last.get());
    hosts(document, &file);
    let known = [
        "authoritative",
        "ddns-update-style none",
        "server-identifier",
        "next-server",
        "default-lease-time",
        "max-lease-time",
        "subnet",
        "host",
    ];
    let boot = document.netboot.as_ref().and_then(|it| it.boot.as_ref());
    let file = match boot {
        Some(boot) => told_to_firmwares(boot, file),
        None => file,
    };
    let strange: Vec<_> = file
        .iter()
        .map(Statement::text)
        .filter(|it| !known.iter().any(|k| it.starts_with(k)))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// What firmwares load is what the document names; the rest of the file.
fn told_to_firmwares(boot: &Boot, file: Vec<Statement>) -> Vec<Statement> {
    let is_boot = |it: &Statement| {
        ["option arch", "class"]
            .iter()
            .any(|k| it.text().starts_with(k))
    };
    let (boot_part, rest): (Vec<_>, Vec<_>) = file.into_iter().partition(is_boot);
    let http = usize::from(boot.http.unwrap_or(true));
    assert_eq!(boot_part.len(), 2 + http);
    let mut loaded = Vec::new();
    boot_part.iter().for_each(|it| filenames(it, &mut loaded));
    let loaders = boot.loaders.clone().unwrap_or_default();
    let named = [
        (loaders.uefi, "grubnetx64.efi"),
        (loaders.uefi_arm, "grubnetaa64.efi"),
        (loaders.bios, "pxelinux.0"),
    ];
    let named = named.map(|(named, usual)| named.map_or(usual.to_owned(), |it| it.to_string()));
    let wanted = std::iter::once("boot.ipxe".to_owned()).chain(named);
    let wanted: Vec<_> = wanted.map(|it| format!("\"{it}\"")).collect();
    assert_eq!(loaded[..4], wanted);
    assert_eq!(loaded.len(), 4 + http);
    rest
}

fn filenames(statement: &Statement, found: &mut Vec<String>) {
    if let [word, file] = statement.words.as_slice()
        && word == "filename"
    {
        found.push(file.clone());
    }
    statement.block.iter().for_each(|it| filenames(it, found));
}

/// Nobody's address is handed out, and none outside of what is stated.
fn ranges(document: &Document, subnet: &[Statement], first: Ipv4Addr, last: Ipv4Addr) {
    let known = [
        "range",
        "option routers",
        "option subnet-mask",
        "option domain-name",
        "option domain-name-servers",
    ];
    for it in subnet {
        assert!(
            known.iter().any(|known| it.text().starts_with(known)) && it.block.is_empty(),
            "{it:?}"
        );
    }
    let machines = document.real_servers.iter().map(|it| it.address.get());
    let directors = document.directors.iter().flat_map(own).map(IpAddr::V4);
    let taken: Vec<IpAddr> = machines.chain(directors).collect();
    for range in subnet.iter().filter(|it| it.words[0] == "range") {
        let [_, from, to] = range.words.as_slice() else {
            panic!("{range:?}");
        };
        let (from, to) = (address(from), address(to));
        assert!(first <= from && from <= to && to <= last, "{range:?}");
        for taken in &taken {
            assert!(
                !matches!(taken, IpAddr::V4(it) if (from..=to).contains(it)),
                "{taken} in {range:?}"
            );
        }
    }
}

/// Each host is a real server with a MAC, and says what the document says.
fn hosts(document: &Document, file: &[Statement]) {
    let mut names = Vec::new();
    for host in file.iter().filter(|it| it.words[0] == "host") {
        let name = host.words[1].as_str();
        let machine = document
            .real_servers
            .iter()
            .find(|it| it.name.as_str() == name);
        let machine = machine.unwrap_or_else(|| panic!("{name} is nobody"));
        let said: Vec<String> = host.block.iter().map(Statement::text).collect();
        let mac = machine.mac.expect("a MAC");
        let wanted = [
            format!("hardware ethernet {mac}"),
            format!("fixed-address {}", machine.address),
            format!("option host-name \"{name}\""),
        ];
        assert_eq!(said, wanted);
        names.push(name);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a host twice");
}

fn own(director: &Director) -> impl Iterator<Item = Ipv4Addr> {
    let addresses = director.interfaces.iter().flat_map(|it| &it.addresses);
    addresses.filter_map(|it| match it.address() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    })
}

fn address(word: &str) -> Ipv4Addr {
    word.parse()
        .unwrap_or_else(|_| panic!("{word:?} is no address"))
}
