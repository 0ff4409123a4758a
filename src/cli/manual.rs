//! `man` and `completions`: what packages install beside the program, made from its own arguments.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::voice::Voice;
use super::{Cli, print};
use crate::error::{Error, Success};
use crate::host::HostError;

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Manual {
    /// The directory to write the pages into, such as `/usr/local/share/man/man8`.
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
    #[command(flatten)]
    voice: Voice,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that is to complete our commands and options.
    shell: Shell,
}

impl Manual {
    /// A page for the program, and one for each of its commands.
    pub fn run(self) -> Result<Success, Error> {
        let mut program = Cli::command();
        program.build();
        let name = program.get_name().to_owned();
        self.write(&name, Man::new(program.clone()))?;
        for command in program.get_subcommands().filter(|it| !it.is_hide_set()) {
            let page = format!("{name}-{}", command.get_name());
            self.write(&page, Man::new(command.clone()).title(&page))?;
        }
        Ok(Success::Done)
    }

    /// Section 8: commands for whoever administers a machine, man-pages(7).
    fn write(&self, name: &str, page: Man) -> Result<(), Error> {
        let path = self.to.join(format!("{name}.8"));
        let mut text = Vec::new();
        let made = page.section("8").render(&mut text);
        made.and_then(|()| fs::write(&path, text))
            .map_err(|error| failed(&path, &error))?;
        self.voice.say(&format!("{}\n", path.display()));
        Ok(())
    }
}

fn failed(path: &Path, error: &std::io::Error) -> HostError {
    HostError::new(format!("cannot write {}", path.display()), error)
}

impl Completions {
    pub fn run(self) -> Result<Success, Error> {
        let mut text = Vec::new();
        let mut program = Cli::command();
        let name = program.get_name().to_owned();
        clap_complete::generate(self.shell, &mut program, name, &mut text);
        print(&String::from_utf8_lossy(&text));
        Ok(Success::Done)
    }
}
