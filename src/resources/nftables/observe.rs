//! Reads our nftables table, and no other.

use super::read::{Listing, read};
use super::{NftTable, TABLE, TheTable};
use crate::delta::Set;
use crate::host::linux::nfnl::{self, Glance};
use crate::host::linux::{LinuxHost, child};
use crate::host::{HostError, Scope};

/// Our table as it was at the kernel's generation of then. As long as nobody commits anything, it still is.
#[derive(Default)]
pub struct Memory {
    seen: Option<(u32, Option<NftTable>)>,
}

impl Memory {
    fn at(&self, now: Option<u32>) -> Option<Option<NftTable>> {
        let (generation, table) = self.seen.as_ref()?;
        (Some(*generation) == now).then(|| table.clone())
    }
}

/// Our table, if it exists. Tables of others are never listed: they may be huge, and some make nft crash.
pub async fn observe(host: &mut LinuxHost, scope: &Scope<'_>) -> Result<Set<NftTable>, HostError> {
    let Some(live) = look(host).await? else {
        return Ok(Set::default());
    };
    host.mark(|keys| keys.nftables.insert(TheTable));
    let live = live.in_words_of(scope.desired.nftables.get(&TheTable));
    Ok(Set::from_iter([live]))
}

async fn look(host: &mut LinuxHost) -> Result<Option<NftTable>, HostError> {
    let generation = match nfnl::glance().await {
        Glance::Absent => return Ok(None),
        Glance::Look { generation } => generation,
    };
    if let Some(remembered) = host.nftables.at(generation) {
        return Ok(remembered);
    }
    let table = list().await?.map(|listing| listing.table());
    host.nftables.seen = generation.map(|it| (it, table.clone()));
    Ok(table)
}

/// Our table as nft lists it now, if it exists.
pub(super) async fn list() -> Result<Option<Listing>, HostError> {
    let args = ["-j", "list", "table", "inet", TABLE];
    let output = child::ask("nft", &args, None, child::TIME_LIMIT).await?;
    let said = output.complaint();
    if output.status.success() {
        return Ok(Some(
            read(&output.text()).unwrap_or_else(|error| unlisted(&error.to_string())),
        ));
    }
    match output.status.code() {
        Some(_) if said.contains("No such file or directory") => Ok(None),
        Some(_) => {
            let action = format!("cannot list the nftables table inet {TABLE}");
            Err(HostError::new(action, reason(&said)))
        }
        // nft aborts on interface names that are not UTF-8 (src/json.c). Then the table is there and not as we want it.
        None => Ok(Some(unlisted("nft died of listing it"))),
    }
}

fn unlisted(why: &str) -> Listing {
    Listing {
        unknown: vec![format!("the table cannot be listed: {why}")],
        ..Listing::default()
    }
}

/// The gist of what nft says: `internal:0:0-0: Error: Could not process rule: …` and a quotation of the input.
pub(super) fn reason(said: &str) -> String {
    let line = said.lines().find(|line| line.contains("Error:"));
    let line = line
        .or_else(|| said.lines().next())
        .unwrap_or("nft failed and said nothing");
    let gist = line.split_once("Error: ").map_or(line, |(_, gist)| gist);
    gist.escape_debug().to_string()
}
