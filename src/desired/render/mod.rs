//! Renderers: one per generated file, from typed values to text. No value can hold a character that means something in
//! its file (`document::values` has the grammars), so none of them has to be trusted to quote; but a script is a text,
//! and whoever writes one says how it stands in its file.

mod autoinstall;
mod boot;
mod dhcpd;
mod dnsmasq;
mod exports;
mod finish;
mod hosts;
mod isc_interfaces;
mod kea;
mod kickstart;
mod leases;
mod modules;
mod nginx;
mod preseed;
mod secret;
mod ssh_config;
mod sysctls;

pub(super) use autoinstall::{autoinstall, meta_data};
pub(super) use boot::{
    Copies, IPXE, Install, Loaded, dashed, grub, grub_default, grub_name, ipxe, ipxe_default,
    pxelinux, pxelinux_default,
};
pub(super) use dhcpd::dhcpd;
pub(super) use dnsmasq::{dnsmasq, dnsmasq_hosts, tftp};
pub(super) use exports::exports;
pub(super) use hosts::hosts;
pub(super) use isc_interfaces::isc_interfaces;
pub(super) use kea::kea;
pub(super) use kickstart::{kickstart, port};
pub(super) use leases::{Reservation, Subnet};
pub(super) use modules::modules;
pub(super) use nginx::{Web, nginx};
pub(super) use preseed::preseed;
pub(super) use secret::{PASSWORD, with_password};
pub(super) use ssh_config::ssh_config;
pub(super) use sysctls::sysctls;

use crate::document::{DomainName, Name};
use crate::resources::file::HEADER;

/// The full name of a node.
pub(super) fn full_name(name: &Name, domain: Option<&DomainName>) -> String {
    match domain {
        Some(domain) => format!("{name}.{domain}"),
        None => name.to_string(),
    }
}
