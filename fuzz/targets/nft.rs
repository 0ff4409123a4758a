//! Any text as what `nft -j list table` prints.

use std::collections::BTreeSet;

use lvs_reconcile::resources::nftables::read::{Listing, read};
use lvs_reconcile::resources::nftables::transaction::transaction;
use lvs_reconcile::resources::nftables::{Match, NftTable, Rule, Verdict};
use serde_json::{Value, json};

pub fn check(bytes: &[u8]) {
    let Some(listing) = std::str::from_utf8(bytes).ok().and_then(|it| read(it).ok()) else {
        return;
    };
    let table = listing.table();
    let text = serde_json::to_string(&table).expect("a table is JSON");
    assert_eq!(
        serde_json::from_str::<NftTable>(&text).ok().as_ref(),
        Some(&table)
    );
    for word in unknown(&table) {
        assert!(word.chars().count() <= 301, "{} characters", word.len());
    }
    if is_possible(&listing) {
        assert_written(&listing, &table);
    }
}

/// All of it is understood, and the kernel could hold it: each chain once, masks without host bits.
fn is_possible(listing: &Listing) -> bool {
    let table = listing.table();
    let names: BTreeSet<_> = table.chains.iter().map(|it| it.name).collect();
    let masked = |rule: &Rule| rule.matches.iter().all(is_masked);
    names.len() == table.chains.len()
        && unknown(&table).next().is_none()
        && table.chains.iter().flat_map(|it| &it.rules).all(masked)
}

fn is_masked(it: &Match) -> bool {
    match it {
        Match::Source(network) | Match::Destination(network) => *network == network.trunc(),
        _ => true,
    }
}

/// What is not understood, in nft's words.
fn unknown(table: &NftTable) -> impl Iterator<Item = &String> {
    let rules = table.chains.iter().flat_map(|it| &it.rules);
    let of_rule = rules.flat_map(|rule| {
        let matches = rule.matches.iter().filter_map(|it| match it {
            Match::Unknown(text) => Some(text),
            _ => None,
        });
        let verdict = match &rule.verdict {
            Verdict::Unknown(text) => Some(text),
            _ => None,
        };
        matches.chain(verdict)
    });
    table.unknown.iter().chain(of_rule)
}

/// A table that is understood is written so that it is read as the same, and needs no edit to become itself.
fn assert_written(listing: &Listing, table: &NftTable) {
    let batch = transaction(None, table).expect("all of it is known");
    let batch = serde_json::to_value(batch).expect("a batch is JSON");
    let commands = batch["nftables"].as_array().expect("a list of commands");
    // Behind the table that is deleted, so that it surely is there to be made.
    let added = commands.iter().filter_map(|it| it.get("add"));
    let written = json!({ "nftables": added.collect::<Vec<&Value>>() });
    let again = read(&written.to_string()).expect("it was written by us");
    assert_eq!(&again.table(), table, "{written}");
    let numbered = listing
        .chains
        .iter()
        .flat_map(|it| &it.handles)
        .all(Option::is_some);
    let edits = transaction(Some(listing), table).expect("all of it is known");
    assert!(!numbered || edits.objects.len() == 1, "{edits:?}");
}
