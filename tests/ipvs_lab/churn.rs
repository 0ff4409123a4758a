//! While another process writes.

use super::*;

/// Another process, as far as the kernel can tell: adds and deletes the given objects until told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Writer {
    /// Its socket belongs to the namespace of the calling thread.
    fn start(add: Vec<Command>, delete: Vec<Command>) -> Self {
        let mut client = Client::open().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut rounds = 0;
            while !stopped.load(Ordering::Relaxed) {
                all_done(&client.execute(&add));
                all_done(&client.execute(&delete));
                rounds += 1;
            }
            rounds
        });
        Self { stop, thread }
    }

    fn stop(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// 500 stable services of each family, even numbers; odd ones come and go.
fn churn() -> (Vec<(Service, Vec<Destination>)>, Writer, Client) {
    let mut client = fresh();
    let stable: Vec<_> = (0..500)
        .flat_map(|n| [tcp4(2 * n), tcp6(2 * n)])
        .map(|id| {
            let reals = (1..=2_u16).map(|n| {
                masquerade(match id.family() {
                    Family::V4 => Ipv4Addr::from(0xac10_0000 + u32::from(n)).into(),
                    Family::V6 => Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, n).into(),
                })
            });
            (service(id, "rr"), reals.collect())
        })
        .collect();
    all_done(&client.execute(&commands(&stable)));
    let moving: Vec<_> = (0..500)
        .flat_map(|n| [tcp4(2 * n + 1), tcp6(2 * n + 1)])
        .collect();
    let add = moving
        .iter()
        .map(|id| Command::NewService(service(*id, "rr")))
        .collect();
    let delete = moving
        .iter()
        .rev()
        .map(|id| Command::DeleteService(*id))
        .collect();
    (stable, Writer::start(add, delete), client)
}

/// How many stable services a reading lacks or shows with other destinations.
fn lost(table: &Table, stable: &[(Service, Vec<Destination>)]) -> usize {
    let seen: BTreeMap<_, _> = table.services.iter().map(|(s, d)| (s.id, (s, d))).collect();
    assert_eq!(
        seen.len(),
        table.services.len(),
        "a service is listed twice"
    );
    let differs = |(service, destinations): &&(Service, Vec<Destination>)| {
        seen.get(&service.id) != Some(&(service, destinations))
    };
    stable.iter().filter(differs).count()
}

fn read_under_churn(options: ReadOptions, readings: u32) -> u32 {
    let (stable, writer, mut client) = churn();
    let (mut bad, mut least, mut most) = (0, usize::MAX, 0);
    let start = Instant::now();
    for _ in 0..readings {
        let mut wanted = stable.iter().map(|(service, _)| service.id);
        let table = client.read_with(&mut wanted, options).unwrap();
        bad += u32::from(lost(&table, &stable) > 0);
        (least, most) = (
            least.min(table.services.len()),
            most.max(table.services.len()),
        );
    }
    let rounds = writer.stop();
    println!(
        "{options:?}: {bad} of {readings} readings in {:.0?} lost something; {rounds} rounds of the writer, {least} to {most} services seen",
        start.elapsed()
    );
    assert!(
        rounds > 0 && most > stable.len(),
        "the writer did not get to write"
    );
    bad
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn nothing_stable_is_lost_while_another_process_writes() {
    assert_eq!(read_under_churn(ReadOptions::default(), 300), 0);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn nothing_stable_is_lost_by_netlink_alone() {
    assert_eq!(read_under_churn(NETLINK_ONLY, 60), 0);
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn without_confirmation_something_is_lost() {
    assert!(read_under_churn(UNCONFIRMED, 100) > 0);
}

/// 150 stable destinations of one IPv6 service do not fit into one datagram; 60 others come and go.
fn destination_churn(options: ReadOptions) -> (u32, u32) {
    let mut client = fresh();
    let one = service(tcp6(1), "rr");
    let of = |n: u16| masquerade(Ipv6Addr::new(0xfd02, 0, 0, 0, 0, 0, 0, n).into());
    let stable: Vec<_> = (0..150).map(|n| of(2 * n + 2)).collect();
    all_done(&client.execute(&commands(&[(one, stable.clone())])));
    let add = (0..60)
        .map(|n| Command::NewDestination(one.id, of(2 * n + 1)))
        .collect();
    let delete = (0..60)
        .map(|n| Command::DeleteDestination(one.id, of(2 * n + 1).address, 80))
        .collect();
    let writer = Writer::start(add, delete);
    let (mut torn, mut bad) = (0, 0);
    for _ in 0..200 {
        match client.read_with(&mut [one.id].into_iter(), options) {
            Err(Error::Torn(_)) => torn += 1,
            Err(e) => panic!("{e}"),
            Ok(table) => {
                let seen = &table.services[0].1;
                bad += u32::from(stable.iter().any(|d| !seen.contains(d)));
            }
        }
    }
    let rounds = writer.stop();
    println!(
        "{options:?}: {bad} of 200 lost a destination, {torn} gave up; {rounds} rounds of the writer"
    );
    (bad, torn)
}

#[test]
#[ignore = "needs root and IPVS: tests/lab/enter"]
fn a_torn_list_of_destinations_is_never_taken_for_whole() {
    let (bad, _) = destination_churn(ReadOptions::default());
    assert_eq!(bad, 0);
    let (bad, _) = destination_churn(UNCONFIRMED);
    assert!(bad > 0, "the test shows nothing");
}
