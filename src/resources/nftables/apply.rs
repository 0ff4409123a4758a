//! Changes our nftables table, in one transaction each.

use nftables::schema::Nftables;

use super::observe::{list, reason};
use super::render::Foreign;
use super::transaction::{removal, replacement, transaction};
use super::{NftTable, TABLE};
use crate::delta::Delta;
use crate::host::linux::LinuxHost;
use crate::host::linux::child::{self, Output};
use crate::host::{HostError, Outcome};

/// One transaction per delta.
pub async fn apply(_: &mut LinuxHost, deltas: &[&Delta<NftTable>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let outcome = match delta.to() {
            Some(table) => set(table).await,
            None => remove().await,
        };
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    outcomes
}

/// Has nft and the kernel judge a table without keeping it.
pub async fn check(table: &NftTable) -> Result<(), HostError> {
    let action = format!("the kernel would not accept the nftables table inet {TABLE}");
    let whole = replacement(table).map_err(|it| foreign(&action, &it))?;
    let output = send(&["-j", "-c", "-f", "-"], &whole).await?;
    match output.status.success() {
        true => Ok(()),
        false => Err(HostError::new(action, reason(&output.complaint()))),
    }
}

/// A transaction fails as a whole when somebody removed a rule that it names; then it is made anew, but not for ever.
const ATTEMPTS: u32 = 3;

/// From what the table is now, which need not be what it was when the plan was made.
async fn set(table: &NftTable) -> Result<Outcome, HostError> {
    let action = format!("cannot change the nftables table inet {TABLE}");
    let mut said = String::new();
    let mut before = None;
    for _ in 0..ATTEMPTS {
        let live = list().await?;
        if before.as_ref() == Some(&live) {
            break;
        }
        let change = transaction(live.as_ref(), table).map_err(|it| foreign(&action, &it))?;
        let output = send(&["-j", "-f", "-"], &change).await?;
        if output.status.success() {
            return Ok(Outcome::Done);
        }
        said = output.complaint();
        before = Some(live);
    }
    Err(HostError::new(action, reason(&said)))
}

async fn remove() -> Result<Outcome, HostError> {
    let output = send(&["-j", "-f", "-"], &removal()).await?;
    let said = output.complaint();
    if output.status.success() {
        return Ok(Outcome::Done);
    }
    if said.contains("No such file or directory") {
        return Ok(Outcome::AlreadySo);
    }
    let action = format!("cannot remove the nftables table inet {TABLE}");
    Err(HostError::new(action, reason(&said)))
}

async fn send(args: &[&str], change: &Nftables<'_>) -> Result<Output, HostError> {
    let json = serde_json::to_vec(change)
        .map_err(|error| HostError::new("cannot word a change for nft", error))?;
    child::ask("nft", args, Some(&json), child::TIME_LIMIT).await
}

fn foreign(action: &str, it: &Foreign) -> HostError {
    let Foreign(text) = it;
    HostError::new(action, format!("it holds a rule that is not ours: {text}"))
}
