//! A network namespace for one test, and a neighbour in another one.

use std::future::Future;
use std::process::{Child, Command};

use lvs_reconcile::delta::{Delta, Verb};
use lvs_reconcile::host::linux::LinuxHost;
use lvs_reconcile::host::{Host as _, HostError, Observation, Outcome, Scope};
use lvs_reconcile::ownership::Inventory;
use lvs_reconcile::plan::{Phase, Plan, Step};
use lvs_reconcile::resources::address::{Address, AddressKey};
use lvs_reconcile::resources::link::{Link, LinkKind};
use lvs_reconcile::resources::route::{Route, RouteKey};
use lvs_reconcile::resources::{Change, Keys, State};

/// Runs `test` on a thread of its own, in a network namespace of its own. Both are gone afterwards.
pub fn alone<F: Future<Output = ()>>(test: impl FnOnce(Space) -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .expect("these tests make network namespaces: run them as root");
        sh("ip link set lo up");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(test(Space::default()));
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a shell command in the namespace of the calling thread; it must succeed.
pub fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-ec", command]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Another namespace, alive as long as this.
pub struct Neighbour(Child);

impl Neighbour {
    /// With a cable from `near`, here, to `far`, there. Both ends are up.
    pub fn at(near: &str, far: &str) -> Self {
        let sleeper = Command::new("unshare")
            .args(["-n", "sleep", "600"])
            .spawn()
            .unwrap();
        let it = Self(sleeper);
        let own = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let theirs = format!("/proc/{}/ns/net", it.0.id());
        while std::fs::read_link(&theirs).unwrap() == own || !it.is_asleep() {
            std::thread::yield_now();
        }
        let id = it.0.id();
        sh(&format!(
            "ip link add {near} type veth peer name {far} netns {id}; ip link set {near} up"
        ));
        it.sh(&format!("ip link set lo up; ip link set {far} up"));
        it
    }

    /// `unshare` has become `sleep` once it has its namespace.
    fn is_asleep(&self) -> bool {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", self.0.id()));
        name.unwrap_or_default().trim() == "sleep"
    }

    /// Runs a shell command there.
    pub fn sh(&self, command: &str) -> String {
        let output = self.command(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A shell command there, not run yet.
    pub fn command(&self, command: &str) -> Command {
        let mut entered = Command::new("nsenter");
        entered.args(["-t", &self.0.id().to_string(), "-n", "sh", "-ec", command]);
        entered
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The machine under test.
#[derive(Default)]
pub struct Space {
    pub host: LinuxHost,
    pub inventory: Inventory,
}

impl Space {
    pub async fn observe(&mut self, desired: &State) -> Observation {
        let inventory = self.inventory.clone();
        let scope = Scope {
            desired,
            inventory: &inventory,
            since: None,
        };
        self.host.observe(&scope).await.unwrap()
    }

    pub async fn try_to_look(&mut self, desired: &State) -> Result<State, HostError> {
        let inventory = &self.inventory;
        let seen = self
            .host
            .observe(&Scope {
                desired,
                inventory,
                since: None,
            })
            .await?;
        Ok(seen.state)
    }

    pub async fn look(&mut self, desired: &State) -> State {
        self.observe(desired).await.state
    }

    /// What is still to do. What others made stays.
    pub async fn missing(&mut self, desired: &State) -> Vec<Change> {
        let live = self.look(desired).await;
        let mut changes = live.changes_to(desired);
        changes.retain(|it| it.verb() != Verb::Delete || self.inventory.owned.contains(it));
        changes
    }

    /// Plans and applies; everything must succeed, and a second look must find nothing to do.
    pub async fn reach(&mut self, desired: &State) {
        self.make(desired).await;
        assert_eq!(self.missing(desired).await, []);
    }

    /// Plans and applies; everything must succeed.
    pub async fn make(&mut self, desired: &State) {
        let changes = self.missing(desired).await;
        self.inventory = self
            .inventory
            .intending(&changes, &Keys::created_by(&changes));
        for run in Plan::of(changes).runs() {
            let outcomes = self.host.apply(run).await;
            assert_eq!(outcomes.len(), run.len());
            for (step, outcome) in run.iter().zip(outcomes) {
                let done = matches!(outcome, Outcome::Done | Outcome::AlreadySo);
                assert!(done, "{step:?}: {outcome:?}");
            }
        }
    }

    /// One change, and what became of it.
    pub async fn apply(&mut self, change: Change) -> Outcome {
        self.apply_all(vec![change]).await.remove(0)
    }

    /// A run of changes, and what became of each.
    pub async fn apply_all(&mut self, changes: Vec<Change>) -> Vec<Outcome> {
        let step = |change| Step::new(Phase::Address, change);
        let run: Vec<Step> = changes.into_iter().map(step).collect();
        self.host.apply(&run).await
    }
}

/// The refusal in an outcome.
pub fn refusal(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(error) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

pub fn link(name: &str, kind: LinkKind) -> Link {
    Link {
        name: name.into(),
        kind,
        up: true,
        mtu: None,
        controller: None,
    }
}

/// `eth0 10.0.0.1/24`, with a label where there is one.
pub fn address(text: &str) -> Address {
    let (interface, rest) = text.split_once(' ').unwrap();
    let (rest, label) = rest.split_once(' ').unwrap_or((rest, interface));
    let (ip, prefix) = rest.split_once('/').unwrap();
    let address: std::net::IpAddr = ip.parse().unwrap();
    let key = AddressKey {
        interface: interface.into(),
        address,
        prefix: prefix.parse().unwrap(),
    };
    Address {
        theirs: Default::default(),
        key,
        label: address.is_ipv4().then(|| label.to_owned()),
    }
}

pub fn add(text: &str) -> Change {
    Change::Address(Delta::Create { to: address(text) })
}

pub fn remove(text: &str) -> Change {
    Change::Address(Delta::Delete {
        from: address(text),
    })
}

/// `10.1.0.0/16 via 10.0.0.2 eth0`, or without `via`.
pub fn route(to: &str, via: Option<&str>, interface: &str) -> Route {
    let to: ipnet::IpNet = to.parse().unwrap();
    let metric = if to.addr().is_ipv4() { 0 } else { 1024 };
    Route {
        theirs: Default::default(),
        key: RouteKey {
            table: 254,
            to,
            metric,
        },
        via: via.map(|it| it.parse().unwrap()),
        interface: interface.into(),
    }
}

pub fn state(fill: impl FnOnce(&mut State)) -> State {
    let mut state = State::default();
    fill(&mut state);
    state
}
