//! Paths, keys and the words of an installer: strings with a closed alphabet.

use super::{BadValue, as_json_string, names::stranger};
use std::{fmt, str::FromStr};

/// Declares a string with a rule, which returns what is wrong with a text.
macro_rules! text {
    ($($(#[$doc:meta])* $name:ident, $rule:expr, $schema:tt;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadValue;

            fn from_str(text: &str) -> Result<Self, BadValue> {
                let rule: fn(&str) -> Result<(), BadValue> = $rule;
                rule(text).map(|()| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        as_json_string!($name, $schema);
    )*};
}
pub(super) use text;

text! {
    /// Where the schema is; for editors only.
    SchemaReference, |text| plain(text, 1024, ":/?#&=%+@~_.,-", "write the path or URL of the schema"), {
        "type": "string",
        "description": "Path or URL of this schema.",
        "format": "uri-reference",
        "pattern": "^[A-Za-z0-9:/?#&=%+@~_.,-]{1,1024}$",
    };
    /// An absolute, normalised path of plain characters.
    AbsolutePath, absolute_path, {
        "type": "string",
        "description": "An absolute path of A-Z, a-z, 0-9, \".\", \"_\" and \"-\", without \".\", \"..\" or a slash at the end.",
        "pattern": r"^(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+$",
        "maxLength": 1023,
    };
    /// Permission bits, without those that lend a file's owner to who runs it.
    FileMode, file_mode, {
        "type": "string",
        "description": "Permission bits in octal, as chmod(1) reads them: owner, group, others.",
        "pattern": "^0?[0-7]{3}$",
        "examples": ["0644", "0600"],
    };
    /// The value of a sysctl.
    SysctlValue, |text| plain(text, 255, " ._-", "write the value as /proc/sys shows it, fields separated by spaces"), {
        "type": "string",
        "description": "The value as /proc/sys shows it; several fields are separated by spaces.",
        "pattern": "^[A-Za-z0-9 ._-]{1,255}$",
        "examples": ["1", "4096 87380 6291456"],
    };
    /// A package, or a group (`@development`) or an environment (`@^minimal-environment`) of packages.
    PackageName, package_name, {
        "type": "string",
        "description": "A package, a group (\"@development\") or an environment (\"@^minimal-environment\").",
        "pattern": r"^([A-Za-z0-9][A-Za-z0-9._+:*-]*|@\^?[A-Za-z0-9][A-Za-z0-9._+:*/-]*)$",
        "maxLength": 255,
    };
    /// An `http` or `https` address without user name and password.
    Url, url, {
        "type": "string",
        "description": "An http or https URL without user name and password.",
        "pattern": r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~:/?&=%+-]*)?$",
        "maxLength": 255,
    };
    /// A file below the directory of the boot loaders.
    BootFile, boot_file, {
        "type": "string",
        "description": "A file below the directory of the boot loaders.",
        "pattern": r"^(?!.*(^|/)\.)[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        "maxLength": 100,
        "examples": ["pxelinux.0", "efi/shimx64.efi"],
    };
    /// An argument for the kernel of an installer. Boot loaders give a meaning to most other characters.
    KernelArgument, |text| plain(text, 200, "=._,:/@%+-", "write one argument of plain characters, such as \"console=ttyS0\""), {
        "type": "string",
        "description": "An argument for the installer's kernel.",
        "pattern": "^[A-Za-z0-9=._,:/@%+-]{1,200}$",
        "examples": ["console=ttyS0,115200"],
    };
    /// A locale, such as `en_US.UTF-8`.
    Language, |text| plain(text, 64, "_.@-", "write a locale such as \"en_US.UTF-8\""), {
        "type": "string",
        "description": "A locale.",
        "pattern": "^[A-Za-z0-9_.@-]{1,64}$",
        "examples": ["en_US.UTF-8"],
    };
    /// A keyboard layout, such as `us`.
    Keyboard, |text| plain(text, 64, "_-", "write a layout such as \"us\" or \"de-latin1\""), {
        "type": "string",
        "description": "A keyboard layout.",
        "pattern": "^[A-Za-z0-9_-]{1,64}$",
        "examples": ["us"],
    };
    /// A time zone, such as `America/New_York`.
    TimeZone, time_zone, {
        "type": "string",
        "description": "A time zone of the tz database.",
        "pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$",
        "maxLength": 64,
        "examples": ["America/New_York", "UTC"],
    };
    /// A disk as the installer names it, below `/dev`.
    DiskName, disk_name, {
        "type": "string",
        "description": "A disk, as named below /dev.",
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9._:-]*(/[A-Za-z0-9_][A-Za-z0-9._:-]*)*$",
        "maxLength": 255,
        "examples": ["sda", "nvme0n1"],
    };
    /// Where a partition goes: an absolute path, or `swap`, or `biosboot`.
    MountPoint, mount_point, {
        "type": "string",
        "description": "Where a partition goes: an absolute path, \"swap\" or \"biosboot\".",
        "pattern": r"^(swap|biosboot|/|(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+)$",
        "maxLength": 1023,
        "examples": ["/", "swap"],
    };
}

/// Letters, digits and the characters of `more`; not empty, not too long.
pub(super) fn plain(text: &str, most: usize, more: &str, fix: &str) -> Result<(), BadValue> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    if text.is_empty() {
        return Err(BadValue::new("is empty", fix));
    }
    if text.len() > most {
        return Err(BadValue::new(
            format!("has {} bytes", text.len()),
            format!("write at most {most}"),
        ));
    }
    if !text.chars().all(allowed) {
        return Err(BadValue::new(
            format!("contains {}", stranger(text, allowed)),
            fix,
        ));
    }
    Ok(())
}

fn absolute_path(text: &str) -> Result<(), BadValue> {
    let fix = "write an absolute path of A-Z, a-z, 0-9, \".\", \"_\" and \"-\", such as \"/srv/kickstart\"";
    plain(text, 1023, "._/-", fix)?;
    let wrong = |message| Err(BadValue::new(message, fix));
    let Some(relative) = text.strip_prefix('/') else {
        return wrong("is not absolute");
    };
    match relative {
        "" => wrong("is the root of everything"),
        _ if relative.split('/').any(|part| part == "." || part == "..") => {
            wrong("contains \".\" or \"..\"")
        }
        _ if relative.split('/').any(str::is_empty) => {
            wrong("has a slash at its end or two in a row")
        }
        _ => Ok(()),
    }
}

fn file_mode(text: &str) -> Result<(), BadValue> {
    let fix = "write three octal digits, such as \"0644\"";
    let digits = text.bytes().all(|it| matches!(it, b'0'..=b'7'));
    match text.len() {
        3 if digits => Ok(()),
        4 if digits && text.starts_with('0') => Ok(()),
        4 if digits => Err(BadValue::new(
            "sets setuid, setgid or the sticky bit, which a file of a document never has",
            fix,
        )),
        _ => Err(BadValue::new("is no mode", fix)),
    }
}

impl FileMode {
    /// The bits.
    pub fn bits(&self) -> u32 {
        u32::from_str_radix(self.as_str(), 8).unwrap_or_default()
    }
}

fn boot_file(text: &str) -> Result<(), BadValue> {
    let fix = "write a path below the directory, such as \"pxelinux.0\"";
    // DHCP has room for 127 bytes, in which a URL may stand before it.
    plain(text, 100, "._/-", fix)?;
    let bad = |part: &str| part.is_empty() || part.starts_with('.');
    match text.split('/').any(bad) {
        true => Err(BadValue::new(
            "has a part that is empty or begins with a dot",
            fix,
        )),
        false => Ok(()),
    }
}

impl AbsolutePath {
    /// Whether it is this directory, or somewhere in it.
    pub fn holds(&self, other: &Self) -> bool {
        let rest = other.as_str().strip_prefix(self.as_str());
        rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
    }
}

fn mount_point(text: &str) -> Result<(), BadValue> {
    match text {
        "/" | "swap" | "biosboot" => Ok(()),
        _ => absolute_path(text),
    }
}

fn package_name(text: &str) -> Result<(), BadValue> {
    let fix = "write a package, \"@group\" or \"@^environment\"";
    let (name, more) = match text.strip_prefix('@') {
        Some(group) => (group.strip_prefix('^').unwrap_or(group), "._+:*/-"),
        None => (text, "._+:*-"),
    };
    plain(name, 253, more, fix)?;
    match name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(BadValue::new(
            "does not start with a letter or a digit",
            fix,
        )),
    }
}

fn url(text: &str) -> Result<(), BadValue> {
    let fix = "write a URL such as \"http://172.16.0.1/install\"";
    plain(text, 255, "._~:/?&=%+-", fix)?;
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let authority = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let (host, port) = authority.map_or(("", None), |a| {
        a.split_once(':').map_or((a, None), |(h, p)| (h, Some(p)))
    });
    let host_is_plain = !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    let port_is_number = port.is_none_or(|p| p.parse::<u16>().is_ok());
    match (rest, host_is_plain && port_is_number) {
        (None, _) => Err(BadValue::new("is not an http or https URL", fix)),
        (_, false) => Err(BadValue::new("has no plain host and port", fix)),
        _ => Ok(()),
    }
}

fn time_zone(text: &str) -> Result<(), BadValue> {
    let fix = "write a time zone such as \"America/New_York\"";
    plain(text, 64, "_+-/", fix)?;
    match text.split('/').any(str::is_empty) {
        true => Err(BadValue::new("has an empty part", fix)),
        false => Ok(()),
    }
}

fn disk_name(text: &str) -> Result<(), BadValue> {
    let fix = "write a disk such as \"sda\" or \"nvme0n1\", without \"/dev/\"";
    plain(text, 255, "._:/-", fix)?;
    let part_is_plain =
        |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    match text.split('/').all(part_is_plain) {
        true => Ok(()),
        false => Err(BadValue::new("is no name below /dev", fix)),
    }
}

/// A sysctl, kept as the path below `/proc/sys`, because the name of an interface may contain dots.
///
/// Written as `sysctl` writes it: with dots, where a slash stands for a dot inside a part
/// (`net.ipv4.conf.eth0/100.rp_filter`), or with slashes, where a dot is itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SysctlKey(Box<str>);

impl SysctlKey {
    /// The path below `/proc/sys`.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The parts of the path.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for SysctlKey {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let fix = "write a key such as \"net.ipv4.conf.eth0.rp_filter\"";
        plain(text, 255, "_./-", fix)?;
        let with_dots = text
            .find(['.', '/'])
            .is_none_or(|at| text[at..].starts_with('.'));
        let path = if with_dots {
            swap_separators(text)
        } else {
            text.to_owned()
        };
        match path
            .split('/')
            .any(|part| part.trim_start_matches('.').is_empty())
        {
            true => Err(BadValue::new("has an empty part, or one of dots only", fix)),
            false => Ok(Self(path.into())),
        }
    }
}

/// Turns the form with dots into the form with slashes and back.
fn swap_separators(text: &str) -> String {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        c => c,
    };
    text.chars().map(swap).collect()
}

impl fmt::Display for SysctlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&swap_separators(&self.0))
    }
}

impl fmt::Debug for SysctlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&swap_separators(&self.0), f)
    }
}

as_json_string!(SysctlKey, {
    "type": "string",
    "description": "A sysctl of the allow-list, with dots as sysctl(8) writes it; a slash stands for a dot inside an interface name.",
    "pattern": "^[A-Za-z0-9_./-]{1,255}$",
    "examples": ["net.ipv4.ip_dynaddr", "net.ipv4.conf.eth0/100.rp_filter"],
});
