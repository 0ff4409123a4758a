//! `status`: what is ours, what drifts, what is not ours, and who is connected.

use clap::Args;

use super::voice::Voice;
use super::{Format, How, Target, print_json};
use crate::error::{Error, Success};
use crate::host::Host;
use crate::output;
use crate::session::look;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    how: How,
    /// Only what stands beside what is ours, as `adopt` takes it.
    #[arg(long)]
    foreign: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    voice: Voice,
}

impl Status {
    pub async fn run(self) -> Result<Success, Error> {
        let mut host = self.voice.machine();
        let (part, turn) = look(&self.target, &self.how.options(), &mut host).await?;
        let document = self.target.document.to_string_lossy();
        let context = part.context("status", &document);
        match self.format {
            Format::Text if self.foreign => self.voice.say(&output::status::foreign(&turn)),
            Format::Text => {
                let connections = host.connections().await?;
                self.voice.tell(
                    || output::status::status(&turn, &connections, &context),
                    || output::text::remarks(&turn, &context),
                );
            }
            Format::Json => print_json(&output::json::plan(&turn, &context)),
        }
        Ok(Success::Done)
    }
}
