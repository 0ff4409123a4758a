//! The command line: arguments in, one call, output. One file per command.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cycle::{Options, Turn};
use crate::error::{Error, Success};
use crate::guards::Deletions;
use crate::output::{self, Context, Files};
use crate::overlay::drain::Policy;
use crate::session::Part;
pub use crate::session::Target;
use voice::Voice;

mod adopt;
mod adopt_machine;
mod apply;
mod arm;
mod confirm;
mod destroy;
mod diff;
mod discover;
mod guard;
mod hash_password;
mod history;
mod manual;
mod plan;
mod render;
mod rollback;
mod safety;
mod schema;
mod snapshot;
mod status;
mod validate;
mod voice;
mod watch;

/// Makes a Linux Virtual Server cluster match one JSON document, and changes only what differs.
#[derive(Debug, Parser)]
#[command(name = "lvs-reconcile", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// It may be said before the command, too, which then has it.
    #[command(flatten)]
    _voice: Voice,
}

const EXAMPLES: &str = "\
Examples:
  lvs-reconcile validate cluster.json        is the document right? needs no root, no director
  lvs-reconcile plan                         what would change on this director, and what it costs
  lvs-reconcile diff old.json new.json       what a new document would change; needs no director
  lvs-reconcile apply                        shows the plan, asks, changes, verifies
  lvs-reconcile plan --detailed-exitcode     0: nothing to do, 2: there are changes
  lvs-reconcile render --to out cluster.json --node dir1
                                             the generated files, to read
  lvs-reconcile status                       what is ours, what drifts, who is connected
  lvs-reconcile watch                        keeps the machine that way
  lvs-reconcile apply --confirm-within 2m    taken back unless you can still come in and confirm
  lvs-reconcile rollback                     takes the last run back
  lvs-reconcile discover                     who asked for an address and is not known yet
  lvs-reconcile adopt-machine 52:54:00:12:34:56
                                             adds one to the document

Exit codes:
  0  done, nothing to do, or draining
  1  bad document, bad usage, or the machine could not be looked at
  2  only with --detailed-exitcode: there are changes
  3  a step failed, and everything was undone
  4  a step failed, and something is left
  5  locked by another run, or a run waits to be confirmed
  6  refused: a guard, something that is not ours, or you said no";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what apply would change, and what that does to traffic.
    Plan(plan::Plan),
    /// Print the live state, for `plan --live` on another machine. Hashes of passwords are not in it, nor what stands in
    /// files of others; contents of files of ours are, the document in force, and who is connected by ssh.
    Snapshot(snapshot::TakeSnapshot),
    /// Show what another document would change, without the director: for reviews.
    Diff(diff::Diff),
    /// Show the plan, ask, make exactly those changes, and verify.
    Apply(apply::Apply),
    /// Keep the machine as the document says: reload it when it changes, correct drift.
    Watch(watch::Watch),
    /// Check a document, and name every problem with its place and what would be right.
    Validate(validate::Validate),
    /// Print the JSON schema of the document, for editors, or of a plan, for programs.
    Schema(schema::Schema),
    /// Write the generated files into a directory, to read.
    Render(render::Render),
    /// List what is ours, what drifts, what is not ours, and who is connected.
    Status(status::Status),
    /// Remove everything that is ours, in tear-down order, after showing it.
    Destroy(destroy::Destroy),
    /// Keep a run that was made with --confirm-within: from a new connection, while its time is not up.
    Confirm(confirm::Confirm),
    /// Give the objects that a run touched the values they had before it.
    Rollback(rollback::Rollback),
    /// List the last runs, and what became of them.
    History(history::History),
    /// Let machines install themselves when they boot next, once: until then they boot from their disks.
    Arm(arm::ArmMachines),
    /// Let machines boot from their disks again.
    Disarm(arm::Disarm),
    /// List the machines that asked for an address and are in no document, and what brings each in.
    Discover(discover::Discover),
    /// Add a machine to the document: its entry, in the document's own style, and nothing else of it changes.
    AdoptMachine(adopt_machine::AdoptMachine),
    /// Make objects ours that stand on the machine: from now on the document decides about them.
    Adopt(adopt::Names),
    /// Give objects up: they stay as they are, and are never changed or removed by us.
    Release(adopt::Names),
    /// Make the hash of a root password, for the file that rootPasswordFile names.
    HashPassword(hash_password::HashPassword),
    /// Write the manual pages.
    Man(manual::Manual),
    /// Print what a shell needs to complete our commands and options.
    Completions(manual::Completions),
    #[command(hide = true)]
    Guard(guard::Guard),
}

/// How long connections of a removed destination are waited for, unless told otherwise.
const DRAIN_SECONDS: u64 = 300;

/// How changes are to be made.
#[derive(Debug, Clone, Args)]
pub struct How {
    /// Remove destinations at once, and cut their connections, rather than drain them.
    #[arg(long)]
    now: bool,
    /// How long a removed destination may keep its connections.
    #[arg(long, value_name = "SECONDS", default_value_t = DRAIN_SECONDS)]
    drain_timeout: u64,
    /// Allow a plan that deletes most of what we own.
    #[arg(long)]
    allow_mass_delete: bool,
    /// Take over something that exists, is not ours and differs, such as `service tcp 192.0.2.10:80`.
    #[arg(long, value_name = "KIND NAME")]
    adopt: Vec<String>,
}

/// Where the inventory and the lock are, for commands that need no document.
#[derive(Debug, Clone, Args)]
pub struct Place {
    #[arg(long, default_value = crate::store::STATE_DIR, env = "LVS_RECONCILE_STATE_DIR", hide = true)]
    pub state_dir: PathBuf,
    #[arg(long, default_value = crate::lock::LOCK_FILE, env = "LVS_RECONCILE_LOCK", hide = true)]
    pub lock: PathBuf,
}

/// How much of a plan is shown.
#[derive(Debug, Clone, Default, Args)]
pub struct Shown {
    /// Show the changes of files, line by line.
    #[arg(long)]
    diff: bool,
    /// Show every change of a long plan.
    #[arg(long)]
    all: bool,
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
    #[command(flatten)]
    voice: Voice,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    #[default]
    Text,
    /// For programs; the shape is stable.
    Json,
    /// For a comment on a pull request: what cuts connections first, files folded, of bounded size.
    Markdown,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; the shape is stable.
    Json,
}

impl Shown {
    /// What a plan is shown with.
    fn context<'a>(&self, part: &'a Part, command: &'a str, document: &'a str) -> Context<'a> {
        let usual = part.context(command, document);
        Context {
            files: if self.diff {
                Files::Diffed
            } else {
                Files::Named
            },
            most: if self.all { usize::MAX } else { usual.most },
            ..usual
        }
    }
}

impl How {
    /// As when nothing is said.
    fn usual() -> Self {
        Self {
            now: false,
            drain_timeout: DRAIN_SECONDS,
            allow_mass_delete: false,
            adopt: Vec::new(),
        }
    }

    fn options(&self) -> Options {
        Options {
            deletions: if self.allow_mass_delete {
                Deletions::Allowed
            } else {
                Deletions::Reviewed
            },
            drain: if self.now {
                Policy::Now
            } else {
                Policy::Wait(Duration::from_secs(self.drain_timeout))
            },
            adopt: self.adopt.clone(),
            held: Default::default(),
        }
    }
}

/// Runs the command that was asked for.
pub async fn run(cli: Cli) -> Result<Success, Error> {
    match cli.command {
        Command::Plan(it) => it.run().await,
        Command::Snapshot(it) => it.run().await,
        Command::Diff(it) => it.run().await,
        Command::Apply(it) => it.run().await,
        Command::Watch(it) => it.run().await,
        Command::Validate(it) => it.run().await,
        Command::Schema(it) => it.run(),
        Command::Render(it) => it.run().await,
        Command::Status(it) => it.run().await,
        Command::Destroy(it) => it.run().await,
        Command::Confirm(it) => it.run().await,
        Command::Rollback(it) => it.run().await,
        Command::History(it) => it.run(),
        Command::Arm(it) => it.run().await,
        Command::Disarm(it) => it.run().await,
        Command::Discover(it) => it.run(),
        Command::AdoptMachine(it) => it.run(),
        Command::Adopt(it) => it.adopt().await,
        Command::Release(it) => it.release().await,
        Command::HashPassword(it) => it.run(),
        Command::Man(it) => it.run(),
        Command::Completions(it) => it.run(),
        Command::Guard(it) => it.run().await,
    }
}

/// Prints to standard output; colours only where there is a terminal. A reader that went away is no reason to stop:
/// what was begun is finished.
pub fn print(text: &str) {
    put(std::io::stdout().lock(), text);
}

/// The same to either stream.
fn put(mut out: impl anstream::stream::RawStream, text: &str) {
    let plain = match anstream::AutoStream::choice(&out) {
        anstream::ColorChoice::Never => Some(anstream::adapter::strip_str(text).to_string()),
        _ => None,
    };
    let text = plain.as_deref().unwrap_or(text);
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a plan.
pub fn show(turn: &Turn, part: &Part, target: &Target, command: &str, shown: &Shown) {
    show_turn(
        turn,
        part,
        &target.document.to_string_lossy(),
        command,
        shown,
    );
}

/// Prints a plan that comes from `document`, or from something else with a name.
pub fn show_turn(turn: &Turn, part: &Part, document: &str, command: &str, shown: &Shown) {
    let context = shown.context(part, command, document);
    match shown.format {
        PlanFormat::Text => shown.voice.tell(
            || output::text::plan(turn, &context),
            || output::text::remarks(turn, &context),
        ),
        PlanFormat::Json => print_json(&output::json::plan(turn, &context)),
        PlanFormat::Markdown => {
            print(&output::markdown::plan(
                turn,
                &context,
                output::markdown::LIMIT,
            ));
        }
    }
}

/// Prints a value as indented JSON.
pub fn print_json(value: &serde_json::Value) {
    print(&output::json::text(value));
}
