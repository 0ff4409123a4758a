//! `schema`: what editors and programs need.

use clap::{Args, ValueEnum};

use super::print;
use crate::error::{Error, Success};
use crate::{document, output};

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// The schema of what.
    #[arg(value_enum, default_value_t = What::Document)]
    of: What,
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// The document, for editors.
    Document,
    /// A plan as JSON, for programs.
    Plan,
}

impl Schema {
    pub fn run(self) -> Result<Success, Error> {
        match self.of {
            What::Document => print(&document::schema()),
            What::Plan => print(output::json::SCHEMA),
        }
        Ok(Success::Done)
    }
}
