//! Apply this kind. Success is a daemon that runs and keeps running: exit codes of init scripts tell little.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::delta::Delta;
use crate::host::linux::LinuxHost;
use crate::host::linux::facts::serves_dhcp;
use crate::host::{HostError, Outcome};

use super::init::{Command, Init, Running, known_obstacle, words};
use super::{OnChange, Unit, exports, kea, record};

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
            take_up(init, to, delta.way(), running).await?;
        }
    }
    Ok(Outcome::Done)
}

/// Has changed files read, in the gentlest way that there is.
async fn take_up(
    init: Init,
    unit: &Unit,
    way: OnChange,
    running: Option<Running>,
) -> Result<(), HostError> {
    let Some(running) = running else {
        return launch(init, unit, Command::Start).await;
    };
    match way {
        OnChange::Restart => launch(init, unit, Command::Restart).await,
        OnChange::Reexport => {
            exports::reexport(&unit.reads).await?;
            note(unit, &running)
        }
        OnChange::Reload => reload(init, unit, &running).await,
        OnChange::Hangup => hang_up(init, unit, &running).await,
        OnChange::Renew => renew(init, unit, &running).await,
    }
}

/// Whether it can use its files was tried before they were written.
async fn renew(init: Init, unit: &Unit, running: &Running) -> Result<(), HostError> {
    let failed = |reason: String| HostError::new(format!("cannot reload {}", unit.name), reason);
    match init.command(&unit.name, Command::Reload).await {
        Ok(_) => note(unit, running),
        Err(reason) => Err(failed(with_log(init, unit, reason).await)),
    }
}

/// The process and its socket stay; one that has no socket of ours is restarted, and has one then.
async fn reload(init: Init, unit: &Unit, running: &Running) -> Result<(), HostError> {
    let failed = |reason| HostError::new(format!("cannot reload {}", unit.name), reason);
    let file = unit.reads.first().map_or("", String::as_str);
    if !kea::reload(file).await.map_err(failed)? {
        return launch(init, unit, Command::Restart).await;
    }
    settled(unit).await.map_err(failed)?;
    note(unit, running)
}

/// It runs with the new configuration where it can tell, and serves where it cannot.
async fn settled(unit: &Unit) -> Result<(), String> {
    match (unit.on_change, unit.reads.first()) {
        (OnChange::Reload, Some(file)) => kea::has_taken_up(file).await,
        (OnChange::Hangup, _) if !serves_dhcp() => Err(
            "it runs, and does not serve DHCP: does it read /etc/dnsmasq.d (CONFIG_DIR in /etc/default/dnsmasq, \
             conf-dir in /etc/dnsmasq.conf)?"
                .into(),
        ),
        _ => Ok(()),
    }
}

/// What it cannot read it leaves out and logs: its lines were tried before they were written.
async fn hang_up(init: Init, unit: &Unit, running: &Running) -> Result<(), HostError> {
    let failed = |reason: String| HostError::new(format!("cannot signal {}", unit.name), reason);
    init.hang_up(&unit.name).await.map_err(failed)?;
    match stays(init, unit).await? {
        Ok(again) if again.run == running.run => note(unit, running),
        Ok(_) => Err(failed("it was started anew meanwhile; plan again".into())),
        Err(reason) => Err(failed(with_log(init, unit, reason).await)),
    }
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
    let stays = stays(init, unit).await?;
    let settled = match stays {
        Ok(running) => settled(unit).await.map(|()| running),
        Err(reason) => Err(reason),
    };
    match settled {
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
