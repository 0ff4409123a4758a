//! Units with real daemons, in mounts and a network of their own. Without systemd they are init scripts; systemctl is
//! played by a script that keeps books.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

#[path = "units/dhcp.rs"]
mod dhcp;
#[path = "units/dnsmasq.rs"]
mod dnsmasq;
#[path = "units/kea.rs"]
mod kea;
#[path = "units/nfs.rs"]
mod nfs;
#[path = "units/stage.rs"]
mod stage;
#[path = "units/systemd.rs"]
mod systemd;
