//! Kea's own check of a configuration: by the server that runs, else by its program.

use serde_json::Value;

use crate::host::HostError;
use crate::host::linux::child;
use crate::host::linux::kea::{Mute, test, without_interfaces};

use super::super::File;
use super::{LIMIT, beside, complaint, stage, text, unusable};

/// A server that runs tries it, and changes nothing; else its program does.
pub(super) async fn check(file: &File) -> Result<(), HostError> {
    let text = text(file)?;
    let Ok(config) = serde_json::from_str::<Value>(&text) else {
        // A package's own, with comments: it comes back.
        return by_program(file, &text).await;
    };
    match test(&config).await {
        Ok(()) => Ok(()),
        Err(Mute::Refused(reason)) => Err(unusable(file, reason)),
        Err(Mute::Absent) => match by_program(file, &text).await {
            // The very plan that brings the file may make its interface, or give that its address.
            Err(refusal) => by_program(file, &without_interfaces(config).to_string())
                .await
                .map_err(|_| refusal),
            Ok(()) => Ok(()),
        },
    }
}

/// Beside its target: AppArmor lets Kea read nothing outside of /etc/kea. It locks nothing, as its directory for that
/// is made when it is started first.
async fn by_program(file: &File, text: &str) -> Result<(), HostError> {
    let staged = stage(file, text.as_bytes())?;
    let candidate = beside(&file.key.path, &staged);
    let Some(program) = child::find("kea-dhcp4") else {
        return child::run("kea-dhcp4", &[], None).await.map(drop);
    };
    let (program, path) = (program.to_string_lossy(), candidate.to_string_lossy());
    let args = ["KEA_LOCKFILE_DIR=none", &program, "-t", &path];
    let output = child::ask("env", &args, None, LIMIT).await?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = [output.complaint(), output.text()].join("\n");
            let errors: Vec<_> = said
                .lines()
                .filter_map(|line| line.strip_prefix("Error encountered: "))
                .collect();
            let said = match errors.is_empty() {
                true => said,
                false => errors.join("\n"),
            };
            Err(unusable(file, complaint(&said, &candidate)))
        }
    }
}
