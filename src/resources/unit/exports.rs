//! What is exported over NFS: exports(5) as we write it, and the table that the server goes by.

use std::collections::BTreeSet;

use crate::host::HostError;
use crate::host::linux::child::{self, Output};

/// What mountd answers the kernel from, nfs-utils `support/include/nfs/nfs.h`. `exportfs -s` prints the same and
/// leaves options out.
pub(super) const TABLE: &str = "/var/lib/nfs/etab";

/// A directory, given to a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Export {
    pub(crate) path: Vec<u8>,
    client: String,
    options: BTreeSet<String>,
}

/// The entries of a file that we wrote, or of the table: one directory per line, clients with options after it.
pub(crate) fn entries(text: &str) -> Vec<Export> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .flat_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let path = decoded(words.next().unwrap_or_default());
            words.filter_map(move |client| entry(path.clone(), client))
        })
        .collect()
}

fn entry(path: Vec<u8>, client: &str) -> Option<Export> {
    let (client, options) = client.strip_suffix(')')?.split_once('(')?;
    Some(Export {
        path,
        client: client.to_owned(),
        options: options.split(',').map(str::to_owned).collect(),
    })
}

/// `\040` stands for a space.
fn decoded(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|it| std::str::from_utf8(it).ok());
        match octal.and_then(|it| u8::from_str_radix(it, 8).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

/// The first of `wanted` that the table does not have with all its options.
pub(crate) fn missing<'a>(wanted: &'a [Export], table: &[Export]) -> Option<&'a Export> {
    wanted.iter().find(|wanted| {
        !table.iter().any(|it| {
            it.path == wanted.path
                && it.client == wanted.client
                && wanted.options.is_subset(&it.options)
        })
    })
}

/// Judges a run of `exportfs -ra` by what it did: its exit status is 0 when it dropped an export whose client it could
/// not resolve, and 1 when a directory of somebody else's export is not there. `not_yet` are directories that are
/// made later.
pub(crate) fn judge(
    output: &Output,
    wanted: &[Export],
    table: &str,
    not_yet: &dyn Fn(&[u8]) -> bool,
) -> Result<(), String> {
    let said = output.complaint();
    let ours = |path: &str| wanted.iter().any(|it| it.path == path.as_bytes());
    let harmless = |line: &&str| {
        let absent = line
            .strip_prefix("exportfs: Failed to stat ")
            .and_then(|rest| rest.split_once(": "));
        !line.starts_with("exportfs: ")
            || line.contains("Neither 'subtree_check' or 'no_subtree_check' specified")
            || absent.is_some_and(|(path, _)| !ours(path) || not_yet(path.as_bytes()))
    };
    let complaints: Vec<_> = said.lines().filter(|line| !harmless(line)).collect();
    if !output.status.success() && !complaints.is_empty() {
        return Err(child::first_lines(&complaints.join("\n")));
    }
    match missing(wanted, &entries(table)) {
        None => Ok(()),
        Some(export) => Err(format!(
            "exportfs left out {} for {}: {}",
            export.path.escape_ascii(),
            export.client,
            child::first_lines(&said)
        )),
    }
}

/// Has the files read again. Clients notice nothing of it.
pub(super) async fn reexport(files: &[String]) -> Result<(), HostError> {
    let output = child::ask("exportfs", &["-ra"], None, child::TIME_LIMIT).await?;
    let table = std::fs::read_to_string(TABLE).unwrap_or_default();
    judge(&output, &wanted(files), &table, &|_| false)
        .map_err(|reason| HostError::new("cannot run `exportfs -ra`", reason))
}

/// True when the server's table has everything that the files say.
pub(super) fn all_exported(files: &[String]) -> bool {
    let table = std::fs::read_to_string(TABLE).unwrap_or_default();
    missing(&wanted(files), &entries(&table)).is_none()
}

/// What the files say that are ours as a whole: `/etc/exports` is written by hand, in a wider grammar.
fn wanted(files: &[String]) -> Vec<Export> {
    files
        .iter()
        .filter(|path| path.ends_with(".exports"))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .flat_map(|text| entries(&text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# written by lvs-reconcile\n/srv/a\\040b 172.16.0.0/16(ro,sync,no_subtree_check) 10.0.0.1(rw,sync,insecure)\n";
    const ETAB: &str = "/srv/a\\040b\t172.16.0.0/16(ro,sync,wdelay,hide,secure,no_subtree_check,sec=sys,ro,root_squash)\n/srv/a\\040b\t10.0.0.1(rw,sync,wdelay,hide,insecure,sec=sys)\n";

    #[test]
    fn the_table_has_what_the_file_says() {
        let (wanted, table) = (entries(FILE), entries(ETAB));
        assert_eq!(wanted.len(), 2);
        assert_eq!(wanted[0].path, b"/srv/a b");
        assert_eq!(missing(&wanted, &table), None);
    }

    #[test]
    fn an_option_or_a_client_that_is_missing_is_seen() {
        let wanted = entries(FILE);
        let other = ETAB.replace("insecure", "secure");
        assert_eq!(missing(&wanted, &entries(&other)), Some(&wanted[1]));
        let other = ETAB.replace("172.16.0.0", "172.17.0.0");
        assert_eq!(missing(&wanted, &entries(&other)), Some(&wanted[0]));
        assert_eq!(missing(&wanted, &[]), Some(&wanted[0]));
    }
}
