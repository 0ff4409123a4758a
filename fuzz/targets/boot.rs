//! What machines boot from, TFTP and HTTP: files whose lines are known, with values of the document in known places.

use lvs_reconcile::document::{Boot, BootFile, Director, Document};

/// Judges a file of network boot; false for one that is none.
pub fn assert_read(document: &Document, director: &Director, path: &str, text: &str) -> bool {
    let netboot = document.netboot.as_ref();
    let Some(boot) = netboot.and_then(|it| it.boot.as_ref()) else {
        return false;
    };
    let directory = boot
        .directory
        .as_ref()
        .map_or("/srv/tftp", |it| it.as_str());
    match path {
        "/etc/dnsmasq.d/lvs-reconcile-tftp.conf" => tftp(director, directory, text),
        "/etc/nginx/conf.d/lvs-reconcile.conf" => nginx(boot, directory, text),
        _ => {
            return path
                .strip_prefix(directory)
                .is_some_and(|it| nobodys(it, text));
        }
    }
    true
}

/// Nobody is armed, so these hold no value at all.
fn nobodys(file: &str, text: &str) -> bool {
    let begins = match file {
        "/pxelinux.cfg/default" => "# written by lvs-reconcile\nDEFAULT local\n",
        "/grub/grub.cfg" => "# written by lvs-reconcile\nset timeout=1\nset arch=x64\n",
        "/boot.ipxe" => {
            "#!ipxe\n# written by lvs-reconcile\nchain ipxe/${mac:hexhyp}.ipxe || exit 1\n"
        }
        _ => return false,
    };
    assert!(text.starts_with(begins), "{text}");
    true
}

fn tftp(director: &Director, directory: &str, text: &str) {
    let lines: Vec<&str> = text.lines().skip(1).filter(|it| *it != "port=0").collect();
    let [interface, root] = lines.as_slice() else {
        panic!("{text}");
    };
    let named = interface.strip_prefix("enable-tftp=");
    let mut interfaces = director.interfaces.iter();
    assert!(
        interfaces.any(|it| Some(it.name.as_str()) == named),
        "{text}"
    );
    assert_eq!(*root, format!("tftp-root={directory}"));
}

/// In nginx's grammar a directive ends at `;`, and a block at `}`.
fn nginx(boot: &Boot, directory: &str, text: &str) {
    let root = boot.web_root.as_ref().map_or("/srv/http", |it| it.as_str());
    assert!(text.contains(&format!("    root {root};\n")), "{text}");
    assert!(
        text.contains(&format!("    alias {directory}/;\n")),
        "{text}"
    );
    for (mark, count) in [(';', 8), ('{', 4), ('}', 4)] {
        assert_eq!(text.matches(mark).count(), count, "{mark} in {text}");
    }
}

/// A line of what dnsmasq tells firmwares, and serves them.
pub fn assert_dnsmasq_line(
    document: &Document,
    director: &Director,
    option: &str,
    fields: &[&str],
) {
    let netboot = document.netboot.as_ref();
    let boot = netboot
        .and_then(|it| it.boot.as_ref())
        .expect("a document without network boot");
    let loaders = boot.loaders.clone().unwrap_or_default();
    let is = |named: Option<&BootFile>, usual: &str, file: &str| {
        file == named.map_or(usual, |it| it.as_str())
    };
    let directory = boot
        .directory
        .as_ref()
        .map_or("/srv/tftp", |it| it.as_str());
    let known = match (option, fields) {
        ("dhcp-userclass", ["set:ipxe", "iPXE"]) => true,
        ("dhcp-vendorclass", ["set:pxe", "PXEClient"] | ["set:http", "HTTPClient"]) => true,
        ("dhcp-match", [_, "option:client-arch", "0" | "7" | "9" | "11"]) => true,
        ("dhcp-option-force", ["tag:http", "60", "HTTPClient"]) => true,
        ("dhcp-boot", ["tag:http", url]) => url.starts_with("http://") && url.contains("/boot/"),
        ("dhcp-boot", ["tag:pxe", "tag:ipxe", "boot.ipxe", "", _]) => true,
        ("dhcp-boot", ["tag:pxe", "tag:!ipxe", arch, file, "", _]) => match *arch {
            "tag:bios" => is(loaders.bios.as_ref(), "pxelinux.0", file),
            "tag:efi64" => is(loaders.uefi.as_ref(), "grubnetx64.efi", file),
            _ => is(loaders.uefi_arm.as_ref(), "grubnetaa64.efi", file),
        },
        ("enable-tftp", [name]) => director
            .interfaces
            .iter()
            .any(|it| it.name.as_str() == *name),
        ("tftp-root", [root]) => *root == directory,
        _ => false,
    };
    assert!(known, "{option}={fields:?}");
}
