//! Plans without the machine: what `plan --save-live` wrote is what `plan --live` makes the same plan of, byte for byte.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use futures_util::FutureExt as _;
use lvs_reconcile::approved::Approved;
use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::desired::{Facts, Names, resolve};
use lvs_reconcile::document::{self, Document};
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::host::{Connections, Host};
use lvs_reconcile::lint::{Warning, Warnings};
use lvs_reconcile::output::{Context, Files, json, markdown, text};
use lvs_reconcile::overlay::drain::{Drains, Moment};
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::State;
use lvs_reconcile::sealed;
use lvs_reconcile::snapshot::{Recorder, Replay, Snapshot};
use lvs_reconcile::surroundings::Surroundings;
use proptest::prelude::*;

#[allow(dead_code, reason = "shared with programs that have properties")]
mod figures;
#[path = "offline/jail.rs"]
mod jail;
#[allow(dead_code, reason = "each test program draws from it what it needs")]
mod world;

fn context<'a>(names: &'a Names, warnings: &'a Warnings) -> Context<'a> {
    Context {
        command: "plan",
        node: "dir1",
        document: "cluster.json",
        names,
        warnings,
        choices: &[],
        live: None,
        files: Files::Diffed,
        most: usize::MAX,
    }
}

/// Everything that can be shown of a plan.
fn shown(turn: &Turn) -> [String; 3] {
    let names = Names::default();
    let warnings = Warnings::new(&[]);
    let context = context(&names, &warnings);
    [
        text::plan(turn, &context),
        json::plan(turn, &context).to_string(),
        markdown::plan(turn, &context, markdown::LIMIT),
    ]
}

fn planned(around: Surroundings, desired: State, host: &mut impl Host) -> Turn {
    let wanted = Wanted {
        desired,
        table: IpvsTable::Shared,
        inventory: around.inventory,
        drains: around.drains,
        now: around.now,
    };
    let options = Options::usual();
    let planned = turn(wanted, &options, host).now_or_never();
    planned.expect("nobody is waited for").unwrap()
}

/// Through a file and back.
fn on_file(snapshot: &Snapshot) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("live.json");
    fs::write(&path, sealed::text(snapshot)).unwrap();
    Snapshot::read(&path).unwrap()
}

/// A plan, and the snapshot that was taken with it.
fn recorded(host: &mut MemoryHost, around: Surroundings, desired: State) -> (Turn, Snapshot) {
    let mut recorder = Recorder::new(host);
    let turn = planned(around.clone(), desired, &mut recorder);
    let seen = recorder.complete(&around, Vec::new()).now_or_never();
    let snapshot = Snapshot {
        tool: "test".into(),
        taken: 0,
        document: String::new(),
        unsettled: around.inventory.unsettled.clone(),
        around,
        seen: seen.expect("nobody is waited for").unwrap(),
    };
    (turn, snapshot)
}

/// The plan that is made on the machine, with the snapshot of it, and the plan that the snapshot gives.
fn both(live: State, desired: &State, inventory: Inventory, busy: u64) -> (Turn, Turn) {
    let mut host = MemoryHost::new(live);
    let connections = Connections {
        active: busy,
        inactive: 0,
    };
    host.connections = host
        .state
        .destinations
        .keys()
        .map(|it| (it.clone(), connections))
        .collect();
    let around = Surroundings {
        inventory,
        drains: Drains::default(),
        now: Moment {
            boot_id: "one".into(),
            seconds: 1000,
        },
        ..Surroundings::unknown()
    };
    let (here, snapshot) = recorded(&mut host, around, desired.clone());
    let snapshot = on_file(&snapshot);
    let there = planned(
        snapshot.around,
        desired.clone(),
        &mut Replay {
            seen: snapshot.seen,
            is_of_another: false,
        },
    );
    (here, there)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_snapshot_gives_the_plan_that_was_made_on_the_machine(
        live in world::a_state(),
        desired in world::a_state(),
        ours in any::<bool>(),
        busy in 0_u64..3,
    ) {
        let owned = if ours { live.all_keys() } else { Default::default() };
        let inventory = Inventory { owned, unsettled: live.clone(), ..Inventory::default() };
        let (here, there) = both(live, &desired, inventory, busy);
        prop_assert_eq!(shown(&here), shown(&there));
        prop_assert_eq!(here.digest(), there.digest());
    }
}

#[test]
fn a_snapshot_that_was_edited_is_none() {
    let snapshot = Snapshot {
        tool: "test".into(),
        taken: 0,
        document: String::new(),
        around: Surroundings::unknown(),
        unsettled: State::default(),
        seen: Default::default(),
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("live.json");
    let says = |text: &str| {
        fs::write(&path, text).unwrap();
        Snapshot::read(&path).unwrap_err().to_string()
    };
    let text = sealed::text(&snapshot);
    assert!(
        says(&text.replace("\"test\"", "\"other\"")).contains("was changed since it was taken")
    );
    assert!(says(&text.replace("\"formatVersion\":1", "\"formatVersion\":2")).contains("format 2"));
    assert!(says(&text[..text.len() / 2]).contains("is no snapshot"));
    // However it is laid out.
    let compact: serde_json::Value = serde_json::from_str(&text).unwrap();
    fs::write(&path, format!("{compact:#}")).unwrap();
    assert!(Snapshot::read(&path).is_ok());
    let missing = Snapshot::read(Path::new("/nowhere/live.json")).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/live.json"));
}

/// A snapshot of a director with nothing on it.
fn bare(document: &Document) -> String {
    let node = document.directors[0].name.as_str();
    let facts = Facts::unknown();
    let desired = resolve(document, node, &facts).unwrap().state;
    let around = Surroundings {
        node: node.to_owned(),
        facts,
        ..Surroundings::unknown()
    };
    let mut host = MemoryHost::new(world::bare(&desired));
    let (_, snapshot) = recorded(&mut host, around, desired);
    sealed::text(&snapshot)
}

/// No network, no name to look up, no other process, no file written: the kernel would kill it.
#[test]
fn a_plan_of_a_snapshot_reads_its_files_and_writes_its_output() {
    let program = env!("CARGO_BIN_EXE_lvs-reconcile");
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live.json");
    let live = live.to_str().unwrap();
    for example in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap() {
        let path = example.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let path = path.to_str().unwrap();
        let Ok(document) = document::load(&fs::read(path).unwrap(), path) else {
            panic!("{path}");
        };
        fs::write(live, bare(&document)).unwrap();
        for format in ["text", "json", "markdown"] {
            let ran = jail::jailed(program, &["plan", "--live", live, path, "--format", format]);
            let said = String::from_utf8_lossy(&ran.stdout);
            let error = String::from_utf8_lossy(&ran.stderr);
            // A bare machine may lack an interface, which is refused.
            assert!(
                matches!(ran.status.code(), Some(0 | 6)),
                "{path}: {:?} {error}",
                ran.status
            );
            assert!(said.contains("snapshot"), "{path}: {said}");
        }
    }
    let minimal = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/minimal.json");
    let ran = jail::jailed(program, &["plan", minimal, "--node", "dir1"]);
    assert_eq!(
        ran.status.signal(),
        Some(libc::SIGSYS),
        "the jail is open: {ran:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A plan on file is the plan, and no other one.
    #[test]
    fn an_approved_plan_allows_itself_and_no_other(one in world::a_state(), other in world::a_state()) {
        let plan_for = |desired: &State| {
            planned(Surroundings::unknown(), desired.clone(), &mut MemoryHost::default())
        };
        let (one, other) = (plan_for(&one), plan_for(&other));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.json");
        let text = sealed::text(&Approved::of("dir1", &one));
        fs::write(&path, &text).unwrap();
        let approved = sealed::read::<Approved>(&path).unwrap();
        let names = Names::default();
        prop_assert!(approved.allow("dir1", &one, &names).is_ok());
        prop_assert!(approved.allow("dir2", &one, &names).is_err());
        let allowed = approved.allow("dir1", &other, &names);
        prop_assert_eq!(allowed.is_ok(), one.plan.steps == other.plan.steps);
        if let Err(refused) = allowed {
            let said = refused.to_string();
            prop_assert!(said.contains("not approved") || said.contains("not to be done now"), "{}", said);
        }
        // One step less, one value more: nobody has approved that.
        let tampered = text.replacen("\"verb\":\"create\"", "\"verb\":\"delete\"", 1);
        prop_assume!(tampered != text);
        fs::write(&path, tampered).unwrap();
        prop_assert!(sealed::read::<Approved>(&path).is_err());
    }
}

#[test]
fn of_many_warnings_a_comment_has_the_first() {
    let turn = planned(
        Surroundings::unknown(),
        State::default(),
        &mut MemoryHost::default(),
    );
    let names = Names::default();
    let many =
        (0..1000).map(|it| Warning::note(format!("{it}: @everybody, see #1 {}", "x".repeat(2000))));
    let warnings = Warnings::new(&[]).and(many);
    let comment = markdown::plan(&turn, &context(&names, &warnings), markdown::LIMIT);
    assert!(comment.chars().count() < 65_536);
    assert!(
        comment.contains("more remarks") && comment.contains("0: &#64;&#8203;everybody"),
        "{comment}"
    );
    assert!(
        !comment.contains("@e") && !comment.contains("#1 "),
        "{comment}"
    );
    // Beside many others each has one, and those that do not fit are counted.
    let comment = markdown::plans(&[(&turn, context(&names, &warnings)); 64]);
    assert!(comment.chars().count() < 65_536, "{}", comment.len());
    assert!(comment.contains(" directors more, for whom"), "{comment}");
}
