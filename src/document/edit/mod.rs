//! A document with one machine more: its text, in which every byte that was written stays.

mod address;
mod machine;
mod names;
mod style;

pub use machine::Wanted;
pub use names::next_names;

use std::fmt;

use super::explain::tree::{Node, Step};
use super::problem::{Lines, Problem, quote};
use super::{Document, Name, Problems, RealServer, explain, load};
use machine::Machine;
use style::Insertion;

/// A document that got a machine.
#[derive(Debug)]
pub struct Added {
    /// What the file is to say.
    pub text: String,
    /// The machine, as it stands there.
    pub machine: RealServer,
    /// The services that do not balance to it.
    pub outside: Vec<Name>,
    /// What was decided and is worth a word.
    pub notes: Vec<String>,
}

/// Why a document did not get a machine: whole sentences, to be shown as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Adds a machine to the text of a good document, and its name or its tag to the services that it is wanted in.
///
/// # Errors
/// When it is there already, when what is asked for cannot be, or when the document would not be good any more: then
/// with all its problems.
pub fn add_machine(text: &str, file_name: &str, wanted: &Wanted) -> Result<Added, Refusal> {
    let refused = |problems: Problems| Refusal::new(problems.to_string());
    let document = load(text.as_bytes(), file_name).map_err(refused)?;
    let root = explain::tree_of(text).ok_or_else(|| Refusal::new("it cannot be read"))?;
    let written = Written {
        text,
        file_name,
        root: &root,
    };
    written.must_be_new(&document, wanted)?;
    let machine = Machine::of(&document, wanted)?;
    let mut insertions = vec![style::entry(text, &root, &machine)];
    insertions.extend(written.memberships(&machine));
    let expected = machine.added_to(&document);
    let text = inserted(text, insertions);
    must_mean(&text, file_name, &expected, &machine)?;
    Ok(Added {
        text,
        outside: machine.outside(&document),
        notes: machine.notes,
        machine: machine.server,
    })
}

/// The edit is right when the document that it makes is good, and says just that.
fn must_mean(
    text: &str,
    file_name: &str,
    expected: &Document,
    machine: &Machine,
) -> Result<(), Refusal> {
    let name = &machine.server.name;
    match load(text.as_bytes(), file_name) {
        Ok(document) if document == *expected => Ok(()),
        Ok(_) => Err(Refusal::new(format!(
            "{name} cannot be added in the way that this document is written; add it by hand"
        ))),
        Err(problems) => Err(Refusal::new(format!(
            "with {name} in it the document would not be right, and stays as it is:\n{problems}"
        ))),
    }
}

fn inserted(text: &str, mut insertions: Vec<Insertion>) -> String {
    insertions.sort_by_key(|it| it.at);
    let (mut whole, mut from) = (String::with_capacity(text.len() + 256), 0);
    for Insertion { at, text: new } in &insertions {
        whole.push_str(&text[from..*at]);
        whole.push_str(new);
        from = *at;
    }
    whole + &text[from..]
}

/// A document as it was written.
struct Written<'a> {
    text: &'a str,
    file_name: &'a str,
    root: &'a Node,
}

impl Written<'_> {
    /// Nothing in the document has its MAC or its name.
    fn must_be_new(&self, document: &Document, wanted: &Wanted) -> Result<(), Refusal> {
        let mut servers = document.real_servers.iter().enumerate();
        let same_mac = servers.find(|(_, it)| it.mac == Some(wanted.mac));
        if let Some((at, server)) = same_mac {
            let message = format!("is {}'s already, and nothing is to be done", server.name);
            let fix = "give another machine's MAC";
            return Err(self.problem(&["realServers", "mac"], at, (message, fix)));
        }
        let mut servers = document.real_servers.iter();
        if let Some(at) = servers.position(|it| it.name == wanted.name) {
            let fix = match document.real_servers[at].mac {
                Some(_) => "give another name".to_owned(),
                None => format!(
                    "it has no MAC: write \"mac\": \"{}\" there, or give another name",
                    wanted.mac
                ),
            };
            let message = "is taken already".to_owned();
            return Err(self.problem(&["realServers", "name"], at, (message, &fix)));
        }
        let mut directors = document.directors.iter();
        if let Some(at) = directors.position(|it| it.name == wanted.name) {
            let what = ("is taken already".to_owned(), "give another name");
            return Err(self.problem(&["directors", "name"], at, what));
        }
        Ok(())
    }

    /// A problem at a field of an entry, with its line and column.
    fn problem(
        &self,
        &[list, field]: &[&str; 2],
        at: usize,
        (message, fix): (String, &str),
    ) -> Refusal {
        let steps = [
            Step::Field(list.into()),
            Step::Position(at),
            Step::Field(field.into()),
        ];
        let node = steps.iter().try_fold(self.root, Node::child);
        let span = node.map_or(0..0, |it| it.span.clone());
        let (line, column) = Lines::new(self.text).position(span.start);
        let problem = Problem {
            path: format!("{list}[{at}].{field}"),
            line,
            column,
            value: Some(quote(self.text[span].trim_matches('"'))),
            message,
            fix: fix.to_owned(),
        };
        let file_name = super::escape(self.file_name);
        Refusal::new(format!("{file_name}:{problem}"))
    }

    /// Its name in the lists of the services that name their real servers.
    fn memberships(&self, machine: &Machine) -> impl Iterator<Item = Insertion> {
        let name = quote(machine.server.name.as_str());
        machine.named_in.iter().filter_map(move |at| {
            let steps = [
                Step::Field("services".into()),
                Step::Position(*at),
                Step::Field("realServers".into()),
            ];
            let list = steps.iter().try_fold(self.root, Node::child)?;
            style::append(self.text, self.root, list, &name)
        })
    }
}
