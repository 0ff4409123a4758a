//! Users' own templates, of installations and of other files. The language is minijinja's with the marks of ERB,
//! because `{{`, `{%` and `{#` are shell, too.
//!
//! A template sees values that the document's grammars let through, and nothing else: there is no loader, no file, no
//! clock, and only so much work.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde_json::json;

use crate::document::limits::FILE_CONTENT;
use crate::document::{Installer, TemplateLine};
use crate::resources::file::Content;

use super::hosts;
use super::installations::{Installation, Mounted, inside_address};
use super::node::Node;
use super::problem::{Findings, Problem};
use super::render::{PASSWORD, port, with_password};

/// Instructions of the template engine: a file of ten thousand lines needs a tenth.
const FUEL: u64 = 1_000_000;

/// The largest file.
const LONGEST: usize = FILE_CONTENT;

/// The templates of a document, on one director.
pub(super) struct Templates<'a> {
    node: &'a Node<'a>,
    /// What all of them see alike: made once, however many machines there are.
    cluster: OnceCell<Value>,
    /// The profiles whose template was refused for one machine, and needs no second word for the next.
    refused: BTreeSet<usize>,
}

impl<'a> Templates<'a> {
    pub fn of(node: &'a Node<'a>) -> Self {
        Self {
            node,
            cluster: OnceCell::new(),
            refused: BTreeSet::new(),
        }
    }

    /// The file by the template of its profile, or nothing when it is refused: everything wrong with it is among the
    /// findings.
    pub fn content(&mut self, it: &Installation, findings: &mut Findings) -> Option<Content> {
        if self.refused.contains(&it.position) {
            return None;
        }
        let cluster = self.cluster.get_or_init(|| cluster(self.node));
        match file(self.node, it, cluster) {
            Ok(text) => Some(with_password(text, it.profile.root_password_file.as_ref())),
            Err(wrong) => {
                self.refused.insert(it.position);
                let path = format!("netboot.kickstart[{}].template", it.position);
                wrong
                    .into_iter()
                    .for_each(|it| findings.refuse(it.at(&path)));
                None
            }
        }
    }

    /// What the template of a file of the author's own makes.
    pub fn plain(
        &mut self,
        at: usize,
        lines: &[TemplateLine],
        findings: &mut Findings,
    ) -> Option<String> {
        let cluster = self.cluster.get_or_init(|| cluster(self.node));
        let values = context! { director => director(self.node), ..cluster.clone() };
        let text = made(lines, &values).map_err(|error| {
            let fix = fix(error.kind(), "director, domain, realServers, vips");
            let wrong = Wrong::of_template(&error, told(&error), fix);
            findings.refuse(wrong.at(&format!("files[{at}].template")));
        });
        text.ok()
    }
}

/// What is wrong with a template, or with what it makes.
struct Wrong {
    /// The line of the template, from 0, when it is one.
    line: Option<usize>,
    message: String,
    fix: String,
}

impl Wrong {
    fn of_template(error: &Error, message: String, fix: String) -> Self {
        Self {
            line: Some(error.line().unwrap_or(1).saturating_sub(1)),
            message,
            fix,
        }
    }

    fn at(self, path: &str) -> Problem {
        let path = match self.line {
            Some(line) => format!("{path}[{line}]"),
            None => path.to_owned(),
        };
        Problem::new(path, self.message, self.fix)
    }
}

fn file(node: &Node, it: &Installation, cluster: &Value) -> Result<String, Vec<Wrong>> {
    let values = values(node, it, cluster);
    let text = made(&it.profile.template, &values).map_err(|error| {
        let message = format!("for {}: {}", it.machine.name, told(&error));
        let known =
            "machine, profile, director, domain, realServers, vips, openPorts, rootPassword";
        vec![Wrong::of_template(
            &error,
            message,
            fix(error.kind(), known),
        )]
    })?;
    let wrong = match it.target().installer() {
        Installer::Anaconda => sections(&text),
        _ => Vec::new(),
    };
    let wrong = wrong.into_iter().map(|(line, message)| Wrong {
        line: None,
        message: format!("line {line} of {}'s file {message}", it.machine.name),
        fix: "each section ends with %end before the next begins".to_owned(),
    });
    match wrong.collect::<Vec<_>>() {
        none if none.is_empty() => Ok(text),
        some => Err(some),
    }
}

/// The file that the lines of a template make: text, and no more of it than a file may have.
fn made(lines: &[TemplateLine], values: &Value) -> Result<String, Error> {
    let source: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = rendered(&source, values)?;
    let refused = |why: String| Err(Error::new(ErrorKind::InvalidOperation, why));
    let is_bad = |it: char| it.is_control() && !matches!(it, '\t' | '\n');
    match text.chars().find(|it| is_bad(*it)) {
        _ if text.len() > LONGEST => refused(format!("the file has more than {LONGEST} bytes")),
        Some(it) => refused(format!(
            "the file has the control character '{}'",
            it.escape_default()
        )),
        None => Ok(text),
    }
}

fn rendered(source: &str, values: &Value) -> Result<String, Error> {
    let mut environment = Environment::empty();
    environment.set_syntax(syntax()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("ks", quoted);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_filter("default", minijinja::filters::default);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.template_from_str(source)?.render(values)
}

fn syntax() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder()
        .block_delimiters("<%", "%>")
        .variable_delimiters("<%=", "%>")
        .comment_delimiters("<%#", "%>")
        .build()
}

/// A value as one word of a shell, and of kickstart.
fn quoted(value: &Value) -> Result<String, Error> {
    let text = match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => value.to_string(),
        other => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("ks quotes one value, this is a {other}"),
            ));
        }
    };
    match text.chars().any(char::is_control) {
        true => Err(Error::new(
            ErrorKind::InvalidOperation,
            "ks quotes no control characters",
        )),
        false => Ok(shell_words::quote(&text).into_owned()),
    }
}

/// The machines and addresses of the document.
fn cluster(node: &Node) -> Value {
    let servers = node.document.real_servers.iter();
    let servers = servers.map(|it| json!({ "name": it.name, "address": it.address }));
    let vips = node.document.vips.iter();
    let vips = vips.map(|it| json!({ "name": it.name, "address": it.address }));
    let domain = node.document.domain.as_ref().map(|it| it.as_str());
    context! {
        realServers => Value::from_serialize(servers.collect::<Vec<_>>()),
        vips => Value::from_serialize(vips.collect::<Vec<_>>()),
        domain => domain.map_or(Value::UNDEFINED, Value::from),
    }
}

/// The director, and where the cluster reaches it; undefined when it has no address of ours.
fn director(node: &Node) -> Value {
    let mut addresses = hosts::addresses_of(node.director);
    let address = addresses.next().map(|it| it.to_string());
    context! {
        name => node.director.name.as_str(),
        address => address.map_or(Value::UNDEFINED, Value::from),
    }
}

/// What a template may use. The hash of root's password is a mark: it is not known here.
fn values(node: &Node, it: &Installation, cluster: &Value) -> Value {
    let machine = json!({
        "name": it.machine.name, "fullName": it.full_name, "address": it.machine.address,
        "mac": it.mac, "tags": it.machine.tags,
    });
    let director = json!({
        "name": node.director.name, "address": inside_address(node, it.machine),
    });
    let password = it.profile.root_password_file.as_ref();
    context! {
        machine => Value::from_serialize(machine),
        profile => Value::from_serialize(profile(it)),
        director => Value::from_serialize(director),
        openPorts => it.open.iter().map(port).collect::<Vec<_>>(),
        rootPassword => password.map_or(Value::UNDEFINED, |_| PASSWORD.to_string().into()),
        ..cluster.clone()
    }
}

/// As the document has it, with every default and exception settled.
fn profile(it: &Installation) -> serde_json::Value {
    let mount = |it: &Mounted| json!({ "source": it.source, "at": it.at, "writable": it.writable });
    let profile = it.profile;
    json!({
        "name": profile.name, "target": profile.target, "url": profile.url,
        "language": it.language, "keyboard": it.keyboard, "timezone": it.timezone,
        "ntpServers": profile.ntp_servers, "repositories": profile.repositories,
        "sshKeys": it.ssh_keys, "disk": it.disk, "partitions": it.partitions,
        "packages": it.packages, "enabledServices": profile.enabled_services,
        "mounts": it.mounts.iter().map(mount).collect::<Vec<_>>(),
        "pre": profile.pre, "post": profile.post,
    })
}

fn told(error: &Error) -> String {
    let kind = error.kind();
    let detail = error
        .detail()
        .map(|it| format!(": {it}"))
        .unwrap_or_default();
    format!("{kind}{detail}")
}

fn fix(kind: ErrorKind, known: &str) -> String {
    let fix = match kind {
        ErrorKind::UndefinedError => return format!("the values are {known}"),
        ErrorKind::OutOfFuel => "shorten its loops",
        ErrorKind::UnknownFilter => "the filters are ks, join, default",
        _ => {
            "<%= VALUE %>, <% for NAME in LIST %> <% endfor %>, <% if VALUE %> <% endif %>, <%# COMMENT %>"
        }
    };
    fix.to_owned()
}

/// The sections of a kickstart file, which end before others begin, and nothing that fetches what was never looked at:
/// what is wrong, with its line from 1.
fn sections(text: &str) -> Vec<(usize, &'static str)> {
    let mut wrong = Vec::new();
    let mut open = None;
    for (at, line) in text.lines().enumerate() {
        let word = line.split_whitespace().next().unwrap_or_default();
        match word {
            _ if word.starts_with("%ksappend") => {
                wrong.push((at + 1, "has %ksappend, which fetches a file"))
            }
            "%include" => wrong.push((at + 1, "has %include, which reads another file")),
            "%end" if open.take().is_none() => {
                wrong.push((at + 1, "has %end, and no section is open"))
            }
            "%end" => {}
            _ if is_section(word) && open.replace(at + 1).is_some() => {
                wrong.push((at + 1, "begins a section before the last one has ended"));
            }
            _ => {}
        }
    }
    wrong.extend(open.map(|line| (line, "begins a section that never ends")));
    wrong
}

fn is_section(word: &str) -> bool {
    crate::document::SECTIONS.contains(&word)
}
