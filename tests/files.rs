//! The file kind on a real file system. What needs root or namespaces is ignored where tests run without them.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

#[path = "files/blocks.rs"]
mod blocks;
#[path = "files/links.rs"]
mod links;
#[path = "files/owners.rs"]
mod owners;
#[path = "files/packages.rs"]
mod packages;
#[path = "files/refusals.rs"]
mod refusals;
#[path = "files/room.rs"]
mod room;
#[path = "files/secrets.rs"]
mod secrets;
#[path = "files/writing.rs"]
mod writing;
