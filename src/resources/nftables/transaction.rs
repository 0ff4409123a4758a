//! From what our table is to what it shall be, in one transaction: the kernel does all of it or nothing. Rules that
//! stay keep their counters. Pure.

use nftables::batch::Batch;
use nftables::schema::{FlushObject, NfCmd, NfListObject, Nftables};
use similar::DiffOp;

use super::read::{ListedChain, Listing};
use super::render::{Foreign, bare_rule, chain, helper, rule, table};
use super::{Chain, NftTable, Policy, Rule};
use crate::script;

/// What to send for the table to become `to`.
pub fn transaction<'a>(live: Option<&Listing>, to: &'a NftTable) -> Result<Nftables<'a>, Foreign> {
    match live {
        Some(live) if is_editable(live) => edit(live, to),
        _ => replacement(to),
    }
}

/// What to send for the table to go.
pub fn removal() -> Nftables<'static> {
    let mut batch = Batch::new();
    batch.delete(table());
    batch.to_nftables()
}

/// Whatever was there, `to` takes its place.
pub fn replacement(to: &NftTable) -> Result<Nftables<'_>, Foreign> {
    let mut batch = Batch::new();
    // A table that does not exist cannot be deleted.
    batch.add(table());
    batch.delete(table());
    add_all(&mut batch, to)?;
    Ok(batch.to_nftables())
}

fn add_all<'a>(batch: &mut Batch<'a>, to: &'a NftTable) -> Result<(), Foreign> {
    batch.add(table());
    to.helpers.iter().for_each(|it| batch.add(helper(it)));
    for it in &to.chains {
        batch.add(chain(it.name, it.policy));
        for each in &it.rules {
            batch.add(NfListObject::Rule(rule(it.name, each, None)?));
        }
    }
    Ok(())
}

/// What we have no words for cannot be edited, only replaced.
fn is_editable(live: &Listing) -> bool {
    let mut handles = live.chains.iter().flat_map(|it| &it.handles);
    live.unknown.is_empty() && handles.all(Option::is_some)
}

/// What rules refer to before the rules, and the other way round when it goes.
fn edit<'a>(live: &Listing, to: &'a NftTable) -> Result<Nftables<'a>, Foreign> {
    let mut batch = Batch::new();
    batch.add(table());
    let new = to.helpers.iter().filter(|it| !live.helpers.contains(it));
    new.for_each(|it| batch.add(helper(it)));
    for it in &to.chains {
        let before = live.chains.iter().find(|old| old.chain.name == it.name);
        if before.map(|old| old.chain.policy) != Some(it.policy) {
            batch.add(chain(it.name, it.policy));
        }
        edit_rules(&mut batch, before, it)?;
    }
    for it in &live.chains {
        if to.chains.iter().all(|new| new.name != it.chain.name) {
            remove_chain(&mut batch, it);
        }
    }
    let old = live.helpers.iter().filter(|it| !to.helpers.contains(it));
    old.for_each(|it| batch.delete(helper(it)));
    Ok(batch.to_nftables())
}

fn remove_chain(batch: &mut Batch<'_>, it: &ListedChain) {
    let NfListObject::Chain(it) = chain(it.chain.name, Policy::Accept) else {
        return;
    };
    batch.add_cmd(NfCmd::Flush(FlushObject::Chain(it.clone())));
    batch.delete(NfListObject::Chain(it));
}

/// Removes what is not wanted any more, and adds the rest beside what stays.
fn edit_rules<'a>(
    batch: &mut Batch<'a>,
    before: Option<&ListedChain>,
    to: &'a Chain,
) -> Result<(), Foreign> {
    let (old, handles) = match before {
        Some(it) => (it.chain.rules.as_slice(), it.handles.as_slice()),
        None => (&[][..], &[][..]),
    };
    // Rules that mean the same are the same.
    let meanings = |rules: &[Rule]| rules.iter().map(Rule::canonical).collect();
    let (old_numbers, new_numbers) = script::numbered(meanings(old), meanings(&to.rules));
    let handle_of = |place: usize| handles.get(place).copied().flatten();
    let mut anchors = vec![None; to.rules.len()];
    let mut stays = vec![false; old.len()];
    for step in script::steps(&old_numbers, &new_numbers) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = step
        {
            stays
                .iter_mut()
                .skip(old_index)
                .take(len)
                .for_each(|it| *it = true);
            let places = anchors.iter_mut().skip(new_index).take(len);
            places
                .zip(old_index..)
                .for_each(|(it, place)| *it = handle_of(place));
        }
    }
    let gone = stays.iter().enumerate().filter(|(_, stays)| !**stays);
    for (place, _) in gone {
        batch.delete(NfListObject::Rule(bare_rule(to.name, handle_of(place))));
    }
    add_beside(batch, to, &anchors)
}

/// Each new rule goes in front of the nearest one behind it that stays, or at the end; nft knows no other place
/// relative to a rule in JSON (`json_parse_cmd_replace` in src/parser_json.c).
fn add_beside<'a>(
    batch: &mut Batch<'a>,
    to: &'a Chain,
    anchors: &[Option<u32>],
) -> Result<(), Foreign> {
    for (place, each) in to.rules.iter().enumerate() {
        let mut from_here = anchors.iter().skip(place).copied();
        if from_here.next().flatten().is_some() {
            continue;
        }
        let next = from_here.flatten().next();
        let added = NfListObject::Rule(rule(to.name, each, next)?);
        match next {
            Some(_) => batch.add_cmd(NfCmd::Insert(added)),
            None => batch.add(added),
        }
    }
    Ok(())
}
