//! Our server for nginx: what installers and firmwares fetch over HTTP.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::HEADER;

/// What is served, where, and to whom.
pub(in super::super) struct Web<'a> {
    pub address: Ipv4Addr,
    pub clients: Ipv4Net,
    /// Of boot files, under `/boot/`.
    pub boot: &'a str,
    /// Of kickstart files, under `/kickstart/`.
    pub kickstart: &'a str,
    /// Of everything else: install trees.
    pub root: &'a str,
    /// Of what is fetched from `kickstart`.
    pub log: &'a str,
}

/// The whole file, for nginx's `conf.d`. The log tells who has fetched which kickstart file, and when; install
/// trees, of which everything is fetched, stay out of it.
pub(in super::super) fn nginx(web: &Web) -> String {
    let Web {
        address,
        clients,
        boot,
        kickstart,
        root,
        log,
    } = web;
    format!(
        "{HEADER}\
         log_format lvs_reconcile '$msec $remote_addr $status $uri';\n\n\
         server {{\n  \
         listen {address}:80;\n  \
         allow {clients};\n  \
         deny all;\n  \
         location / {{\n    root {root};\n  }}\n  \
         location /kickstart/ {{\n    alias {kickstart}/;\n    access_log {log} lvs_reconcile;\n  }}\n  \
         location /boot/ {{\n    alias {boot}/;\n  }}\n\
         }}\n"
    )
}
