//! `watch`: the daemon.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use tracing_subscriber::filter::LevelFilter;

use super::Target;
use crate::error::{Error, Success};
use crate::watch::{Settings, watch};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    #[command(flatten)]
    target: Target,
    /// How often the IPVS table and the files are looked at; the kernel tells of no change there.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// How long a removed destination may keep its connections.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    drain_timeout: u64,
    /// What it logs: `error`, `warn`, `info`, `debug` or `trace`.
    #[arg(
        long,
        env = "LVS_RECONCILE_LOG",
        value_name = "LEVEL",
        default_value = "info"
    )]
    log: LevelFilter,
}

impl Watch {
    pub async fn run(self) -> Result<Success, Error> {
        log_to_stderr(self.log);
        let settings = Settings {
            target: self.target,
            interval: Duration::from_secs(self.interval),
            drain: Duration::from_secs(self.drain_timeout),
        };
        watch(settings).await?;
        Ok(Success::Done)
    }
}

/// Under systemd the journal takes it from there.
fn log_to_stderr(level: LevelFilter) {
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_writer(std::io::stderr)
        .init();
}
