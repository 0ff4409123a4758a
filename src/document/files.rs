//! Files of the directors that are neither generated nor a package's.

use super::values::{AbsolutePath, AccountName, FileLine, FileMode, TemplateLine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file that each director gets, with this content and no other. What stands there already and is different is not
/// touched until it is adopted; when the entry goes, the file goes. No program is told that its file has changed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlainFile {
    /// Where it is. Directories that are missing are made, for everybody to enter, and go with the last file in them.
    /// Not where the kernel, packages or we have theirs, not where anybody writes, as in `/tmp`, and no file that
    /// another section of the document makes.
    pub path: AbsolutePath,
    /// Who may read and write it, in octal, without setuid, setgid and the sticky bit. Default: `0644`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// The user whose it is, who has to be there when the file is written. Default: `root`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountName>,
    /// The group whose it is, which has to be there when the file is written. Default: `root`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<AccountName>,
    /// What it says, line by line; each ends with a line break. `content` or `template`, not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<FileLine>>,
    /// What it says, line by line, with `<%= director.name %>`, `<% for server in realServers %>`, `<% if %>`: in the
    /// language of the templates of `netboot.kickstart`. It may use what those know of the cluster: `director`,
    /// `domain`, `realServers` and `vips`; `| ks` quotes a value for a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Vec<TemplateLine>>,
}
