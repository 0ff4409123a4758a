//! Our file in `/etc/exports.d`.

use std::fmt::Write as _;

use ipnet::IpNet;

use crate::document::{Export, ExportClient};

use super::HEADER;

/// The whole file; `inside` are the clients of an export that names none.
pub(in super::super) fn exports(exports: &[Export], inside: &[IpNet]) -> String {
    let mut text = String::from(HEADER);
    for export in exports {
        text.push_str(&escaped(export.path.as_str()));
        for client in clients(export, inside) {
            // Never a blank before the parenthesis: it would export to everyone.
            let _ = write!(text, " {client}({})", options(export));
        }
        text.push('\n');
    }
    text
}

fn clients(export: &Export, inside: &[IpNet]) -> Vec<String> {
    match &export.clients {
        Some(clients) => clients.iter().map(ExportClient::to_string).collect(),
        None => inside.iter().map(IpNet::to_string).collect(),
    }
}

/// `sync` and `no_subtree_check` are today's defaults; saying so silences exportfs.
fn options(export: &Export) -> String {
    let access = if export.writable.unwrap_or(false) {
        "rw"
    } else {
        "ro"
    };
    let root = if export.root_squash.unwrap_or(true) {
        "root_squash"
    } else {
        "no_root_squash"
    };
    format!("{access},sync,no_subtree_check,{root}")
}

/// In quotes `\"` would end the path, so the path is not quoted: every byte that could mean something is octal.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+@%-".contains(&byte);
    path.bytes().fold(String::new(), |mut text, byte| {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "\\{byte:03o}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_means_something_to_exportfs_is_octal() {
        assert_eq!(super::escaped("/srv/kick start"), r"/srv/kick\040start");
        assert_eq!(super::escaped(r#"/a"b#c\d"#), r"/a\042b\043c\134d");
        assert_eq!(
            super::escaped("/opt/lvs_software-1.2"),
            "/opt/lvs_software-1.2"
        );
    }
}
