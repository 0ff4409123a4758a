//! Names for machines that have none yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Document, Name};

/// The names that come after those of the real servers: rs3, rs4 … after rs1 and rs2. None when they follow no
/// pattern.
pub fn next_names(document: &Document) -> impl Iterator<Item = Name> {
    let directors = document.directors.iter().map(|it| it.name.clone());
    let servers = document.real_servers.iter().map(|it| it.name.clone());
    let taken: BTreeSet<Name> = directors.chain(servers).collect();
    let numbered = || {
        document
            .real_servers
            .iter()
            .filter_map(|it| numbered(it.name.as_str()))
    };
    let names = usual(numbered()).map(|(prefix, width)| {
        let of_series = numbered().filter(|it| it.0 == prefix);
        let highest = of_series.map(|it| it.2).max().unwrap_or_default();
        (highest + 1..).map_while(move |number| format!("{prefix}{number:0width$}").parse().ok())
    });
    names
        .into_iter()
        .flatten()
        .filter(move |it| !taken.contains(it))
}

/// Of names that end in numbers, what most begin with, and how many digits the last of them is filled up to. Of two that
/// are as many, the later one.
fn usual<'n>(names: impl Iterator<Item = (&'n str, usize, u64)>) -> Option<(&'n str, usize)> {
    let mut series: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for (order, (prefix, width, _)) in names.enumerate() {
        let (count, ..) = series.get(prefix).copied().unwrap_or_default();
        series.insert(prefix, (count + 1, order, width));
    }
    let most = series.into_iter().max_by_key(|(_, it)| *it);
    most.map(|(prefix, (_, _, width))| (prefix, width))
}

/// A name that ends in a number: what is before it, how many digits it is filled up to, and the number.
fn numbered(name: &str) -> Option<(&str, usize, u64)> {
    // More is no number of a machine.
    const MOST_DIGITS: usize = 9;
    let prefix = name.trim_end_matches(|it: char| it.is_ascii_digit());
    let digits = &name[prefix.len()..];
    let is_usual = !prefix.is_empty() && (1..=MOST_DIGITS).contains(&digits.len());
    let width = match digits.starts_with('0') {
        true => digits.len(),
        false => 0,
    };
    Some((prefix, width, digits.parse().ok()?)).filter(|_| is_usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(names: &[&str]) -> Vec<String> {
        let server = |name: &&str| serde_json::json!({ "name": name, "address": "192.0.2.1" });
        let servers: Vec<_> = names.iter().map(server).collect();
        let document = serde_json::json!({
            "version": 1, "realServers": servers,
            "directors": [{ "name": "rs4", "interfaces": [] }]
        });
        let document: Document = serde_json::from_value(document).unwrap();
        let next = next_names(&document).take(2);
        next.map(|it| it.to_string()).collect()
    }

    #[test]
    fn they_go_on_where_the_last_series_ends() {
        assert_eq!(next(&["rs1", "rs2"]), ["rs3", "rs5"], "a director is rs4");
        assert_eq!(next(&["rs9", "rs2", "far"]), ["rs10", "rs11"]);
        assert_eq!(next(&["rs1", "rs2", "far1"]), ["rs3", "rs5"], "most are rs");
        assert_eq!(next(&["rs1", "web-07"]), ["web-08", "web-09"]);
        assert_eq!(next(&["web09"]), ["web10", "web11"]);
        for none in [&[][..], &["alpha"], &["12"], &["x12345678901234567890"]] {
            assert_eq!(next(none), [""; 0], "{none:?}");
        }
    }
}
