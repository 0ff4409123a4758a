//! Sysctls, modules, and what is not there.

use lvs_reconcile::delta::Delta;
use lvs_reconcile::host::{Host as _, Outcome};
use lvs_reconcile::resources::module::{Module, ModuleName};
use lvs_reconcile::resources::sysctl::{Sysctl, SysctlKey};
use lvs_reconcile::resources::timeouts::Timeouts;
use lvs_reconcile::resources::{Change, State};

use crate::space::{alone, refusal, sh, state};

fn setting(path: &str, value: &str) -> Sysctl {
    Sysctl {
        key: SysctlKey::from_path(path),
        value: value.into(),
    }
}

#[test]
fn settings_are_written_and_read_in_this_namespace() {
    alone(async |mut space| {
        sh("ip link add eth0.100 type veth peer name far0");
        let desired = state(|it| {
            it.sysctls.insert(setting("net/ipv4/ip_forward", "1"));
            it.sysctls
                .insert(setting("net/ipv4/conf/eth0.100/rp_filter", "2"));
            it.sysctls
                .insert(setting("net/ipv4/ip_local_port_range", "20000 30000"));
        });
        space.reach(&desired).await;
        assert_eq!(
            sh("cat /proc/sys/net/ipv4/ip_local_port_range"),
            "20000\t30000\n"
        );
        // What was changed before is seen; what nobody speaks of is not.
        assert_eq!(space.look(&State::default()).await.sysctls.len(), 3);
        space.inventory = Default::default();
        assert!(space.look(&State::default()).await.sysctls.is_empty());
    });
}

#[test]
fn a_setting_that_does_not_exist_is_absent_and_cannot_be_made() {
    alone(async |mut space| {
        let desired = state(|it| it.sysctls.insert(setting("net/ipv4/vs/nonesuch", "1")));
        assert!(space.look(&desired).await.sysctls.is_empty());
        let to = setting("net/ipv4/vs/nonesuch", "1");
        let said = refusal(space.apply(Change::Sysctl(Delta::Create { to })).await);
        assert!(said.contains("no such setting"), "{said}");
    });
}

#[test]
fn a_value_that_the_kernel_refuses_ends_the_run() {
    alone(async |mut space| {
        let to = |path, value| {
            Change::Sysctl(Delta::Create {
                to: setting(path, value),
            })
        };
        let run = vec![
            to("net/ipv4/ip_forward", "1"),
            to("net/ipv4/conf/all/rp_filter", "perhaps"),
            to("net/ipv6/conf/all/forwarding", "1"),
        ];
        let [first, second, third] = <[Outcome; 3]>::try_from(space.apply_all(run).await).unwrap();
        assert!(matches!(
            (first, third),
            (Outcome::Done, Outcome::NotAttempted)
        ));
        let said = refusal(second);
        assert!(
            said.contains("rp_filter to perhaps: the kernel does not accept"),
            "{said}"
        );
        assert_eq!(sh("cat /proc/sys/net/ipv6/conf/all/forwarding").trim(), "0");
    });
}

#[test]
fn a_path_out_of_proc_sys_is_refused() {
    alone(async |mut space| {
        let to = setting("net/../../../etc/hosts", "x");
        refusal(space.apply(Change::Sysctl(Delta::Create { to })).await);
    });
}

#[test]
fn a_module_that_no_kernel_has_is_refused_with_the_kernel_and_packages() {
    alone(async |mut space| {
        let module = Module {
            name: ModuleName("lvs_no_such_module".into()),
        };
        let desired = state(|it| it.modules.insert(module.clone()));
        assert!(space.look(&desired).await.modules.is_empty());
        let said = refusal(
            space
                .apply(Change::Module(Delta::Create { to: module }))
                .await,
        );
        assert!(
            said.starts_with("cannot load the kernel module lvs_no_such_module"),
            "{said}"
        );
        assert!(
            said.contains(sh("uname -r").trim()) && said.contains("package"),
            "{said}"
        );
    });
}

#[test]
fn without_ipvs_there_is_nothing_of_it() {
    let has_ipvs = std::path::Path::new("/sys/module/ip_vs").exists();
    if has_ipvs {
        return;
    }
    alone(async |mut space| {
        let timeouts = Timeouts {
            tcp_seconds: Some(60),
            tcp_fin_seconds: None,
            udp_seconds: None,
        };
        let desired = state(|it| it.timeouts.insert(timeouts));
        let seen = space.look(&desired).await;
        assert!(seen.timeouts.is_empty() && seen.virtual_services.is_empty());
        assert!(space.host.connections().await.unwrap().is_empty());
        let said = refusal(
            space
                .apply(Change::Timeouts(Delta::Create { to: timeouts }))
                .await,
        );
        assert!(said.contains("IPVS"), "{said}");
    });
}
