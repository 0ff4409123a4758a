//! What we own, and what we owe: the inventory before a run, after a look, and after a run that was cut off.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::plan::Plan;
use lvs_reconcile::resources::{Change, Keys, State};
use serde_json::json;

/// Values of `net.ipv4.ip_forward` and `net.ipv4.ip_dynaddr`; none where it is empty.
fn sysctls(forward: &str, dynaddr: &str) -> State {
    let all = [
        ("net/ipv4/ip_forward", forward),
        ("net/ipv4/ip_dynaddr", dynaddr),
    ];
    let there = all.iter().filter(|(_, value)| !value.is_empty());
    let sysctls: Vec<_> = there
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    serde_json::from_value(json!({ "sysctls": sysctls })).unwrap()
}

/// A service with this scheduler, and a file beside it.
fn objects(scheduler: &str) -> State {
    serde_json::from_value(json!({
        "virtualServices": [{ "id": "tcp 192.0.2.80:80", "scheduler": scheduler, "onePacket": false, "schedulerFlags": 0 }],
        "files": [{ "path": "/etc/x", "form": "whole", "content": [{ "text": "x" }] }],
    }))
    .unwrap()
}

fn owning(owned: Keys) -> Inventory {
    Inventory {
        owned,
        ..Inventory::default()
    }
}

fn intending(inventory: &Inventory, from: &State, to: &State) -> Inventory {
    let changes = from.changes_to(to);
    inventory.intending(&changes, &Keys::created_by(&changes))
}

#[test]
fn what_is_made_or_edited_is_ours_and_what_is_deleted_becomes_no_more_so() {
    let made = intending(&Inventory::default(), &State::default(), &objects("rr"));
    assert_eq!(made.owned, objects("rr").all_keys());
    let edited = intending(&Inventory::default(), &objects("rr"), &objects("wrr"));
    assert_eq!(edited.owned.virtual_services.len(), 1);
    assert_eq!(edited.owned.files.len(), 0, "it was equal");
    let gone = intending(&Inventory::default(), &objects("rr"), &State::default());
    assert_eq!(gone.owned, Keys::default());
}

#[test]
fn what_is_set_is_not_ours_and_its_first_value_is_remembered() {
    let first = intending(
        &Inventory::default(),
        &sysctls("0", "0"),
        &sysctls("1", "0"),
    );
    assert_eq!(first.owned, Keys::default());
    assert_eq!(first.prior, sysctls("0", ""));
    let second = intending(&first, &sysctls("1", "0"), &sysctls("2", "0"));
    assert_eq!(second.prior, sysctls("0", ""));
}

#[test]
fn what_the_document_no_longer_speaks_of_is_given_back() {
    let inventory = Inventory {
        prior: sysctls("0", "0"),
        ..Inventory::default()
    };
    let document = sysctls("", "1");
    assert_eq!(inventory.giving_back(document.clone()), sysctls("0", "1"));
    assert_eq!(inventory.given_back(&document), sysctls("0", "").all_keys());
}

#[test]
fn what_is_gone_is_nobodys_and_what_was_given_back_is_owed_no_more() {
    let inventory = Inventory {
        owned: objects("rr").all_keys(),
        prior: sysctls("0", "0"),
        ..Inventory::default()
    };
    let given_back = sysctls("0", "0").all_keys();
    let now = |live: State| inventory.clone().settled(&live, &given_back);
    assert_eq!(now(sysctls("0", "0")).owned, Keys::default());
    assert_eq!(now(sysctls("0", "0")).prior, State::default());
    // One that still has our value is owed; one that is not there any more is not.
    assert_eq!(now(sysctls("1", "0")).prior, sysctls("0", ""));
    assert_eq!(now(sysctls("", "0")).prior, State::default());
    assert_eq!(now(objects("rr")).owned, objects("rr").all_keys());
}

/// Of a run that was cut off nobody knows how far it came.
#[test]
fn what_a_run_that_was_cut_off_may_have_done_is_ours_to_make_good() {
    let created = objects("rr").all_keys();
    let found = Inventory::default().recovered(&created, &sysctls("0", "0"), &Keys::default());
    assert_eq!((found.owned, found.prior), (created, sysctls("0", "0")));
    let before = Inventory {
        prior: sysctls("7", ""),
        ..Inventory::default()
    };
    let found = before.recovered(&Keys::default(), &sysctls("1", "0"), &Keys::default());
    assert_eq!(found.prior, sysctls("7", "0"), "the first value counts");
}

#[test]
fn what_it_may_have_edited_is_ours_when_it_was_edited() {
    let nobodys = Keys::default();
    let of_others = Inventory::default().recovered(&nobodys, &objects("rr"), &nobodys);
    let settled = |live: State| {
        let mut inventory = of_others.clone();
        let any = inventory.settle_edited(&live);
        (any, inventory.owned)
    };
    assert_eq!(settled(objects("rr")), (false, Keys::default()));
    let (any, owned) = settled(objects("wrr"));
    assert!(
        any && owned.virtual_services.len() == 1 && owned.files.is_empty(),
        "{owned:?}"
    );
    // What was ours before needs no look.
    let owned = objects("rr").all_keys();
    let mut ours = owning(owned.clone()).recovered(&nobodys, &objects("rr"), &owned);
    assert!(!ours.settle_edited(&objects("wrr")));
    assert!(!Inventory::default().settle_edited(&objects("wrr")));
}

#[test]
fn an_inventory_of_a_newer_version_is_not_read() {
    assert!(serde_json::from_value::<Inventory>(json!({ "version": 1 })).is_ok());
    let newer = serde_json::from_value::<Inventory>(json!({ "version": 2 })).unwrap_err();
    assert!(newer.to_string().contains("in version 2"), "{newer}");
}

/// What a host is given at once is of one kind and phase, and is as long as can be.
#[test]
fn runs_are_of_one_kind_and_phase() {
    let changes = sysctls("0", "0").changes_to(&sysctls("1", "1"));
    let plan = Plan::of(
        changes
            .into_iter()
            .chain(State::default().changes_to(&objects("rr")))
            .collect(),
    );
    assert!(!plan.is_empty() && Plan::default().is_empty());
    let of = |it: &lvs_reconcile::plan::Step| (it.phase, Change::kind(&it.change));
    let runs: Vec<_> = plan.runs().collect();
    assert!(
        runs.iter()
            .all(|run| run.iter().all(|it| of(it) == of(&run[0])))
    );
    assert!(runs.windows(2).all(|two| of(&two[0][0]) != of(&two[1][0])));
    assert_eq!(
        runs.iter().map(|run| run.len()).sum::<usize>(),
        plan.steps.len()
    );
    assert!(
        runs.len() < plan.steps.len() || plan.steps.len() == 4,
        "{runs:?}"
    );
}
