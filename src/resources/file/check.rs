//! Daemons' own checks of candidates, before anything is live. They find our mistakes, not hostile values: all of them
//! accept directives that were smuggled in, which is why values have closed grammars.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::delta::Delta;
use crate::host::HostError;
use crate::host::linux::child;
use crate::resources::unit::exports;

mod dnsmasq;
mod kea;
mod nginx;

use super::File;
use super::directory::{Directories, Missing};
use super::secret::Secrets;
use super::stage::{Durable, Look, Staged};

/// A table of a thousand exports is parsed in well under a second.
const LIMIT: Duration = Duration::from_secs(20);

/// Parses the candidate (on standard input; `$1` is its name in exports.d) with the real exportfs beside the files of
/// the administrator, in namespaces of its own: neither the server's table nor the kernel's is touched. The first line
/// tells that we got so far; a container may forbid it.
const PARSE: &str = r#"
mount -t tmpfs candidate /var/lib/nfs || exit 0
: > /var/lib/nfs/etab; : > /var/lib/nfs/rmtab; mkdir /var/lib/nfs/exports.d || exit 0
cat > "/var/lib/nfs/exports.d/$1"
if [ -d /etc/exports.d ]; then
  for it in /etc/exports.d/*.exports; do
    [ ! -f "$it" ] || [ "$it" = "/etc/exports.d/$1" ] || cp "$it" /var/lib/nfs/exports.d/
  done
  mount --bind /var/lib/nfs/exports.d /etc/exports.d || exit 0
else
  [ -f /etc/exports ] || exit 0
  cat /etc/exports "/var/lib/nfs/exports.d/$1" > /var/lib/nfs/all
  mount --bind /var/lib/nfs/all /etc/exports || exit 0
fi
echo parsed
exportfs -ra; status=$?
cat /var/lib/nfs/etab
exit $status
"#;

/// Has every daemon that brings a check judge its new files. Nothing is live yet, nothing is left behind.
pub async fn check(deltas: &[&Delta<File>]) -> Result<(), HostError> {
    let made: Vec<_> = deltas
        .iter()
        .filter_map(|delta| delta.to())
        .map(|file| Path::new(&file.key.path))
        .collect();
    for file in deltas.iter().filter_map(|delta| delta.to()) {
        let path = &file.key.path;
        if let Some(owner) = &file.owner {
            // Its author's own, whatever it is called.
            owner.ids().map_err(|reason| unusable(file, reason))?;
        } else if path.ends_with("/dhcpd.conf") {
            dhcpd(file).await?;
        } else if path.ends_with("/kea-dhcp4.conf") {
            kea::check(file).await?;
        } else if path.contains("/nginx/") {
            nginx::check(file).await?;
        } else if path.ends_with(".exports") {
            exports(file, &made).await?;
        }
    }
    dnsmasq::check(deltas).await
}

/// Beside its target: AppArmor lets dhcpd read nothing outside of /etc/dhcp.
async fn dhcpd(file: &File) -> Result<(), HostError> {
    let staged = stage(file, text(file)?.as_bytes())?;
    let candidate = beside(&file.key.path, &staged);
    // Without -q: with it nothing is said about what is wrong.
    let args = ["-t", "-cf", &candidate.to_string_lossy()];
    let output = child::ask("dhcpd", &args, None, LIMIT).await?;
    match output.status.success() {
        true => Ok(()),
        false => Err(unusable(file, complaint(&output.complaint(), &candidate))),
    }
}

fn unusable(file: &File, reason: impl std::fmt::Display) -> HostError {
    HostError::new(format!("cannot use the new {}", file.key), reason)
}

/// As it will be written.
fn text(file: &File) -> Result<String, HostError> {
    Secrets::default().render(&mut Directories::default(), file.key.form, &file.content)
}

/// A candidate beside its target; it goes with what is returned.
fn stage(file: &File, bytes: &[u8]) -> Result<Staged, HostError> {
    Directories::default()
        .holding(&file.key.path, Missing::Stays)
        .and_then(|found| {
            found.ok_or_else(|| "its directory does not exist; is its daemon installed?".into())
        })
        .and_then(|(directory, name)| {
            let look = Look {
                mode: 0o644,
                uid: None,
                gid: None,
                old: None,
            };
            Staged::write(&directory, name, bytes, &look, Durable::Later)
        })
        .map_err(|reason| unusable(file, reason))
}

fn beside(path: &str, staged: &Staged) -> PathBuf {
    Path::new(path).with_file_name(staged.temporary())
}

/// What dhcpd says about the file, without its banner and its advice: its lines name the candidate.
fn complaint(said: &str, candidate: &Path) -> String {
    let name = candidate.to_string_lossy();
    let lines: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix(&*name))
        .collect();
    match lines.is_empty() {
        true => child::first_lines(said),
        false => child::first_lines(&lines.join("\n")),
    }
}

/// An exported directory may be made by this very plan, with the files in it.
async fn exports(file: &File, made: &[&Path]) -> Result<(), HostError> {
    let text = text(file)?;
    let name = Path::new(&file.key.path).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let args = [
        "--mount",
        "--net",
        "--propagation",
        "private",
        "sh",
        "-c",
        PARSE,
        "sh",
        &name,
    ];
    if child::find("exportfs").is_none() {
        return child::run("exportfs", &[], None).await.map(drop);
    }
    let output = child::ask("unshare", &args, Some(text.as_bytes()), LIMIT).await?;
    let said = output.text();
    let Some(table) = said.strip_prefix("parsed\n") else {
        tracing::debug!(
            path = file.key.path,
            "exports not checked: no namespaces here"
        );
        return Ok(());
    };
    let not_yet = |directory: &[u8]| {
        std::str::from_utf8(directory).is_ok_and(|it| made.iter().any(|path| path.starts_with(it)))
    };
    exports::judge(&output, &exports::entries(&text), table, &not_yet)
        .map_err(|reason| unusable(file, reason))
}
