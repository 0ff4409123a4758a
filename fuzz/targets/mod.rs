//! What is asked of any bytes. The fuzzer draws them (`fuzz/run`); `tests/fuzz_corpus.rs` replays those that were kept.

pub mod document;
pub mod formats;
pub mod netlink;
pub mod nft;
pub mod rendered;

mod boot;
mod daemons;
mod dhcpd;
mod kickstart;
mod leases;
mod own;
mod readers;
