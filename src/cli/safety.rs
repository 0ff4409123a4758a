//! What keeps an operator from locking himself out: a run that touches his way in must be confirmed.

use std::time::Duration;

use clap::Args;

use super::Target;
use super::apply::outcome;
use super::voice::Voice;
use crate::apply::Report;
use crate::confirm;
use crate::cycle::Turn;
use crate::error::Error;
use crate::host::Host;
use crate::journal::{self, Run};
use crate::output::{self, counted, escaped};
use crate::resources::Change;
use crate::store::Store;
use crate::surroundings::now;

/// How a run is confirmed.
#[derive(Debug, Clone, Default, Args)]
pub struct Safety {
    /// Take everything back unless `lvs-reconcile confirm` is run within this time, such as 90s or 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    confirm_within: Option<Duration>,
    /// Change the way by which you are connected without a confirmation.
    #[arg(long, conflicts_with = "confirm_within")]
    no_confirm: bool,
}

/// What became of a run.
pub enum Ended {
    /// In force.
    Kept(Report),
    /// In force, and taken back unless it is confirmed.
    Waits(Report, Waiting),
}

/// A run that waits to be confirmed.
pub struct Waiting {
    run: Run,
    length: Duration,
}

impl Ended {
    /// What was done.
    pub fn report(&self) -> &Report {
        let (Self::Kept(report) | Self::Waits(report, _)) = self;
        report
    }

    /// Tells people what became of it.
    pub fn tell(&self, turn: &Turn, voice: Voice) {
        report(self.report(), turn, voice);
        if let Some(waiting) = self.waiting() {
            voice.insist(&waiting.text());
        }
    }

    /// The run that waits, when it does.
    pub fn waiting(&self) -> Option<&Waiting> {
        match self {
            Self::Kept(_) => None,
            Self::Waits(_, waiting) => Some(waiting),
        }
    }
}

impl Safety {
    /// Refuses while another run waits to be confirmed.
    pub fn nothing_waits(store: &Store) -> Result<(), Error> {
        let Some((run, window)) = confirm::waiting(store) else {
            return Ok(());
        };
        let left = window.until.seconds.saturating_sub(now()?.seconds);
        Err(Error::Waiting(format!(
            "run {} waits to be confirmed for another {left} s: `lvs-reconcile confirm {}` keeps it, \
             `lvs-reconcile rollback` takes it back",
            run.id, run.id
        )))
    }

    /// Refuses while another run is not taken back to its end.
    pub fn nothing_is_half_undone(store: &Store) -> Result<(), Error> {
        confirm::half_undone(store).map_or(Ok(()), |why| Err(Error::Waiting(why)))
    }

    /// Refuses a plan that may cut off whoever asks for it, unless it will be taken back by itself.
    pub fn allow(&self, turn: &Turn) -> Result<(), Error> {
        if self.no_confirm || self.confirm_within.is_some() || turn.changes.is_empty() {
            return Ok(());
        }
        let is_in_danger = |it: &&Change| turn.in_danger.contains(it);
        let Some(first) = turn.changes.iter().find(is_in_danger) else {
            return Ok(());
        };
        let others = match turn.in_danger.len() - 1 {
            0 => String::new(),
            more => format!(" and {}", counted(more, "other change")),
        };
        Err(Error::InDanger(format!(
            "{} {}{others} may cut the connection by which this machine is managed; say --confirm-within 2m, and \
             confirm from a new connection",
            first.kind().word(),
            escaped(&first.name())
        )))
    }

    /// Makes the plan; with a window when one was asked for.
    pub async fn make<H: Host>(
        &self,
        turn: &mut Turn,
        (document, target): (&[u8], &Target),
        store: &Store,
        host: &mut H,
    ) -> Result<Ended, Error> {
        let Some(length) = self.confirm_within else {
            return Ok(Ended::Kept(turn.make(store, host).await?));
        };
        let place = confirm::Place {
            state_dir: &target.state_dir,
            lock: &target.lock,
        };
        let (run, begun) = turn.begin(store, host).await?;
        if let Err(error) = confirm::open(&run, document, &now()?, length, place).await {
            run.discard();
            return Err(error.into());
        }
        let report = turn.carry_out(&begun, store, host).await?;
        if outcome(&report).is_ok() {
            confirm::applied(&run)?;
            return Ok(Ended::Waits(report, Waiting { run, length }));
        }
        // What could not be undone now is tried again when the time is up.
        if report.is_restored() {
            run.discard();
            confirm::disarm(&run).await;
            journal::close_all(store);
        }
        Ok(Ended::Kept(report))
    }
}

impl Waiting {
    /// What to do now.
    pub fn text(&self) -> String {
        let (id, seconds) = (&self.run.id, self.length.as_secs());
        format!(
            "run {id}: taken back in {seconds} s unless you say, from a new connection:\n  lvs-reconcile confirm {id}\n"
        )
    }

    /// The same for programs.
    pub fn value(&self) -> serde_json::Value {
        serde_json::json!({ "run": self.run.id, "withinSeconds": self.length.as_secs() })
    }
}

/// Tells people what was done.
pub fn report(report: &Report, turn: &Turn, voice: Voice) {
    voice.tell(
        || output::report::report(report, turn),
        || output::report::urgent(report),
    );
}

/// `90`, `90s`, `2m` or `1h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write seconds, minutes or hours, such as 90s, 2m or 1h".to_owned())?;
    let seconds = match unit {
        "m" => number.saturating_mul(60),
        "h" => number.saturating_mul(3600),
        _ => number,
    };
    match seconds {
        10..=86_400 => Ok(Duration::from_secs(seconds)),
        _ => Err("between 10s and 24h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_said_as_people_say_it() {
        let seconds = |text| duration(text).map(|it| it.as_secs()).ok();
        assert_eq!(seconds("90"), Some(90));
        assert_eq!(seconds("2m"), Some(120));
        assert_eq!(seconds("1h"), Some(3600));
        for wrong in ["", "m", "5s", "-1m", "2 m", "25h", "2d"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
