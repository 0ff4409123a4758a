//! Shell for the installed system: what its installer has no words for.

use super::super::installations::Installation;

/// What of it has to be done by a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Installer,
    Script,
}

/// Mounts, and by script also keys and services. Empty when there is nothing to do.
pub(super) fn finish(it: &Installation, keys: By, services: By) -> Vec<String> {
    let mut lines = Vec::new();
    if keys == By::Script && !it.ssh_keys.is_empty() {
        write_keys(&mut lines, it);
    }
    for mount in &it.mounts {
        let access = if mount.writable { "rw" } else { "ro" };
        let (source, at) = (&mount.source, mount.at);
        lines.push(format!("mkdir -p {at}"));
        // A machine starts though the director does not answer.
        lines.push(format!(
            "echo '{source} {at} nfs {access},_netdev,nofail 0 0' >>/etc/fstab"
        ));
    }
    let services = it
        .profile
        .enabled_services
        .iter()
        .filter(|_| services == By::Script);
    lines.extend(services.map(|unit| format!("systemctl enable {unit}")));
    if !lines.is_empty() {
        lines.insert(0, "set -eu".to_owned());
    }
    lines
}

fn write_keys(lines: &mut Vec<String>, it: &Installation) {
    lines.push("mkdir -p -m 700 /root/.ssh".to_owned());
    lines.push("cat >>/root/.ssh/authorized_keys <<'KEYS'".to_owned());
    lines.extend(it.ssh_keys.iter().cloned());
    lines.push("KEYS".to_owned());
    lines.push("chmod 600 /root/.ssh/authorized_keys".to_owned());
    lines.push("! command -v restorecon >/dev/null || restorecon -R /root/.ssh".to_owned());
}

/// Lines as a text, each with its end.
pub(super) fn joined<T: ToString>(lines: &[T]) -> String {
    lines.iter().map(|it| it.to_string() + "\n").collect()
}
