//! Lists while others change what is listed, and names that were chosen to hurt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::space::{alone, sh, state};

/// Changes addresses and routes of this namespace until told to stop; says how often.
fn churn(stop: Arc<AtomicBool>, rounds: Arc<AtomicU32>) -> std::thread::JoinHandle<()> {
    // The thread inherits the namespace.
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            sh(
                "for n in 1 2 3 4 5; do ip addr add 10.66.$n.1/24 dev eth0; ip route add 10.77.$n.0/24 dev eth0; done; \
                for n in 1 2 3 4 5; do ip route del 10.77.$n.0/24 dev eth0; ip addr del 10.66.$n.1/24 dev eth0; done",
            );
            rounds.fetch_add(1, Ordering::Relaxed);
        }
    })
}

#[test]
fn nothing_is_missed_while_others_change_things() {
    alone(async |mut space| {
        sh("ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up");
        let script: String = (0..400)
            .map(|n| {
                let (high, low) = (n / 250, n % 250 + 1);
                format!("address add 10.20.{high}.{low}/32 dev eth0\nroute add 10.30.{high}.{low}/32 dev eth0\n")
            })
            .collect();
        let file = std::env::temp_dir().join(format!("lvs-netns-{}", std::process::id()));
        std::fs::write(&file, script).unwrap();
        sh(&format!("ip -batch {}", file.display()));
        std::fs::remove_file(&file).unwrap();
        let (stop, rounds) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU32::new(0)),
        );
        let churner = churn(Arc::clone(&stop), Arc::clone(&rounds));
        let mut looks = 0;
        while looks < 60 || rounds.load(Ordering::Relaxed) < 5 {
            let seen = space.look(&state(|_| ())).await;
            let ours = seen
                .addresses
                .iter()
                .filter(|it| it.key.to_string().contains("10.20."))
                .count();
            let routes = seen
                .routes
                .iter()
                .filter(|it| it.key.to_string().contains("10.30."))
                .count();
            assert_eq!((ours, routes), (400, 400));
            looks += 1;
        }
        stop.store(true, Ordering::Relaxed);
        churner.join().unwrap();
    });
}

#[test]
fn hostile_names_are_only_names() {
    alone(async |mut space| {
        let names = [r#"a";id;""#, "p`x`", "q$(id)", "x{}", "\u{202e}gnp"];
        for (n, name) in names.iter().enumerate() {
            sh(&format!(
                "ip link add 'h{n}' type bridge; ip link set 'h{n}' name '{name}' up"
            ));
            sh(&format!(
                "ip addr add 10.4{n}.0.1/24 dev '{name}'; ip route add 10.5{n}.0.0/24 dev '{name}'"
            ));
        }
        // Not UTF-8.
        sh(
            "ip link add h9 type bridge; n=$(printf 'b\\377d'); ip link set h9 name \"$n\" up; ip addr add 10.49.0.1/24 dev \"$n\"",
        );
        let seen = space.look(&state(|_| ())).await;
        let of = |name: &str| seen.addresses.iter().any(|it| it.key.interface == name);
        assert!(names.iter().all(|name| of(name)), "{:?}", seen.addresses);
        assert!(of(r"b\xffd"), "{:?}", seen.addresses);
        assert_eq!(seen.routes.len(), names.len());
    });
}

#[test]
fn two_looks_at_a_quiet_machine_are_equal() {
    alone(async |mut space| {
        sh("ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up");
        sh("ip addr add 10.0.0.1/24 dev eth0; ip route add default via 10.0.0.2");
        let first = space.look(&state(|_| ())).await;
        assert_eq!(first, space.look(&state(|_| ())).await);
    });
}
