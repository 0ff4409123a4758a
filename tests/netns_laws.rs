//! The laws on the kernel itself: a walk from one generated state to the next. Every step converges, the second run
//! changes nothing, the kernel does what the model says, `rollback` leads back, and what others made is never touched.
//!
//! LVS_WALK is the number of steps (default 10). What needs IPVS and dummy interfaces runs in the lab.

use lvs_reconcile::host::linux::LinuxHost;
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::host::{Host as _, Observation, Scope};
use lvs_reconcile::resources::State;
use lvs_reconcile::resources::file::File;
use lvs_reconcile::resources::link::LinkKind;
use lvs_reconcile::store::Store;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
mod runs;
#[allow(dead_code, reason = "shared with the tests of single kinds")]
#[path = "netns/space.rs"]
mod space;
#[allow(dead_code, reason = "shared with the laws of the model")]
mod world;

use figures::figure;
use runs::{comparable, make, planned, take_back};
use space::{alone, sh};
use world::a_state;

/// What is the operator's, or somebody else's.
const OTHERS: &str = "
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip link add eth0 type veth peer name far0; ip link add eth1 type veth peer name far1
    for it in eth0 eth1 far0 far1; do ip link set $it up; done
    ip addr add 198.51.100.1/32 dev eth0; ip route add 198.18.0.0/16 dev eth1
    nft 'add table inet theirs; add chain inet theirs c; add rule inet theirs c counter accept'";
const OTHERS_SERVICE: &str = "
    ipvsadm -A -t 198.51.100.1:8080 -s wrr; ipvsadm -a -t 198.51.100.1:8080 -r 10.0.0.200:8080 -m -w 7";

/// The machine, in the words of other programs.
const SNAPSHOT: &str = "
    (ip -4 -o addr show; ip -o link show | sed 's/ qdisc.*//') | sed 's/^[0-9]*: //'; ip route show
    nft list ruleset; cat /proc/sys/net/ipv4/ip_forward; head -v -n 99 DIR/*
    if [ -e /proc/net/ip_vs ]; then ipvsadm -Sn; ipvsadm -L --timeout; cat /proc/sys/net/ipv4/vs/conntrack; fi";

struct Walk {
    host: LinuxHost,
    store: Store,
    dir: tempfile::TempDir,
}

impl Walk {
    fn begin(others: &str) -> Self {
        sh(others);
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("files")).unwrap();
        std::fs::write(dir.path().join("files/theirs"), "theirs\n").unwrap();
        Self {
            host: LinuxHost::new(),
            store: Store::at(dir.path().join("state")),
            dir,
        }
    }

    fn files(&self) -> String {
        self.dir.path().join("files").to_str().unwrap().to_owned()
    }

    fn snapshot(&self) -> Vec<String> {
        let said = sh(&SNAPSHOT.replace("DIR", &self.files()));
        let mut lines: Vec<_> = said.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// Files go where nobody else looks, and there is no daemon to read them.
    fn here(&self, mut state: State) -> State {
        let files = std::mem::take(&mut state.files);
        state.files = files.iter().map(|it| self.moved(it)).collect();
        state.units = Default::default();
        state
    }

    fn moved(&self, file: &File) -> File {
        let mut file = file.clone();
        let name = file.key.path.rsplit('/').next().unwrap().to_owned();
        file.key.path = format!("{}/{name}.txt", self.files());
        file
    }

    async fn observe(&mut self, desired: &State) -> Observation {
        let inventory = self.store.inventory().unwrap();
        let scope = Scope {
            desired,
            inventory: &inventory,
            since: None,
        };
        self.host.observe(&scope).await.unwrap()
    }

    /// One step of the walk: there, nothing more to do, back, and there again.
    async fn step(&mut self, desired: &State) {
        let before = self.snapshot();
        let inventory = self.store.inventory().unwrap();
        let turn = make(&mut self.host, desired, &self.store).await;
        let there = self.snapshot();
        self.compare_with_the_model(&turn.seen.state, &turn.plan.steps, desired)
            .await;
        let second = planned(&mut self.host, desired.clone(), &self.store).await;
        assert!(second.plan.is_empty(), "the second plan: {:?}", second.plan);
        if turn.plan.is_empty() {
            return;
        }
        take_back(&mut self.host, &self.store, 1).await;
        assert_eq!(self.snapshot(), before, "taken back");
        assert_eq!(self.store.inventory().unwrap(), inventory);
        make(&mut self.host, desired, &self.store).await;
        assert_eq!(self.snapshot(), there, "made again");
    }

    async fn compare_with_the_model(
        &mut self,
        live: &State,
        steps: &[lvs_reconcile::plan::Step],
        desired: &State,
    ) {
        let mut model = MemoryHost::new(live.clone());
        model.apply(steps).await;
        let kernel = self.observe(desired).await.state;
        let differs = comparable(&model.state).changes_to(&comparable(&kernel));
        assert!(
            differs.is_empty(),
            "the kernel differs from the model: {differs:?}"
        );
    }
}

fn steps() -> usize {
    let told = std::env::var("LVS_WALK").ok();
    told.map_or(10, |it| it.parse().unwrap())
}

/// Walks, and tells what was found. Whatever is random is the same every time.
async fn walk(others: &str, place: &str, fit: impl Fn(State) -> State) {
    let mut walk = Walk::begin(others);
    let mut runner = TestRunner::deterministic();
    let begin = walk.snapshot();
    for number in 0..steps() {
        let state = a_state().new_tree(&mut runner).unwrap().current();
        let state = walk.here(fit(state));
        eprintln!("step {number}: {}", serde_json::to_string(&state).unwrap());
        walk.step(&state).await;
    }
    let nothing = State::default();
    make(&mut walk.host, &nothing, &walk.store).await;
    assert_eq!(walk.snapshot(), begin, "what others made is as it was");
    let n = steps();
    figure(
        "P2",
        place,
        &format!("{n} runs taken back, 0 objects differ"),
    );
    figure("P6", place, &format!("{n} second runs, 0 steps"));
    figure(
        "P7",
        place,
        &format!("{n} of {n} states reached in one run, each as the model has it"),
    );
    figure(
        "P9",
        place,
        &format!("0 foreign objects changed by {} runs", 3 * n),
    );
}

/// Without what this kernel may lack: IPVS and dummy interfaces; a bridge takes their place.
fn without_ipvs(mut state: State) -> State {
    state.virtual_services = Default::default();
    state.destinations = Default::default();
    state.timeouts = Default::default();
    state.modules = Default::default();
    state.sysctls.retain(|it| !it.path().contains("/vs/"));
    let links = std::mem::take(&mut state.links);
    state.links = links
        .iter()
        .cloned()
        .map(|mut it| {
            if it.kind == LinkKind::Dummy {
                it.kind = LinkKind::Bridge;
            }
            it
        })
        .collect();
    state
}

#[test]
fn the_laws_hold_on_this_kernel() {
    alone(async |_| walk(OTHERS, "namespaces", without_ipvs).await);
}

#[test]
#[ignore = "needs a kernel with IPVS"]
fn the_laws_hold_with_ipvs() {
    alone(async |_| walk(&format!("{OTHERS}{OTHERS_SERVICE}"), "lab", |it| it).await);
}
