//! `validate`: the document alone, without root and without the machine.

use clap::Args;

use super::{Target, print};
use crate::desired::{self, Facts};
use crate::error::{Error, Success};
use crate::output::counted;
use crate::session::{Loaded, load};
use crate::source::Trust;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    target: Target,
}

impl Validate {
    pub async fn run(self) -> Result<Success, Error> {
        let Loaded {
            document,
            mut warnings,
            ..
        } = load(&self.target, Trust::Any)?;
        let mut problems = Vec::new();
        for director in &document.directors {
            let node = director.name.as_str();
            match desired::resolve(&document, node, &Facts::unknown()) {
                Ok(desired) => {
                    warnings.extend(desired.warnings.iter().map(|it| format!("{node}: {it}")))
                }
                Err(found) => problems.extend(found.iter().map(|it| format!("{node}: {it}"))),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Document(problems.join("\n")));
        }
        for warning in &warnings {
            print(&format!("! {warning}\n"));
        }
        print(&format!(
            "{} is valid: {}, {}, {}, {}\n",
            self.target.document.display(),
            counted(document.directors.len(), "director"),
            counted(document.real_servers.len(), "real server"),
            counted(document.services.len(), "service"),
            counted(warnings.len(), "warning")
        ));
        Ok(Success::Done)
    }
}
