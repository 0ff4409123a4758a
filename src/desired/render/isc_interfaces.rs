//! `/etc/default/isc-dhcp-server`: where Debian's dhcpd listens.

use crate::document::InterfaceName;

use super::HEADER;

/// The whole file. Both empty would make it listen everywhere.
pub(in super::super) fn isc_interfaces(interface: &InterfaceName) -> String {
    format!("{HEADER}INTERFACESv4=\"{interface}\"\nINTERFACESv6=\"\"\n")
}
