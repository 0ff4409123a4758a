//! Runs one command.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use lvs_reconcile::cli::{Cli, run};
use lvs_reconcile::output;

/// Help and version are answers; anything else is bad usage, which is 1 here: 2 says that there are changes.
fn answered(answer: &clap::Error) -> ExitCode {
    // Whoever cannot be told gets the exit code.
    let _ = answer.print();
    ExitCode::from(u8::from(answer.use_stderr()))
}

/// The heap grows by so many bytes at a time, and lists up to that size live in it. By glibc's measure, 128 KiB, the
/// lists of a large cluster are mapped and unmapped again and again: 5 % of a plan with 50,000 objects. What is not
/// touched takes no memory.
#[cfg(target_env = "gnu")]
const HEAP_STEP: i32 = 32 << 20;

/// See mallopt(3).
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "no other way to reach it")]
fn grow_in_large_steps() {
    for option in [
        libc::M_TOP_PAD,
        libc::M_MMAP_THRESHOLD,
        libc::M_TRIM_THRESHOLD,
    ] {
        // SAFETY: it takes two numbers, and there is one thread yet.
        unsafe { libc::mallopt(option, HEAP_STEP) };
    }
}

#[cfg(not(target_env = "gnu"))]
fn grow_in_large_steps() {}

/// What is wrong may be what stands in somebody's file, or is called as somebody liked.
///
/// `eprintln!` panics when nobody reads any more, as after a hang-up, and a panic has another exit code.
fn complain(about: &str) {
    let about = output::lines(about);
    let _ = writeln!(std::io::stderr(), "lvs-reconcile: {about}");
}

fn main() -> ExitCode {
    grow_in_large_steps();
    // A panic aborts, and what would be written down then may hold secrets. Where it is refused nobody writes it down.
    let _ = nix::sys::prctl::set_dumpable(false);
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
            complain(&format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(success) => ExitCode::from(success.exit_code()),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}
