//! What large tables cost.

use super::*;

/// A figure of `/proc/self/status`, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// 10,000 services with 4 destinations each.
fn large(id: fn(u32) -> ServiceId) -> Vec<Command> {
    let real = |family, n: u16| match family {
        Family::V4 => Ipv4Addr::from(0xac10_0000 + u32::from(n)).into(),
        Family::V6 => Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, n).into(),
    };
    let reals = |id: ServiceId| (1..=4).map(|n| masquerade(real(id.family(), n))).collect();
    let table: Vec<_> = (0..10_000)
        .map(|n| (service(id(n), "wlc"), reals(id(n))))
        .collect();
    commands(&table)
}

/// The reading is done by a new process in the same namespace: what was allocated before would hide it.
#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn a_large_table_is_read_in_little_memory() {
    const NAME: &str = "cost::a_large_table_is_read_in_little_memory";
    if std::env::var_os("IPVS_LAB_READER").is_some() {
        let mut client = Client::open().unwrap();
        let before = memory("VmRSS:");
        assert_eq!(read(&mut client).services.len(), 10_000);
        let more = memory("VmHWM:") - before;
        println!("COST {more} KiB of memory");
        assert!(more < 10 << 10, "{more} KiB");
        return;
    }
    let mut client = fresh();
    all_done(&client.execute(&large(tcp4)));
    let reader = process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", NAME, "--nocapture"])
        .env("IPVS_LAB_READER", "1")
        .status();
    assert!(reader.unwrap().success());
}

/// Prints what large tables cost; with `VM_ICOUNT=1` a nanosecond is an instruction.
#[test]
#[ignore = "a measurement: tests/lab/enter"]
fn cost_of_large_tables() {
    let mut client = fresh();
    // Loads the scheduler's module.
    all_done(&client.execute(&[
        Command::NewService(service(tcp4(20_000), "wlc")),
        Command::DeleteService(tcp4(20_000)),
    ]));
    let timed = |what: &str, start: Instant| {
        println!("COST {what} {:.1} ms", start.elapsed().as_secs_f64() * 1e3)
    };
    for id in [tcp4, tcp6] {
        let sent = large(id);
        let start = Instant::now();
        all_done(&client.execute(&sent));
        timed("execute 50,000 commands", start);
    }
    let start = Instant::now();
    let mut wanted = (0..10_000).map(tcp4);
    let table = client.read(&mut wanted).unwrap();
    timed(
        "read 10,000 IPv4 and 10,000 IPv6 services with 4 destinations each",
        start,
    );
    assert_eq!(table.services.len(), 20_000);
    let sent: Vec<_> = (0..10_000)
        .map(|n| Command::DeleteService(tcp6(n)))
        .collect();
    all_done(&client.execute(&sent));
    drop(table);
    for options in [ReadOptions::default(), NETLINK_ONLY] {
        let start = Instant::now();
        let table = client
            .read_with(&mut (0..10_000).map(tcp4), options)
            .unwrap();
        timed(
            &format!("read 10,000 IPv4 services with 4 destinations each, {options:?}"),
            start,
        );
        assert_eq!(table.services.len(), 10_000);
    }
    let start = Instant::now();
    client.read_only(&[tcp4(77)]).unwrap();
    timed("read one service of 10,000", start);
}
