//! `validate`: the document alone, without root and without the machine.

use clap::Args;

use super::voice::Voice;
use super::{Target, print};
use crate::desired::{self, Facts};
use crate::error::{Error, Success};
use crate::lint::Code;
use crate::output::{counted, escaped};
use crate::session::{Loaded, load};
use crate::source::Trust;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    target: Target,
    /// Explain a warning by its code, such as LVS001, and look at no document; `list` names all codes.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    #[command(flatten)]
    voice: Voice,
}

impl Validate {
    pub async fn run(self) -> Result<Success, Error> {
        if let Some(code) = &self.explain {
            print(&explained(code)?);
            return Ok(Success::Done);
        }
        let Loaded {
            document,
            mut warnings,
            ..
        } = load(&self.target, Trust::Any)?;
        let mut problems = Vec::new();
        for director in &document.directors {
            let node = director.name.as_str();
            match desired::resolve(&document, node, &Facts::unknown()) {
                Ok(desired) => warnings.extend(desired.warnings.into_iter().map(|it| it.at(node))),
                Err(found) => problems.extend(found.iter().map(|it| format!("{node}: {it}"))),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Document(problems.join("\n")));
        }
        for warning in warnings.shown() {
            self.voice.insist(&format!("! {warning}\n"));
        }
        self.voice.say(&format!(
            "{} is valid: {}, {}, {}, {}{}\n",
            self.target.document.display(),
            counted(document.directors.len(), "director"),
            counted(document.real_servers.len(), "real server"),
            counted(document.services.len(), "service"),
            counted(warnings.shown().len(), "warning"),
            silenced(warnings.silenced())
        ));
        Ok(Success::Done)
    }
}

fn silenced(count: usize) -> String {
    match count {
        0 => String::new(),
        many => format!(", {many} silenced"),
    }
}

/// A page, or all titles.
fn explained(code: &str) -> Result<String, Error> {
    if matches!(code, "list" | "all") {
        let line = |it: &Code| format!("{it}  {}\n", it.title());
        return Ok(Code::ALL.iter().map(line).collect());
    }
    let known: Code = code.to_ascii_uppercase().parse().map_err(|why| {
        let code = escaped(code);
        Error::Usage(format!("{code:?} {why}"))
    })?;
    Ok(known.page())
}
