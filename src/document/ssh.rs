//! Logging in from the directors to the real servers.

use super::values::{AbsolutePath, AccountName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one gets from a director to the real servers by ssh.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Ssh {
    /// Whether `/etc/ssh/ssh_config.d/lvs-reconcile.conf` tells ssh where the real servers are, so that `ssh rs1`
    /// works. Who has other words for a machine in his own `~/.ssh/config` keeps them. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<bool>,
    /// Who one is there unless one says otherwise. Default: `root`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<AccountName>,
    /// A file on the director with its public key, as `ssh-keygen` writes it. It is read there, and every machine that
    /// is installed lets it log in as root, beside the `sshKeys` of its profile. ssh offers `~/.ssh/id_ed25519` and its
    /// like by itself, and others when your own `~/.ssh/config` names them (`IdentityFile`). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<AbsolutePath>,
}
