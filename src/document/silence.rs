//! Warnings that are meant to be.

use super::values::{Reason, Subject};
use crate::lint::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A warning that is not shown, because somebody looked at it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Silence {
    /// The code of the warning; `lvs-reconcile validate --explain list` names them all.
    pub code: Code,
    /// The name of what it is about, such as a service, or a path or an interface. Default: everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Subject>,
    /// Why it is meant to be, for whoever reads this next.
    pub reason: Reason,
}
