//! Kernel settings: an allow-list, because some keys of the kernel are as good as a root shell.

use super::{Findings, index::Index};
use crate::document::{Forwarding, Service, SysctlKey, SysctlSetting};
use std::fmt::Arguments;

/// Settings of one interface, or of `all` and `default`: below `net/ipv4/conf/*` and `net/ipv6/conf/*`.
const PER_INTERFACE_4: &[&str] = &[
    "accept_local",
    "accept_redirects",
    "accept_source_route",
    "arp_accept",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "arp_notify",
    "log_martians",
    "promote_secondaries",
    "proxy_arp",
    "rp_filter",
    "secure_redirects",
    "send_redirects",
    "shared_media",
];
const PER_INTERFACE_6: &[&str] = &[
    "accept_dad",
    "accept_ra",
    "accept_ra_defrtr",
    "accept_ra_pinfo",
    "accept_redirects",
    "accept_source_route",
    "autoconf",
    "dad_transmits",
    "disable_ipv6",
    "keep_addr_on_down",
    "use_tempaddr",
];

/// What may be set, for messages.
const ALLOWED: &str = "allowed: net.ipv4.ip_dynaddr, net.ipv4.vs.*, net.ipv4.tcp_*, net.ipv4.conf.*.rp_filter and \
     other per-interface settings, net.core.somaxconn, net.core.netdev_max_backlog, net.netfilter.nf_conntrack_max";

/// Every key is on the list, and none says the opposite of the rest of the document.
pub fn sysctls(index: &Index<'_>, findings: &mut Findings) {
    for (at, director) in index.directors() {
        for (position, setting) in director.sysctls.iter().enumerate() {
            let path = format_args!("directors[{at}].sysctls[{position}]");
            let parts: Vec<&str> = setting.name.parts().collect();
            let (message, fix) = match judge(&parts) {
                Verdict::Allowed => {
                    contradiction(findings, path, index, setting);
                    unusual_number(findings, path, setting);
                    continue;
                }
                Verdict::Derived => (
                    "follows from the document: a director forwards",
                    "remove it".to_owned(),
                ),
                Verdict::Split(fix) => ("splits the name of an interface", fix),
                Verdict::Forbidden => ("is not allowed", ALLOWED.to_owned()),
            };
            findings
                .report(format_args!("{path}.name"), message, fix)
                .alone();
        }
    }
}

/// The kernel shows a number in one way only, so that another would differ for ever. What is on the list are numbers and
/// words: nothing that it shows with leading zeros.
fn unusual_number(findings: &mut Findings, path: Arguments<'_>, setting: &SysctlSetting) {
    let words = || setting.value.as_str().split_whitespace();
    let Some(usual) = words().map(usual_number).collect::<Option<Vec<String>>>() else {
        return;
    };
    if words().eq(usual.iter().map(String::as_str)) {
        return;
    }
    let is_octal = |(word, usual): (&str, &String)| {
        word.trim_start_matches(['-', '0']) != usual.trim_start_matches(['-', '0'])
    };
    let read = match words().zip(&usual).any(is_octal) {
        true => " (it reads 0x as hexadecimal, and any other leading 0 as octal)",
        false => "",
    };
    let message = "is not how the kernel shows the number";
    let fix = format!("write \"{}\"{read}", usual.join(" "));
    let finding = findings.report(format_args!("{path}.value"), message, fix);
    finding.alone();
}

/// A number as the kernel shows it; none when it is no number. As the kernel reads it: 010 is 8, and 09 it refuses.
fn usual_number(word: &str) -> Option<String> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => natural(digits, 16)?,
        None if digits.starts_with('0') => natural(digits, 8).or_else(|| natural(digits, 10))?,
        None => natural(digits, 10)?,
    };
    let sign = match word.starts_with('-') && number > 0 {
        true => "-",
        false => "",
    };
    Some(format!("{sign}{number}"))
}

/// Digits only: Rust would read a sign, too.
fn natural(digits: &str, radix: u32) -> Option<u128> {
    let all = digits.chars().all(|it| it.is_digit(radix));
    u128::from_str_radix(digits, radix).ok().filter(|_| all)
}

/// Whether a document sets this one, by its path below `/proc/sys`, or makes us set it.
pub fn may_be_set(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(judge(&parts), Verdict::Allowed | Verdict::Derived)
}

enum Verdict {
    Allowed,
    Derived,
    /// An interface with a dot in its name, written as if the dot separated; how to write it.
    Split(String),
    Forbidden,
}

fn judge(parts: &[&str]) -> Verdict {
    match parts {
        ["net", "ipv4", "ip_forward"] | ["net", "ipv4" | "ipv6", "conf", _, "forwarding"] => {
            Verdict::Derived
        }
        ["net", "ipv4", "ip_dynaddr"]
        | ["net", "core", "somaxconn" | "netdev_max_backlog"]
        | ["net", "netfilter", "nf_conntrack_max"]
        | ["net", "ipv4", "vs", _] => Verdict::Allowed,
        ["net", "ipv4", key] if key.starts_with("tcp_") => Verdict::Allowed,
        ["net", "ipv4", "conf", interface, key] if PER_INTERFACE_4.contains(key) => {
            of_interface(interface)
        }
        ["net", "ipv6", "conf", interface, key] if PER_INTERFACE_6.contains(key) => {
            of_interface(interface)
        }
        ["net", ip, "conf", name @ .., key] if name.len() > 1 && is_per_interface(key) => {
            let key = format!("net/{ip}/conf/{}/{key}", name.join("."));
            key.parse::<SysctlKey>().map_or(Verdict::Forbidden, |key| {
                Verdict::Split(format!("write \"{key}\""))
            })
        }
        _ => Verdict::Forbidden,
    }
}

fn is_per_interface(key: &str) -> bool {
    PER_INTERFACE_4.contains(&key) || PER_INTERFACE_6.contains(&key)
}

fn of_interface(name: &str) -> Verdict {
    let good =
        matches!(name, "all" | "default") || name.parse::<crate::document::InterfaceName>().is_ok();
    if good {
        Verdict::Allowed
    } else {
        Verdict::Forbidden
    }
}

/// Under a drop policy, replies of masqueraded services pass only when IPVS tells connection tracking.
fn contradiction(
    findings: &mut Findings,
    path: Arguments<'_>,
    index: &Index<'_>,
    setting: &SysctlSetting,
) {
    let document = index.document;
    let is_masquerade = |it: Option<Forwarding>| it == Some(Forwarding::Masquerade);
    let masquerades = |service: &Service| {
        let mut exceptions = service.destinations.iter();
        service.forwarding.is_none()
            || is_masquerade(service.forwarding)
            || exceptions.any(|it| is_masquerade(it.forwarding))
    };
    let needs_conntrack = document.firewall.is_some() && document.services.iter().any(masquerades);
    if setting.name.path() == "net/ipv4/vs/conntrack"
        && setting.value.as_str() == "0"
        && needs_conntrack
    {
        let message = "contradicts the firewall: masqueraded services need connection tracking";
        findings.add(
            format_args!("{path}.value"),
            message,
            "remove the setting; it follows from the document",
        );
    }
}
