//! Runs one command.

use std::process::ExitCode;

use clap::Parser;
use lvs_reconcile::cli::{Cli, run};

/// Help and version are answers; anything else is bad usage, which is 1 here: 2 says that there are changes.
fn answered(answer: &clap::Error) -> ExitCode {
    // Whoever cannot be told gets the exit code.
    let _ = answer.print();
    ExitCode::from(u8::from(answer.use_stderr()))
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return answered(&answer),
    };
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
