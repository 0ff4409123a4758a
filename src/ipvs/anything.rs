//! Every reader of bytes from the kernel at once, for tests that hand it any bytes at all.

use super::counters::parse_destination_counters;
use super::destination::{parse_destination, put_destination};
use super::members::members;
use super::netlink::{Dump, deliver};
use super::service::{parse_service, put_service};
use super::sockopt::{Entries, listed_services};
use super::types::{Family, ServiceId};
use super::wire::{Attributes, Messages, generic_body, verdict};

const SERVICE: ServiceId = ServiceId::FirewallMark {
    family: Family::V4,
    mark: 7,
};
/// Attributes within attributes are entered so often.
const DEPTH: u32 = 3;

/// Reads bytes in every way that any are read here, and says what is wrong: a list that does not end, or something
/// that is something else once it is written and read again.
#[doc(hidden)]
pub fn misread(bytes: &[u8]) -> Option<String> {
    let datagrams = bytes.len() / 4 + 1;
    if Messages(bytes).take(datagrams + 1).count() > datagrams {
        return Some("messages without an end".into());
    }
    let _ = deliver(bytes, 0, 64, &mut |_, _| {});
    let _ = Dump::new(0).datagram(bytes, "read", &mut |_| Ok(()));
    let _ = members(bytes, &[SERVICE]);
    for listed in listed_services(bytes) {
        let _ = listed.service.judge();
    }
    for raw in Entries::of(bytes) {
        let _ = raw.judge(SERVICE);
    }
    let messages = Messages(bytes).flatten();
    let mut in_messages = messages.filter_map(|(header, payload)| {
        let _ = verdict(header.flags, payload);
        generic_body(payload)
            .ok()
            .and_then(|it| misread_list(it, DEPTH))
    });
    in_messages.next().or_else(|| misread_list(bytes, DEPTH))
}

fn misread_list(bytes: &[u8], depth: u32) -> Option<String> {
    let most = bytes.len() / 4 + 1;
    if Attributes(bytes).take(most + 1).count() > most {
        return Some("attributes without an end".into());
    }
    let _ = parse_destination_counters(bytes);
    let nested = || {
        let mut values = Attributes(bytes).flatten();
        values.find_map(|(_, value)| misread_list(value, depth - 1))
    };
    misread_service(bytes)
        .or_else(|| misread_destination(bytes))
        .or_else(|| (depth > 0).then(nested).flatten())
}

fn misread_service(bytes: &[u8]) -> Option<String> {
    let read = parse_service(bytes).ok()?;
    let mut written = Vec::new();
    put_service(&mut written, &read);
    let again = parse_service(&written);
    (again.as_ref() != Ok(&read)).then(|| format!("{read:?} is read as {again:?}"))
}

fn misread_destination(bytes: &[u8]) -> Option<String> {
    let read = parse_destination(bytes, SERVICE).ok()?;
    let mut written = Vec::new();
    put_destination(&mut written, &read);
    let again = parse_destination(&written, SERVICE);
    (again.as_ref() != Ok(&read)).then(|| format!("{read:?} is read as {again:?}"))
}
