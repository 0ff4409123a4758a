//! Files of the author's own: what they say, and where they may be.

use super::{Findings, index::Index};
use crate::document::{AbsolutePath, PlainFile, limits::FILE_CONTENT};
use std::collections::BTreeSet;

/// Where no file is one's own: the kernel's, what is gone after a boot, what anybody may write, what packages bring,
/// and what we keep. The units of systemd that we bring cannot write there, either.
const RESERVED: [(&str, &str); 18] = [
    ("/proc", "the kernel's"),
    ("/sys", "the kernel's"),
    ("/dev", "the kernel's"),
    ("/run", "gone after a boot"),
    ("/var/run", "gone after a boot"),
    ("/var/lock", "gone after a boot"),
    ("/tmp", "anybody's"),
    ("/var/tmp", "anybody's"),
    ("/usr", "for packages, but for /usr/local"),
    ("/bin", "for packages"),
    ("/sbin", "for packages"),
    ("/lib", "for packages"),
    ("/lib32", "for packages"),
    ("/lib64", "for packages"),
    ("/boot", "for packages"),
    ("/efi", "for packages"),
    ("/etc/lvs-reconcile", "where the document is"),
    ("/var/lib/lvs-reconcile", "our own record"),
];
/// What is free all the same.
const FREE: &str = "/usr/local/";

/// Each says something, in one way, and no more than a file of a document may.
pub fn contents(index: &Index<'_>, findings: &mut Findings) {
    for (at, file) in index.document.files.iter().enumerate() {
        let path = format_args!("files[{at}]");
        match (&file.content, &file.template) {
            (Some(_), Some(_)) => {
                let message = "is a second content";
                let fix = "keep \"content\" or \"template\"";
                findings.add(format_args!("{path}.template"), message, fix);
            }
            (None, None) => {
                let fix = "add \"content\": [\"...\"] or \"template\": [\"...\"]; an empty list is an empty file";
                findings.add(path, "says nothing", fix);
            }
            _ => {}
        }
        let (field, bytes) = size(file);
        if bytes > FILE_CONTENT {
            let message = format!("has {bytes} bytes");
            let fix = format!("write at most {FILE_CONTENT}");
            findings.add(format_args!("{path}.{field}"), message, fix);
        }
    }
}

fn size(file: &PlainFile) -> (&'static str, usize) {
    let content = file.content.iter().flatten().map(|it| it.as_str());
    let template = file.template.iter().flatten().map(|it| it.as_str());
    let bytes = content.chain(template).map(|it| it.len() + 1).sum();
    let field = match file.content {
        Some(_) => "content",
        None => "template",
    };
    (field, bytes)
}

/// Not in a directory that is somebody else's, and not called as the files that we make.
pub fn places(index: &Index<'_>, findings: &mut Findings) {
    for (at, file) in index.document.files.iter().enumerate() {
        let text = file.path.as_str();
        let below = |directory: &str| {
            let rest = text.strip_prefix(directory);
            rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        let path = format_args!("files[{at}].path");
        let mut reserved = RESERVED.iter().filter(|_| !text.starts_with(FREE));
        if let Some((directory, what)) = reserved.find(|it| below(it.0)) {
            let message = format!("is in {directory}, which is {what}");
            findings
                .report(path, message, "write another place")
                .alone();
        } else if text
            .rsplit('/')
            .next()
            .is_some_and(|it| it.contains("lvs-reconcile"))
        {
            let message = "is called like the files that are generated";
            findings
                .report(path, message, "write a name without \"lvs-reconcile\"")
                .alone();
        }
    }
}

/// What is a file is no directory of another.
pub fn nested(index: &Index<'_>, findings: &mut Findings) {
    let files = &index.document.files;
    let paths: BTreeSet<&str> = files.iter().map(|it| it.path.as_str()).collect();
    for (at, file) in files.iter().enumerate() {
        if let Some(outer) = above(&file.path).find(|it| paths.contains(it)) {
            let message = format!("is below {outer}, which is to be a file");
            let path = format_args!("files[{at}].path");
            findings.add(path, message, "write another place");
        }
    }
}

/// The directories on the way to a path, the nearest first.
fn above(path: &AbsolutePath) -> impl Iterator<Item = &str> {
    let slashes = path.as_str().rmatch_indices('/');
    slashes.map(|(at, _)| &path.as_str()[..at])
}
