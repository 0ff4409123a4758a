//! Apply this kind. Success is a daemon that runs and keeps running: exit codes of init scripts tell little.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::delta::Delta;
use crate::host::linux::LinuxHost;
use crate::host::{HostError, Outcome};

use super::init::{Command, Init, Running, known_obstacle, words};
use super::{OnChange, Unit, exports, record};

/// A daemon that has been told to start has that long to be there.
const APPEARS_WITHIN: Duration = Duration::from_secs(10);

/// One that ends later than this after its start did not end because of its files.
const LASTS: Duration = Duration::from_secs(1);

const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Performs a run, one unit after the other.
pub async fn apply(_host: &mut LinuxHost, deltas: &[&Delta<Unit>]) -> Vec<Outcome> {
    perform(deltas).await
}

/// As `apply`: an init system needs no connection of ours.
pub async fn perform(deltas: &[&Delta<Unit>]) -> Vec<Outcome> {
    let init = Init::here();
    let mut outcomes = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let outcome = one(init, delta).await.unwrap_or_else(Outcome::Failed);
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    outcomes.resize_with(deltas.len(), || Outcome::NotAttempted);
    outcomes
}

async fn one(init: Init, delta: &Delta<Unit>) -> Result<Outcome, HostError> {
    let unit = delta.subject();
    let running = init.running(&unit.name).await?;
    match (delta, running) {
        (Delta::Create { .. }, Some(_)) | (Delta::Delete { .. }, None) => {
            return Ok(Outcome::AlreadySo);
        }
        (Delta::Delete { .. }, Some(_)) => stop(init, unit).await?,
        (Delta::Create { to }, None) => launch(init, to, Command::Start).await?,
        (Delta::Update { to, .. } | Delta::Replace { to, .. }, running) => {
            match (to.on_change, running) {
                (OnChange::Reexport, Some(running)) => {
                    exports::reexport(&to.reads).await?;
                    note(to, &running)?;
                }
                (OnChange::Reexport, None) => launch(init, to, Command::Start).await?,
                (OnChange::Restart, _) => launch(init, to, Command::Restart).await?,
            }
        }
    }
    Ok(Outcome::Done)
}

async fn stop(init: Init, unit: &Unit) -> Result<(), HostError> {
    let failed = |reason: String| HostError::new(format!("cannot stop {}", unit.name), reason);
    init.command(&unit.name, Command::Stop)
        .await
        .map_err(failed)?;
    let deadline = Instant::now() + APPEARS_WITHIN;
    while init.running(&unit.name).await?.is_some() {
        if Instant::now() > deadline {
            return Err(failed("it was told to, and still runs".into()));
        }
        sleep(BETWEEN_LOOKS).await;
    }
    record::forget(&unit.name);
    Ok(())
}

/// Starts or restarts it, and sees that it stays.
async fn launch(init: Init, unit: &Unit, command: Command) -> Result<(), HostError> {
    let failed =
        |reason: String| HostError::new(format!("cannot {} {}", command.word(), unit.name), reason);
    let said = match init.command(&unit.name, command).await {
        Ok(output) => output,
        Err(reason) => return Err(failed(with_log(init, unit, reason).await)),
    };
    match stays(init, unit).await? {
        Ok(running) => note(unit, &running),
        Err(reason) => {
            let reason = format!("{reason}; it said: {}", words(&said));
            Err(failed(with_log(init, unit, reason).await))
        }
    }
}

/// Waits until it runs, and looks again after a second.
async fn stays(init: Init, unit: &Unit) -> Result<Result<Running, String>, HostError> {
    let deadline = Instant::now() + APPEARS_WITHIN;
    let first = loop {
        match init.running(&unit.name).await? {
            Some(running) => break running,
            None if Instant::now() > deadline => {
                return Ok(Err("it was told to, and does not run".into()));
            }
            None => sleep(BETWEEN_LOOKS).await,
        }
    };
    sleep(LASTS).await;
    Ok(match init.running(&unit.name).await? {
        Some(again) if again.run == first.run => Ok(again),
        _ => Err("it ended within a second after its start".into()),
    })
}

/// Later looks need no clock to know what this process has read.
fn note(unit: &Unit, running: &Running) -> Result<(), HostError> {
    match &unit.config {
        Some(digest) => record::write(&unit.name, &running.run, digest),
        None => Ok(()),
    }
}

async fn with_log(init: Init, unit: &Unit, reason: String) -> String {
    let log = init.log(&unit.name).await;
    let obstacle = known_obstacle(&unit.name).unwrap_or_default();
    [
        ("", reason.as_str()),
        ("; ", obstacle),
        ("; its log: ", &log),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .flat_map(|(before, text)| [before, text])
    .collect()
}
