//! Ubuntu's autoinstall, for cloud-init's NoCloud source: YAML, of which JSON is a part.

use serde_json::{Value, json};

use crate::resources::file::Content;

use super::super::installations::Installation;
use super::HEADER;
use super::finish::{By, finish, joined};
use super::secret::{PASSWORD, with_password};

/// `user-data`. cloud-init knows it by its first line.
pub(in super::super) fn autoinstall(it: &Installation) -> Content {
    let document = json!({ "autoinstall": installed(it) });
    let text = format!("#cloud-config\n{HEADER}{document:#}\n");
    with_password(text, it.profile.root_password_file.as_ref())
}

/// `meta-data`, without which cloud-init takes no notice of the directory.
pub(in super::super) fn meta_data(it: &Installation) -> Content {
    let name = &it.machine.name;
    let document = json!({ "instance-id": name, "local-hostname": name });
    Content::text(format!("{HEADER}{document:#}\n"))
}

fn installed(it: &Installation) -> Value {
    let Installation {
        language,
        keyboard,
        timezone,
        disk,
        packages,
        ..
    } = it;
    let mut installed = json!({
        "version": 1,
        "locale": language,
        "keyboard": { "layout": keyboard },
        "timezone": timezone,
        "apt": { "primary": [{ "arches": ["default"], "uri": it.profile.url }] },
        "network": {
            "version": 2,
            "ethernets": { "nic0": { "match": { "macaddress": it.mac }, "dhcp4": true } },
        },
        "storage": { "layout": { "name": "direct", "match": { "path": format!("/dev/{disk}") } } },
        "ssh": { "install-server": true, "allow-pw": false },
        "packages": packages,
        "shutdown": "reboot",
        "user-data": first_boot(it),
    });
    let early: Vec<Value> = script(&[], &it.profile.pre).into_iter().collect();
    let ours = finish(it, By::Installer, By::Script);
    let in_target = ["curtin", "in-target", "--"];
    let late: Vec<Value> = script(&in_target, &ours)
        .into_iter()
        .chain(script(&in_target, &it.profile.post))
        .collect();
    for (name, commands) in [("early-commands", early), ("late-commands", late)] {
        if !commands.is_empty() {
            installed[name] = commands.into();
        }
    }
    installed
}

/// A command in words, so that no shell reads it before its own.
fn script<T: ToString>(before: &[&str], lines: &[T]) -> Option<Value> {
    let body = Some(joined(lines)).filter(|it| !it.is_empty())?;
    let words = before.iter().copied().chain(["sh", "-c", &body]);
    Some(words.collect::<Vec<_>>().into())
}

/// What cloud-init does in the installed system: with `user-data` there is no first user but root.
fn first_boot(it: &Installation) -> Value {
    let mut root =
        json!({ "name": "root", "lock_passwd": true, "ssh_authorized_keys": it.ssh_keys });
    if it.profile.root_password_file.is_some() {
        root["lock_passwd"] = false.into();
        root["hashed_passwd"] = PASSWORD.to_string().into();
    }
    let mut first_boot = json!({
        "hostname": it.machine.name,
        "fqdn": it.full_name,
        "disable_root": false,
        "users": [root],
    });
    if !it.profile.ntp_servers.is_empty() {
        first_boot["ntp"] = json!({ "enabled": true, "servers": it.profile.ntp_servers });
    }
    first_boot
}
