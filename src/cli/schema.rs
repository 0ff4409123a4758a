//! `schema`: what editors need.

use clap::Args;

use crate::error::{Error, Success};

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct Schema {}

impl Schema {
    pub fn run(self) -> Result<Success, Error> {
        super::print(&crate::document::schema());
        Ok(Success::Done)
    }
}
