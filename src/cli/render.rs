//! `render`: the generated files, to read. Secrets are not in them.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Target;
use super::voice::Voice;
use crate::desired::{self, Facts};
use crate::error::{Error, Success};
use crate::host::HostError;
use crate::session::load;
use crate::source::Trust;
use crate::surroundings::host_name;

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct Render {
    #[command(flatten)]
    target: Target,
    /// The directory to write them into, each under its own path.
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
    #[command(flatten)]
    voice: Voice,
}

impl Render {
    pub async fn run(self) -> Result<Success, Error> {
        let document = load(&self.target, Trust::Any)?.document;
        let node = match &self.target.node {
            Some(node) => node.clone(),
            None => host_name()?,
        };
        let desired = desired::resolve(&document, &node, &Facts::unknown()).map_err(|found| {
            let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
            Error::Document(lines.join("\n"))
        })?;
        for (path, text) in desired::render(&desired) {
            let to = self.to.join(path.trim_start_matches('/'));
            write(&to, &text)
                .map_err(|error| HostError::new(format!("cannot write {}", to.display()), error))?;
            self.voice.say(&format!("{}\n", to.display()));
        }
        Ok(Success::Done)
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)
}
