//! Kernel settings under `/proc/sys`. What is below `net/` belongs to the network namespace of the calling thread.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::host::HostError;

/// The value of the setting at `path`, white space folded to single blanks; `None` when the kernel has no such
/// setting (yet: some come with a module or an interface).
pub fn read(path: &str) -> Result<Option<String>, HostError> {
    let failed = |reason: &str| HostError::new(format!("cannot read /proc/sys/{path}"), reason);
    match fs::read(file(path)?) {
        Ok(bytes) => Ok(Some(folded(&String::from_utf8_lossy(&bytes)))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failed(&plain(&error))),
    }
}

/// Directories with settings that documents speak of, and those with a directory for each interface.
const OF_ALL: [&str; 4] = ["net/core", "net/ipv4", "net/ipv4/vs", "net/netfilter"];
const OF_EACH: [&str; 2] = ["net/ipv4/conf", "net/ipv6/conf"];

/// The paths of the settings that are `wanted`, of those of networking that the kernel has.
pub fn list(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let of_all = OF_ALL.map(str::to_owned).into_iter();
    let of_each = OF_EACH.iter().flat_map(|it| below(it));
    let mut paths: Vec<_> = of_all.chain(of_each).flat_map(|it| below(&it)).collect();
    paths.retain(|it| wanted(it));
    paths
}

/// What is in a directory; nothing in one that is not there.
fn below(path: &str) -> Vec<String> {
    let entries = fs::read_dir(PathBuf::from("/proc/sys").join(path));
    let names = entries.into_iter().flatten().flatten();
    let names = names.filter_map(|it| it.file_name().into_string().ok());
    names.map(|name| format!("{path}/{name}")).collect()
}

/// Sets it, with one `write`: the kernel takes what one call brings for the whole value.
pub fn write(path: &str, value: &str) -> Result<(), HostError> {
    let line = format!("{value}\n");
    OpenOptions::new()
        .write(true)
        .open(file(path)?)
        .and_then(|mut file| file.write(line.as_bytes()))
        .map_err(|error| {
            let action = format!("cannot set /proc/sys/{path} to {}", value.escape_debug());
            HostError::new(action, plain(&error))
        })
        .map(drop)
}

/// White space between the parts of a value differs from kernel to kernel.
fn folded(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The inventory is read back from disk, so its keys are checked here once more.
fn file(path: &str) -> Result<PathBuf, HostError> {
    let sound =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if path.split('/').all(sound) {
        return Ok(PathBuf::from("/proc/sys").join(path));
    }
    let action = format!("cannot look at the kernel setting {}", path.escape_debug());
    Err(HostError::new(action, "this is no path below /proc/sys"))
}

/// `ENOTDIR` as well: where a directory of an interface would be, nothing is.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            "the kernel has no such setting; it may come with a module or an interface".into()
        }
        io::ErrorKind::InvalidInput => "the kernel does not accept this value".into(),
        io::ErrorKind::ReadOnlyFilesystem => {
            "/proc/sys is read-only here (a container, or ProtectKernelTunables= of the unit)"
                .into()
        }
        io::ErrorKind::PermissionDenied => "permission denied: this needs root".into(),
        _ => error.to_string(),
    }
}

/// A setting that is on for a moment, and then what it was. Should we die in between, it stays on; only settings for
/// which that does no harm are used so.
pub struct Meanwhile {
    path: String,
    before: String,
}

impl Meanwhile {
    /// Switches the setting at `path` on; `None` when it is on anyway or does not exist.
    pub fn on(path: String) -> Result<Option<Self>, HostError> {
        match read(&path)? {
            Some(before) if before == "0" => {
                write(&path, "1")?;
                Ok(Some(Self { path, before }))
            }
            _ => Ok(None),
        }
    }
}

impl Drop for Meanwhile {
    fn drop(&mut self) {
        // It fails when its interface is gone; then there is nothing to put back.
        let _ = write(&self.path, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_proc_sys_are_refused() {
        for path in ["", "/etc/passwd", "net/../kernel/modprobe", "a//b", "."] {
            assert!(file(path).is_err(), "{path}");
        }
        assert!(file("net/ipv4/conf/eth0.100/rp_filter").is_ok());
    }

    #[test]
    fn settings_are_listed_by_their_paths() {
        let found = list(|it| it.ends_with("/ip_forward") || it.ends_with("/lo/rp_filter"));
        assert_eq!(found, ["net/ipv4/ip_forward", "net/ipv4/conf/lo/rp_filter"]);
    }

    #[test]
    fn what_does_not_exist_is_absent() {
        assert_eq!(read("net/ipv4/no_such_thing").unwrap(), None);
        assert_eq!(read("kernel/ostype/deeper").unwrap(), None);
        assert_eq!(read("kernel/ostype").unwrap().as_deref(), Some("Linux"));
    }

    #[test]
    fn white_space_is_folded() {
        assert_eq!(folded("4096\t131072  6291456\n"), "4096 131072 6291456");
    }
}
