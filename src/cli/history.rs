//! `history`: the last runs, and what became of them.

use clap::Args;
use serde_json::json;

use super::voice::Voice;
use super::{Format, Place, print_json};
use crate::confirm;
use crate::error::{Error, Success};
use crate::journal::{self, Run, Stage};
use crate::output::{counted, escaped, time};
use crate::store::Store;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct History {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    voice: Voice,
    #[command(flatten)]
    place: Place,
}

impl History {
    pub fn run(self) -> Result<Success, Error> {
        let store = Store::at(&self.place.state_dir);
        let runs: Vec<_> = journal::all(&store).collect();
        match self.format {
            Format::Json => {
                let runs: Vec<_> = runs.iter().filter_map(value).collect();
                print_json(&json!({ "runs": runs }));
            }
            Format::Text if runs.is_empty() => self.voice.say("No run yet.\n"),
            Format::Text => runs.iter().for_each(|run| self.voice.say(&line(run))),
        }
        Ok(Success::Done)
    }
}

fn line(run: &Run) -> String {
    let word = word(run);
    match run.entry() {
        Ok(it) => {
            let (when, total) = (time::utc(it.began), it.changes.total());
            let (id, command) = (&run.id, escaped(&it.command));
            format!(
                "run {id:<4} {when}  {command:<9} {:<12} {word}\n",
                counted(total, "change")
            )
        }
        Err(_) => format!(
            "run {:<4} cannot be read: it was cut off before its first change\n",
            run.id
        ),
    }
}

fn value(run: &Run) -> Option<serde_json::Value> {
    let it = run.entry().ok()?;
    Some(json!({
        "id": run.id, "began": time::utc(it.began), "command": it.command, "changes": it.changes,
        "state": word(run), "documentBefore": run.document_before().is_some(), "files": it.files,
    }))
}

fn word(run: &Run) -> &'static str {
    match run.stage {
        Stage::Undoing => "being taken back",
        Stage::Over if run.is_undone() => "taken back",
        Stage::Over if run.was_cut_off() => "cut off, and finished by a later run",
        Stage::Over => "done",
        Stage::Pending if confirm::window(run).is_some() => "waits to be confirmed",
        Stage::Pending => "cut off",
    }
}
