//! What the pure parts cost: time, allocations and memory for 10,000 virtual services with 4 destinations each, or
//! another size.
//!
//! ```text
//! cargo bench --bench pure                      all parts at 10000x4
//! cargo bench --bench pure -- 1000x100 resolve  parts whose name contains `resolve`
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lvs_reconcile::cycle::{Options, Wanted, turn};
use lvs_reconcile::desired::{self, Facts};
use lvs_reconcile::document;
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::journal::{self, Intent};
use lvs_reconcile::overlay::drain::{Drains, Moment};
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::plan::Plan;
use lvs_reconcile::resources::{Keys, State};
use lvs_reconcile::store::Store;

const TIMES: usize = 7;

/// Counts what is asked of the system's allocator.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        let now = BYTES.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Bench {
    only: Option<String>,
}

impl Bench {
    /// Shows the fastest of some runs, and what one run allocates, kept results included.
    fn part<T>(&self, name: &str, mut run: impl FnMut() -> T) {
        if self
            .only
            .as_ref()
            .is_some_and(|it| !name.contains(it.as_str()))
        {
            return;
        }
        let (calls, bytes) = (CALLS.load(Relaxed), BYTES.load(Relaxed));
        PEAK.store(bytes, Relaxed);
        let first = run();
        let (calls, kept) = (CALLS.load(Relaxed) - calls, BYTES.load(Relaxed) - bytes);
        let peak = PEAK.load(Relaxed) - bytes;
        drop(first);
        let mut best = Duration::MAX;
        for _ in 0..TIMES {
            let began = Instant::now();
            let made = black_box(run());
            best = best.min(began.elapsed());
            drop(made);
        }
        let mb = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        println!(
            "{name:<28} {:>9.2} ms {calls:>9} allocations {:>7.1} MB peak {:>7.1} MB kept",
            best.as_secs_f64() * 1e3,
            mb(peak),
            mb(kept)
        );
    }
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let size = words.next().unwrap_or_else(|| "10000x4".to_owned());
    let bench = Bench { only: words.next() };
    let (first, second) = (generated(&size, &[]), generated(&size, &["--weight", "9"]));
    let understood = |bytes: &[u8]| document::load(bytes, "bench.json").unwrap();
    let resolved = |it| desired::resolve(it, "bench", &Facts::unknown()).unwrap();
    println!("{size}: {} bytes of document", first.len());

    bench.part("parse and check", || understood(&first));
    let document = understood(&first);
    bench.part("resolve", || resolved(&document));
    let desired = resolved(&document).state;
    let changed = resolved(&understood(&second)).state;
    diffs(&bench, &desired, &changed);
    records(&bench, &desired);
    turns(&bench, &desired, &changed);
}

fn generated(size: &str, more: &[&str]) -> Vec<u8> {
    let mut command = Command::new("tests/lab/bench-gen");
    let made = command
        .args(["document", size])
        .args(more)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    made.stdout
}

fn diffs(bench: &Bench, desired: &State, changed: &State) {
    let empty = State::default();
    bench.part("diff of equal states", || desired.changes_to(desired));
    bench.part("diff with one change", || desired.changes_to(changed));
    bench.part("diff from nothing", || empty.changes_to(desired));
    bench.part("plan from nothing", || Plan::of(empty.changes_to(desired)));
}

/// What is written and read beside the kernel.
fn records(bench: &Bench, desired: &State) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path());
    let changes = State::default().changes_to(desired);
    let created = Keys::created_by(&changes);
    let inventory = Inventory::default().intending(&changes, &created);
    bench.part("journal, everything new", || {
        let intent = Intent {
            command: "apply",
            changes: &changes,
            created: &created,
            live: &State::default(),
            inventory: &inventory,
            armed: None,
        };
        journal::begin(&store, &intent).unwrap().discard();
    });
    bench.part("inventory, written", || {
        store.save_inventory(&inventory).unwrap()
    });
    store.save_inventory(&inventory).unwrap();
    bench.part("inventory, read", || store.inventory().unwrap());
}

/// Whole turns against a machine in memory: everything but parsing and the kernel.
fn turns(bench: &Bench, desired: &State, changed: &State) {
    let all = Inventory {
        owned: desired.all_keys(),
        ..Inventory::default()
    };
    let bare = State {
        links: desired.links.clone(),
        sysctls: desired.sysctls.clone(),
        modules: desired.modules.clone(),
        addresses: desired.addresses.clone(),
        ..State::default()
    };
    bench.part("turn, nothing to do", || looked(desired, desired, &all));
    bench.part("turn, one change, made", || made(desired, changed, &all));
    bench.part("turn, everything, made", || {
        made(&bare, desired, &Inventory::default())
    });
}

fn wanted(desired: &State, inventory: &Inventory) -> Wanted {
    Wanted {
        desired: desired.clone(),
        table: IpvsTable::Shared,
        inventory: inventory.clone(),
        drains: Drains::default(),
        now: Moment {
            boot_id: "one".into(),
            seconds: 1000,
        },
    }
}

fn looked(live: &State, desired: &State, inventory: &Inventory) {
    let mut host = MemoryHost::new(live.clone());
    let turn = ready(turn(
        wanted(desired, inventory),
        &Options::usual(),
        &mut host,
    ))
    .unwrap();
    assert!(turn.plan.is_empty());
}

fn made(live: &State, desired: &State, inventory: &Inventory) {
    let dir = tempfile::tempdir().unwrap();
    let mut host = MemoryHost::new(live.clone());
    ready(async {
        let wanted = wanted(desired, inventory);
        let mut turn = turn(wanted, &Options::usual(), &mut host).await.unwrap();
        let report = turn.make(&Store::at(dir.path()), &mut host).await.unwrap();
        assert!(report.is_converged(), "{:?}", report.end);
    });
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(future)
}
