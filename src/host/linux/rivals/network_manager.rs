//! NetworkManager, and the interfaces that it sets up.

use std::path::Path;

use super::{index, text, value};

/// Its notes on each interface that it knows.
const DEVICES: &str = "/run/NetworkManager/devices";

/// Whether a connection of it is active on an interface.
pub fn sets_up(root: &Path, interface: &str) -> bool {
    let state = index(root, interface).and_then(|it| text(root, &format!("{DEVICES}/{it}")));
    let state = state.unwrap_or_default();
    let managed = value(&state, "device", "managed").is_some_and(|it| matches!(it, "true" | "1"));
    let connection = value(&state, "device", "connection-uuid");
    managed && connection.is_some_and(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::rivals::below;
    use std::fs;

    fn told(state: &str) -> bool {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("/sys/class/net/eth0/ifindex", "3\n"),
            ("/run/NetworkManager/devices/3", state),
        ] {
            let path = below(root.path(), path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert!(!sets_up(root.path(), "eth1"));
        sets_up(root.path(), "eth0")
    }

    #[test]
    fn an_active_connection_is_one_that_it_set_up() {
        let uuid = "connection-uuid=0bb8e4a1-5d5a-4d52-8d1c-d9c5d11b5a3c\n";
        assert!(told(&format!("[device]\nmanaged=true\n{uuid}")));
        assert!(!told(&format!("[device]\nmanaged=false\n{uuid}")));
        assert!(!told("[device]\nmanaged=true\n"));
        assert!(!told(&format!("[other]\nmanaged=true\n{uuid}")));
        assert!(!told(""));
    }
}
