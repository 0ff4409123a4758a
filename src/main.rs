//! Runs one command.

use std::process::ExitCode;

use clap::Parser;
use lvs_reconcile::cli::{Cli, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("lvs-reconcile: cannot start: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(success) => ExitCode::from(success.exit_code()),
        Err(error) => {
            eprintln!("lvs-reconcile: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
