//! The kernel itself, in network namespaces made for one test each: links, addresses, routes, nftables, sysctls.
//! Needs root, `ip` and `nft`. What many build machines lack (dummy, VLAN, bond, IPVS) is marked
//! `ignored` here, and run in the lab: `tests/lab/vm … netns-… --include-ignored`.

#[path = "netns/addresses.rs"]
mod addresses;
#[path = "netns/balancer.rs"]
mod balancer;
#[path = "netns/dumps.rs"]
mod dumps;
#[path = "netns/links.rs"]
mod links;
#[path = "netns/nftables.rs"]
mod nftables;
#[path = "netns/routes.rs"]
mod routes;
#[path = "netns/rules.rs"]
mod rules;
#[path = "netns/settings.rs"]
mod settings;
#[path = "netns/space.rs"]
mod space;
#[path = "netns/stacked.rs"]
mod stacked;
