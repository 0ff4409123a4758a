//! Stand-in until merged.
use crate::ipvs::ServiceId;
use std::collections::BTreeMap;
use std::net::IpAddr;
#[derive(Debug, Default, Clone)]
pub struct Names {
    pub services: BTreeMap<ServiceId, String>,
    pub machines: BTreeMap<IpAddr, String>,
    pub vips: BTreeMap<IpAddr, String>,
}
impl Names {
    pub fn service(&self, id: &ServiceId) -> Option<&str> {
        self.services.get(id).map(String::as_str)
    }
    pub fn machine(&self, address: IpAddr) -> Option<&str> {
        self.machines.get(&address).map(String::as_str)
    }
    pub fn vip(&self, address: IpAddr) -> Option<&str> {
        self.vips.get(&address).map(String::as_str)
    }
}
