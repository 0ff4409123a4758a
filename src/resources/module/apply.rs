//! Loads modules.

use super::Module;
use crate::delta::Delta;
use crate::host::linux::{LinuxHost, child, modules};
use crate::host::{HostError, Outcome};

/// Loads what is to be there, one by one, so that each has its own outcome. Nothing is ever unloaded.
pub async fn apply(_: &mut LinuxHost, deltas: &[&Delta<Module>]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let outcome = match delta.to() {
            Some(module) => load(&module.name.0).await,
            // Loaded modules are retained: somebody else may have come to need them.
            None => Outcome::AlreadySo,
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    outcomes
}

async fn load(name: &str) -> Outcome {
    let action = format!("cannot load the kernel module {}", name.escape_debug());
    if modules::is_present(name) {
        return Outcome::AlreadySo;
    }
    if !may_load() {
        return leave_to_the_kernel(name);
    }
    match child::ask("modprobe", &["--", name], None, child::TIME_LIMIT).await {
        Err(error) => Outcome::Failed(HostError::new(action, error)),
        Ok(output) if output.status.success() => Outcome::Done,
        Ok(output) => Outcome::Failed(HostError::new(action, reason(output.complaint().trim()))),
    }
}

/// The watch unit may not load modules. The kernel loads each of these by itself on first use: `ip_vs` when somebody
/// asks for its netlink family, schedulers and helpers when they are named. The last look finds out.
fn leave_to_the_kernel(name: &str) -> Outcome {
    if name == "ip_vs" {
        // Its settings must exist before its first service: whoever asks now has it loaded.
        drop(crate::ipvs::Client::open());
    }
    Outcome::AlreadySo
}

/// CAP_SYS_MODULE is 16, capabilities(7).
fn may_load() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let has = |mask: &str| u64::from_str_radix(mask.trim(), 16).is_ok_and(|it| it & 1 << 16 != 0);
    effective.is_none_or(has)
}

/// modprobe(8) says of a module that is not on the disk that it was `not found in directory …`.
fn reason(said: &str) -> String {
    let kernel = modules::running_kernel();
    if said.contains("not found") {
        return format!(
            "the running kernel {kernel} does not have it. It may be in another package \
             (Debian: linux-image-amd64 instead of the cloud kernel; Ubuntu: linux-modules-extra-{kernel}; \
             Red Hat: kernel-modules or kernel-modules-extra), or this kernel was upgraded and wants a reboot"
        );
    }
    if said.contains("Operation not permitted") {
        return "not permitted: loading modules needs CAP_SYS_MODULE, or the kernel is locked down"
            .into();
    }
    let line = said
        .lines()
        .next()
        .unwrap_or("modprobe failed and said nothing");
    line.trim_start_matches("modprobe: ")
        .escape_debug()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_module_names_the_kernel_and_the_packages() {
        let said = "modprobe: FATAL: Module ip_vs not found in directory /lib/modules/6.1.0-42-cloud-amd64";
        let reason = reason(said);
        assert!(reason.contains(&modules::running_kernel()), "{reason}");
        assert!(reason.contains("linux-modules-extra"), "{reason}");
    }

    #[test]
    fn other_reasons_are_passed_on() {
        let said = "modprobe: ERROR: could not insert 'ip_vs': Invalid argument\nmore";
        assert_eq!(
            reason(said),
            "ERROR: could not insert \\'ip_vs\\': Invalid argument"
        );
    }
}
