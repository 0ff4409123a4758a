//! One preseed file for Debian's installer: `owner question type value`, a line each.

use std::fmt::Write as _;

use crate::document::{KickstartTarget, ScriptLine, Url};
use crate::resources::file::Content;

use super::super::installations::Installation;
use super::HEADER;
use super::finish::{By, finish, joined};
use super::secret::{PASSWORD, with_password};

/// The whole file.
pub(in super::super) fn preseed(it: &Installation) -> Content {
    let mut text = String::from(HEADER);
    write_names(&mut text, it);
    write_mirror(&mut text, &it.profile.url, it.target());
    write_root(&mut text, it);
    write_disk(&mut text, it.disk);
    write_packages(&mut text, &it.packages);
    write_scripts(&mut text, it);
    text.push_str("d-i finish-install/reboot_in_progress note\n");
    with_password(text, it.profile.root_password_file.as_ref())
}

fn write_names(text: &mut String, it: &Installation) {
    let Installation {
        language,
        keyboard,
        timezone,
        full_name,
        ..
    } = it;
    let (name, domain) = full_name.split_once('.').unwrap_or((full_name, ""));
    let _ = write!(
        text,
        "d-i debian-installer/locale string {language}\n\
         d-i keyboard-configuration/xkb-keymap select {keyboard}\n\
         d-i netcfg/choose_interface select auto\n\
         d-i netcfg/get_hostname string {name}\n\
         d-i netcfg/get_domain string {domain}\n\
         d-i netcfg/hostname string {name}\n\
         d-i time/zone string {timezone}\n\
         d-i clock-setup/utc boolean true\n"
    );
    if let Some(server) = it.profile.ntp_servers.first() {
        let _ = write!(
            text,
            "d-i clock-setup/ntp boolean true\nd-i clock-setup/ntp-server string {server}\n"
        );
    }
}

/// The installer asks for the parts of the address one by one.
fn write_mirror(text: &mut String, url: &Url, target: KickstartTarget) {
    let suite = if target == KickstartTarget::Debian12 {
        "bookworm"
    } else {
        "trixie"
    };
    let (protocol, rest) = url
        .as_str()
        .split_once("://")
        .unwrap_or(("http", url.as_str()));
    let (host, directory) = rest.split_once('/').unwrap_or((rest, ""));
    let directory = directory.trim_end_matches('/');
    let _ = write!(
        text,
        "d-i mirror/protocol select {protocol}\n\
         d-i mirror/country string manual\n\
         d-i mirror/{protocol}/hostname string {host}\n\
         d-i mirror/{protocol}/directory string /{directory}\n\
         d-i mirror/{protocol}/proxy string\n\
         d-i mirror/suite string {suite}\n"
    );
}

/// `!` is no hash of anything: the account has no password.
fn write_root(text: &mut String, it: &Installation) {
    let password = it
        .profile
        .root_password_file
        .as_ref()
        .map_or('!', |_| PASSWORD);
    let _ = write!(
        text,
        "d-i passwd/root-login boolean true\n\
         d-i passwd/root-password-crypted password {password}\n\
         d-i passwd/make-user boolean false\n"
    );
}

fn write_disk(text: &mut String, disk: &str) {
    let _ = write!(
        text,
        "d-i partman-auto/disk string /dev/{disk}\n\
         d-i partman-auto/method string regular\n\
         d-i partman-auto/choose_recipe select atomic\n\
         d-i partman-partitioning/confirm_write_new_label boolean true\n\
         d-i partman/choose_partition select finish\n\
         d-i partman/confirm boolean true\n\
         d-i partman/confirm_nooverwrite boolean true\n\
         d-i grub-installer/only_debian boolean true\n\
         d-i grub-installer/bootdev string /dev/{disk}\n"
    );
}

fn write_packages(text: &mut String, packages: &[&str]) {
    text.push_str("tasksel tasksel/first multiselect standard, ssh-server\n");
    if !packages.is_empty() {
        let _ = writeln!(text, "d-i pkgsel/include string {}", packages.join(" "));
    }
    text.push_str("popularity-contest popularity-contest/participate boolean false\n");
}

/// A value is one line, so a script is written to a file by printf(1) first.
fn write_scripts(text: &mut String, it: &Installation) {
    let of = |lines: &[ScriptLine]| lines.iter().map(|it| it.to_string()).collect::<Vec<_>>();
    if !it.profile.pre.is_empty() {
        let (file, script) = ("/tmp/lvs-pre", printed(&of(&it.profile.pre)));
        let _ = writeln!(
            text,
            "d-i preseed/early_command string {script} >{file} && sh {file}"
        );
    }
    let ours = finish(it, By::Script, By::Script);
    let scripts = [
        ("/root/lvs-finish", ours),
        ("/root/lvs-post", of(&it.profile.post)),
    ];
    let run = |(file, lines): &(&str, Vec<String>)| {
        format!("{} >/target{file} && in-target sh {file}", printed(lines))
    };
    let commands: Vec<String> = scripts
        .iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(run)
        .collect();
    if !commands.is_empty() {
        let _ = writeln!(
            text,
            "d-i preseed/late_command string {}",
            commands.join(" && ")
        );
    }
}

/// The shell's word for a text of several lines, on one. `%b` reads back what starts with a backslash.
fn printed(lines: &[String]) -> String {
    let body = joined(lines).replace('\\', "\\\\").replace('\n', "\\n");
    format!("printf '%b' {}", shell_words::quote(&body))
}
