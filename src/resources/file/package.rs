//! Which files stand exactly as their package shipped them: those we may replace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::host::HostError;
use crate::host::linux::child;

/// The kernel takes far more arguments; one call answers for most directors.
const PATHS_PER_CALL: usize = 500;

/// dpkg reads a file of every package that is installed; from a cold and busy disk that takes its time.
const LIMIT: Duration = Duration::from_secs(120);

/// Of these files, those that are a package's configuration file and have not been touched.
/// Sources: dpkg-query(1), `Conffiles` in deb-control(5).
pub(super) async fn untouched(files: &[(&str, &[u8])]) -> Result<BTreeSet<String>, HostError> {
    let empty = files
        .iter()
        .filter(|(path, bytes)| sets_nothing(path, bytes));
    let mut untouched: BTreeSet<String> = empty.map(|(path, _)| (*path).to_owned()).collect();
    if files.is_empty() || child::find("dpkg-query").is_none() {
        return Ok(untouched);
    }
    let shipped = shipped(files).await?;
    for (path, bytes) in files {
        let Some(sum) = shipped.get(*path) else {
            continue;
        };
        // The bytes that we read, and not those that may stand there by then.
        let output = child::run("md5sum", &[], Some(bytes)).await?;
        if output.text().split_whitespace().next() == Some(sum) {
            untouched.insert((*path).to_owned());
        }
    }
    Ok(untouched)
}

/// True for defaults of a daemon in which nothing is set. Debian's isc-dhcp-server writes such a file when it is
/// installed, and records no sum of it.
fn sets_nothing(path: &str, bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut settings = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    path.starts_with("/etc/default/") && settings.all(|line| line.ends_with("=\"\""))
}

/// The recorded sum of each of these that is a configuration file of a package.
async fn shipped(files: &[(&str, &[u8])]) -> Result<BTreeMap<String, String>, HostError> {
    let mut packages = BTreeSet::new();
    for some in files.chunks(PATHS_PER_CALL) {
        let paths = some.iter().map(|(path, _)| *path);
        let args: Vec<_> = ["--search", "--"].into_iter().chain(paths).collect();
        // Its exit status is 1 when one of the paths is nobody's.
        let output = child::ask("dpkg-query", &args, None, LIMIT).await?;
        packages.extend(owners(&output.text()));
    }
    let mut shipped = BTreeMap::new();
    for package in packages {
        let args = ["--show", "--showformat=${Conffiles}\\n", "--", &package];
        let output = child::ask("dpkg-query", &args, None, LIMIT).await?;
        shipped.extend(sums(&output.text()));
    }
    Ok(shipped)
}

/// `package[:architecture][, package…]: /path` per line; lines about diversions are passed over.
fn owners(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| !line.starts_with("diversion by"))
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(packages, _)| packages.split(", "))
        .map(str::to_owned)
}

/// ` /path sum [obsolete]` per line.
fn sums(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let mut words = line.trim_start().rsplit(' ');
        let last = words.next()?;
        let sum = match last {
            "obsolete" | "remove-on-upgrade" => words.next()?,
            sum => sum,
        };
        let path = line.trim_start().split(&format!(" {sum}")).next()?;
        Some((path.to_owned(), sum.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_set_nothing_are_nobodys() {
        let generated = b"# On what interfaces?\n\nINTERFACESv4=\"\"\nINTERFACESv6=\"\"\n";
        let edited = b"INTERFACESv4=\"eth1\"\n";
        assert!(sets_nothing("/etc/default/isc-dhcp-server", generated));
        assert!(!sets_nothing("/etc/default/isc-dhcp-server", edited));
        assert!(!sets_nothing("/etc/hosts", generated));
    }

    #[test]
    fn dpkg_is_understood() {
        let said = "diversion by dash from: /bin/sh\nisc-dhcp-server: /etc/dhcp/dhcpd.conf\nlibc6:amd64, libc6:i386: /etc/x\n";
        let packages: Vec<_> = owners(said).collect();
        assert_eq!(packages, ["isc-dhcp-server", "libc6:amd64", "libc6:i386"]);
        let said = " /etc/dhcp/dhcpd.conf 7df121\n /etc/with space abc obsolete\n";
        let found: Vec<_> = sums(said).collect();
        assert_eq!(found[0], ("/etc/dhcp/dhcpd.conf".into(), "7df121".into()));
        assert_eq!(found[1], ("/etc/with space".into(), "abc".into()));
    }
}
