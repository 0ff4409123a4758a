//! Logging in to the real servers.

use super::{Findings, index::Index};

/// Nothing is said in vain, and the key that is given away is the public one.
pub fn ssh(index: &Index<'_>, findings: &mut Findings) {
    let Some(ssh) = &index.document.ssh else {
        return;
    };
    if ssh.config == Some(false) && ssh.user.is_some() {
        let fix = "remove it, or \"config\": false";
        findings.add("ssh.user", "has no effect without \"config\"", fix);
    }
    let Some(key) = &ssh.public_key else {
        return;
    };
    if !key.as_str().ends_with(".pub") {
        let message = "is not the file of a public key by its name";
        findings
            .report(
                "ssh.publicKey",
                message,
                "write the one that ends with \".pub\"",
            )
            .alone();
    }
    let netboot = index.document.netboot.as_ref();
    if netboot.is_none_or(|it| it.kickstart.is_empty()) {
        let message = "has no effect: no machine is installed";
        let fix = "add a profile to \"netboot.kickstart\", or remove this";
        findings
            .report("ssh.publicKey", message, fix)
            .relying_on(&["netboot"]);
    }
}
