//! Any text in a plan and in a report, and what is printed of it: nothing on the screen, in a comment or in a program's
//! data is there but what we wrote ourselves.
//!
//! The bytes are texts for a machine and for what is wanted of it. Each is a place and some pieces.

use std::sync::OnceLock;
use std::task::{Context as Polled, Poll, Waker};

use jsonschema::Validator;
use lvs_reconcile::apply::{End, Failure, Report};
use lvs_reconcile::cycle::{Options, Turn, Wanted, turn};
use lvs_reconcile::desired::{Desired, Facts, resolve};
use lvs_reconcile::document;
use lvs_reconcile::guards::Refusal;
use lvs_reconcile::host::memory::MemoryHost;
use lvs_reconcile::host::{Connections, HostError};
use lvs_reconcile::lint::{Warning, Warnings};
use lvs_reconcile::output::{self, Context, Files, json, markdown, report, status, text};
use lvs_reconcile::overlay::drain::{Drains, Moment};
use lvs_reconcile::ownership::{Inventory, IpvsTable};
use lvs_reconcile::resources::{Change, Kind, State};
use serde_json::Value;

use super::readers::{assert_comment, assert_plain};

/// Something of every kind.
const DOCUMENT: &str = r#"{
  "version": 1, "domain": "example.org",
  "directors": [{ "name": "dir1", "gateway": "192.0.2.1", "interfaces": [
    { "name": "eth0", "role": "outside", "addresses": ["192.0.2.2/24"] },
    { "name": "eth1", "role": "inside", "addresses": ["10.0.0.1/24"] },
    { "name": "eth1.7", "vlan": { "parent": "eth1", "id": 7 }, "addresses": ["10.7.0.1/24"] }] }],
  "realServers": [
    { "name": "rs1", "address": "10.0.0.11", "mac": "52:54:00:00:00:11" },
    { "name": "rs2", "address": "10.0.0.12", "mac": "52:54:00:00:00:12" }],
  "vips": [{ "name": "web", "address": "192.0.2.10" }],
  "services": [{ "name": "http", "vip": "web", "port": 80 }, { "name": "ftp", "vip": "web", "port": 21 }],
  "firewall": { "forwardPolicy": "drop", "masquerade": true },
  "exports": [{ "path": "/srv/www" }],
  "files": [{ "path": "/etc/motd", "content": ["one", "two"], "mode": "0640", "owner": "root", "group": "adm" }]
}"#;
/// So that every place can be another one.
const EDITS: usize = 24;
/// How long a text gets by repeating a piece.
const LONGEST: usize = 20_000;

/// What somebody would write who wants to be taken for us, or not to be seen.
const PIECES: [&str; 34] = [
    "http://x.org/",
    "www.x.org",
    "<script>",
    "</summary></details>",
    "<!--",
    "&#60;b&#62;",
    "@everybody",
    "#1",
    "GH-1",
    "`",
    "```",
    "```\n",
    "~~~\n",
    "|",
    "\n| a | b |\n",
    "\n\n# Title\n",
    "[a](http://x)",
    "![a](b)",
    "**b**",
    "_u_",
    "$x$",
    "\\",
    "\u{1b}[31;5m",
    "\u{1b}]0;x\u{7}",
    "\u{9b}5m",
    "\r",
    "\n! refused: ",
    "\0",
    "\u{202e}",
    "\u{61c}",
    "\u{2067}",
    "\u{200b}",
    "\u{e0041}",
    "\"]:::create\nclick s0 \"javascript:x\"\n",
];

/// Bytes that are used up.
struct Drawn<'a>(&'a [u8]);

impl Drawn<'_> {
    fn number(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first)
    }

    /// Pieces, each of them once or often, or some bytes as they are.
    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.number() % 4 {
            let (which, often) = (self.number(), self.number());
            match PIECES.get(which % (PIECES.len() + 4)) {
                Some(piece) if often < 250 => text += &piece.repeat(1 + often % 3),
                Some(piece) => text += &piece.repeat(LONGEST / piece.len()),
                None => {
                    let (own, rest) = self.0.split_at(self.0.len().min(often));
                    text += &String::from_utf8_lossy(own);
                    self.0 = rest;
                }
            }
        }
        text
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.number() % 3).map(|_| self.text()).collect()
    }
}

/// What the document asks for, and where in it, as JSON, any text may stand.
fn base() -> &'static (Desired, Value, Vec<String>) {
    static BASE: OnceLock<(Desired, Value, Vec<String>)> = OnceLock::new();
    BASE.get_or_init(|| {
        let document = document::load(DOCUMENT.as_bytes(), "cluster.json").expect("it is good");
        let desired = resolve(&document, "dir1", &Facts::unknown()).expect("it fits");
        let state = serde_json::to_value(&desired.state).expect("a state is JSON");
        let mut places = Vec::new();
        super::rendered::collect(&state, String::new(), &mut places);
        places.retain(|at| with(&state, &[(at.clone(), "any text".to_owned())]).is_some());
        assert!(places.len() > 30, "{places:?}");
        (desired, state, places)
    })
}

/// The state with these texts in these places; none when a word must stand in one of them.
fn with(state: &Value, edits: &[(String, String)]) -> Option<State> {
    let mut state = state.clone();
    for (place, text) in edits {
        match state.pointer_mut(place) {
            Some(Value::String(it)) => it.clone_from(text),
            _ => return None,
        }
    }
    serde_json::from_value(state).ok()
}

/// The base with texts that are drawn.
fn drawn_state(drawn: &mut Drawn<'_>) -> State {
    let (desired, state, places) = base();
    let mut edits = Vec::new();
    for _ in 0..drawn.number() % EDITS {
        let place = drawn.number() << 8 | drawn.number();
        edits.push((places[place % places.len()].clone(), drawn.text()));
    }
    with(state, &edits).unwrap_or_else(|| desired.state.clone())
}

/// Nobody is waited for.
fn now<T>(work: impl Future<Output = T>) -> T {
    match std::pin::pin!(work).poll(&mut Polled::from_waker(Waker::noop())) {
        Poll::Ready(it) => it,
        Poll::Pending => panic!("somebody is waited for"),
    }
}

fn planned(drawn: &mut Drawn<'_>) -> Turn {
    let (live, desired) = (drawn_state(drawn), drawn_state(drawn));
    let mut inventory = Inventory::default();
    if !drawn.number().is_multiple_of(4) {
        inventory.owned = live.all_keys();
    }
    let mut host = MemoryHost::new(live);
    let busy = Connections {
        active: 1,
        inactive: 0,
    };
    let destinations = host.state.destinations.keys().copied();
    host.connections = destinations.map(|it| (it, busy)).collect();
    let wanted = Wanted {
        desired,
        table: IpvsTable::Shared,
        inventory,
        drains: Drains::default(),
        now: Moment::default(),
    };
    let mut turn = now(turn(wanted, &Options::usual(), &mut host)).expect("memory does not fail");
    turn.seen.unreadable = drawn.texts();
    let conflicts = drawn.texts().into_iter();
    let conflict = |name| Refusal::Conflict {
        kind: Kind::File,
        name,
    };
    turn.refusals.extend(conflicts.map(conflict));
    turn
}

pub fn check(bytes: &[u8]) {
    let mut drawn = Drawn(bytes);
    let turn = planned(&mut drawn);
    let [node, document, live, reason] = [(); 4].map(|()| drawn.text());
    let choices = drawn.texts();
    let warnings = Warnings::new(&[]).and(drawn.texts().into_iter().map(Warning::note));
    let context = Context {
        command: "plan",
        node: &node,
        document: &document,
        names: &base().0.names,
        warnings: &warnings,
        choices: &choices,
        live: Some(live.as_str()).filter(|it| !it.is_empty()),
        files: Files::Diffed,
        most: 1 + drawn.number(),
    };
    assert_text(&turn, &context, &reason);
    let room = [markdown::LIMIT, 8000, 300][drawn.number() % 3];
    let comment = markdown::plan(&turn, &context, room);
    assert_comment(&comment);
    assert!(
        comment.len() <= room.max(markdown::LEAST),
        "{} of {room}: {comment}",
        comment.len()
    );
    let many: Vec<_> = (0..[1, 2, 5, 30][drawn.number() % 4])
        .map(|_| (&turn, context))
        .collect();
    let comment = markdown::plans(&many);
    assert_comment(&comment);
    assert!(comment.chars().count() < 65_536, "{}", comment.len());
    assert_json(&json::plan(&turn, &context));
}

/// Everything that people read on a terminal.
fn assert_text(turn: &Turn, context: &Context<'_>, reason: &str) {
    assert_plain(&text::plan(turn, context));
    assert_plain(&text::remarks(turn, context));
    assert_plain(&status::status(turn, &turn.connections, context));
    assert_plain(&status::foreign(turn));
    for report in reports(turn, reason) {
        assert_plain(&report::report(&report, turn));
        assert_plain(&report::urgent(&report));
        assert_json(&json::with_report(json::plan(turn, context), &report));
    }
    assert_plain(&output::lines(reason));
}

/// How it may have ended.
fn reports(turn: &Turn, reason: &str) -> Vec<Report> {
    let error = HostError::new(reason, reason);
    let lost: Vec<Change> = turn.changes.iter().chain(&turn.foreign).cloned().collect();
    let undone = |why| End::Undone {
        why,
        undone: 0,
        left: lost.clone(),
    };
    let step = turn.plan.steps.first().map(|step| Failure::Step {
        step: Box::new(step.clone()),
        error: error.clone(),
    });
    let failed = [Failure::Differs(lost.clone()), Failure::Blind(error)];
    let ends = failed
        .into_iter()
        .chain(step)
        .map(undone)
        .chain([End::Converged]);
    let report = |end| Report {
        done: 1,
        live: None,
        lost: lost.clone(),
        end,
    };
    ends.map(report).collect()
}

/// What a program reads back, as its schema has it, and what a terminal shows of it.
fn assert_json(value: &Value) {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let schema = serde_json::from_str(json::SCHEMA).expect("a schema is JSON");
        jsonschema::validator_for(&schema).expect("it is a schema")
    });
    let text = json::text(value);
    assert_plain(&text);
    let read: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(read, *value);
    let wrong: Vec<_> = schema.iter_errors(value).map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
