//! What an installer gets beside words: keys, servers, lines of scripts and of files.

use super::text::{plain, text};
use super::{BadValue, DomainName, as_json_string, names::stranger};
use base64ct::{Base64, Encoding as _};
use std::{fmt, net::IpAddr, str::FromStr};

text! {
    /// A public key as OpenSSH writes it: type, key, and at most one word of comment.
    SshKey, ssh_key, {
        "type": "string",
        "description": "A public key as in ~/.ssh/id_ed25519.pub: its type, the key in base64, and at most one word of comment.",
        "pattern": r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]+={0,2}( [A-Za-z0-9@._+:-]{1,255})?$",
        "maxLength": 4096,
    };
    /// A host by name or address.
    ServerName, server_name, {
        "type": "string",
        "description": "The name of a host, in lower case, or an address.",
        "pattern": r"^([a-z0-9-]+(\.[a-z0-9-]+)*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$",
        "maxLength": 253,
        "examples": ["172.16.0.1", "ntp.cluster.example"],
    };
    /// A unit of systemd, such as `httpd` or `nfs-client.target`.
    UnitName, unit_name, {
        "type": "string",
        "description": "A unit of systemd; without a suffix it is a service.",
        "pattern": "^[A-Za-z0-9][A-Za-z0-9:_.@-]*$",
        "maxLength": 255,
        "examples": ["httpd", "nfs-client.target"],
    };
    /// What a repository is called.
    RepositoryName, repository_name, {
        "type": "string",
        "description": "What the installer calls a repository.",
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "maxLength": 64,
        "examples": ["AppStream"],
    };
    /// One line of a script.
    ScriptLine, script_line, {
        "type": "string",
        "description": "One line of a shell script. No control character but the tab, and no word in front that the installer takes for one of its own, such as \"%end\".",
        "pattern": r"^(?!\s*%(ksappend|(end|include|pre|pre-install|post|packages|addon|anaconda|certificate|onerror|traceback)(\s|$)))[^\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]*$",
    };
    /// One line of a file.
    FileLine, template_line, {
        "type": "string",
        "description": "One line of a file. No control character but the tab.",
        "pattern": r"^[^\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]*$",
    };
    /// One line of a template.
    TemplateLine, template_line, {
        "type": "string",
        "description": "One line of a template: the language of the file with <%= VALUE %>, <% TAG %> and <%# COMMENT %>. No control character but the tab.",
        "pattern": r"^[^\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]*$",
    };
}

/// What `ssh-keygen -t` can make, without DSA.
const KEY_TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

fn ssh_key(text: &str) -> Result<(), BadValue> {
    const FIX: &str = "write the one line of a file such as ~/.ssh/id_ed25519.pub";
    let wrong = |message| Err(BadValue::new(message, FIX));
    let mut words = text.split(' ');
    let (kind, key) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    if !KEY_TYPES.contains(&kind) {
        return wrong("does not start with a type of keys that OpenSSH makes");
    }
    let Ok(bytes) = Base64::decode_vec(key) else {
        return wrong("has no key in base64 after its type");
    };
    // The key repeats its type.
    if strings(&bytes).is_none_or(|it| it.len() < 2 || it[0] != kind.as_bytes()) {
        return wrong("is cut off, or of another type than it says");
    }
    if let Some(comment) = words.next() {
        let fix = "leave the comment out, or write one plain word";
        plain(comment, 255, "@._+:-", fix)?;
    }
    match words.next() {
        Some(_) => Err(BadValue::new(
            "has a comment of several words",
            "write one word, or none",
        )),
        None => Ok(()),
    }
}

/// The strings that a key is made of, each after its length in four bytes.
fn strings(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut strings = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (string, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        strings.push(string);
        bytes = rest;
    }
    Some(strings)
}

fn server_name(text: &str) -> Result<(), BadValue> {
    const FIX: &str = "write a host name such as \"ntp.cluster.example\", or an address";
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let last = text.rsplit('.').next().unwrap_or_default();
    match text.parse::<DomainName>() {
        // Programs differ on what 10.0.0.300 or 010.0.0.1 is.
        Ok(_) if last.bytes().all(|it| it.is_ascii_digit()) => {
            Err(BadValue::new("is no address", FIX))
        }
        Ok(_) => Ok(()),
        Err(bad) => Err(BadValue::new(bad.message, FIX)),
    }
}

fn unit_name(text: &str) -> Result<(), BadValue> {
    named(
        text,
        255,
        ":_.@-",
        "write a unit such as \"httpd\" or \"nfs-client.target\"",
    )
}

fn repository_name(text: &str) -> Result<(), BadValue> {
    named(text, 64, "._-", "write a name such as \"AppStream\"")
}

fn named(text: &str, most: usize, more: &str, fix: &str) -> Result<(), BadValue> {
    plain(text, most, more, fix)?;
    match text.starts_with(|it: char| it.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(BadValue::new(
            "does not start with a letter or a digit",
            fix,
        )),
    }
}

/// What ends a script, or is read in its place, when it is the first word of a line: pykickstart looks into scripts.
pub(crate) const SECTIONS: [&str; 11] = [
    "%end",
    "%include",
    "%pre",
    "%pre-install",
    "%post",
    "%packages",
    "%addon",
    "%anaconda",
    "%certificate",
    "%onerror",
    "%traceback",
];

fn script_line(text: &str) -> Result<(), BadValue> {
    template_line(text)?;
    let word = text.split_whitespace().next().unwrap_or_default();
    // This one by its beginning alone.
    match SECTIONS.contains(&word) || word.starts_with("%ksappend") {
        true => Err(BadValue::new(
            "starts with a word of the installer, which would end the script there",
            "begin the line with another word",
        )),
        false => Ok(()),
    }
}

fn template_line(text: &str) -> Result<(), BadValue> {
    match text.chars().all(is_of_a_line) {
        true => Ok(()),
        false => Err(BadValue::new(
            format!("contains {}", stranger(text, is_of_a_line)),
            "write one line of text without control characters",
        )),
    }
}

/// Everything but what ends a line for somebody (Python also takes U+2028 for an end), what turns text around for who
/// reviews it, and what is no character, or a private one.
fn is_of_a_line(c: char) -> bool {
    let ends = matches!(c, '\u{2028}' | '\u{2029}');
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let none =
        matches!(c, '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..);
    let none = none || u32::from(c) & 0xfffe == 0xfffe;
    c == '\t' || !(c.is_control() || ends || turns || none)
}
