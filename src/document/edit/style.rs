//! How a document is written, and one entry more in the same way: what stands between values is copied from what stands
//! between its neighbours'.

use super::machine::Machine;
use crate::document::explain::tree::{Element, Member, Node, Object, Step, Value};
use crate::document::problem::quote;
use crate::document::{Name, RealServer};

/// Text that is put in before a byte.
pub(super) struct Insertion {
    pub at: usize,
    pub text: String,
}

/// The entry of a machine, at the end of the real servers; with their list when there is none.
pub(super) fn entry(text: &str, root: &Node, machine: &Machine) -> Insertion {
    let style = Style { text, root };
    let list = root.child(&Step::Field(LIST.into()));
    let entry = style.object(&style.fields(machine));
    match list {
        None => style.new_list(&entry),
        Some(list) => append(text, root, list, &entry).unwrap_or_else(|| Insertion {
            at: list.span.start + 1,
            text: style.first_of(&text[list.span.start + 1..list.span.end - 1], &entry),
        }),
    }
}

/// A value after the last one of a list; none when the list is empty.
pub(super) fn append(text: &str, root: &Node, list: &Node, value: &str) -> Option<Insertion> {
    let style = Style { text, root };
    Some(Insertion {
        at: elements(list).last()?.node.span.end,
        text: style.between(list)? + value,
    })
}

const LIST: &str = "realServers";

/// In this order `realServers` and its fields stand where nothing says otherwise.
const BEFORE: [&str; 4] = ["$schema", "version", "domain", "directors"];
/// Lists of which one shows how lists are written, when there is no real server yet.
const LISTS: [&str; 5] = [LIST, "vips", "services", "exports", "directors"];

/// A field and its value, as they are written.
type Field = (&'static str, String);

struct Style<'t> {
    text: &'t str,
    root: &'t Node,
}

impl<'t> Style<'t> {
    /// The fields of a machine, in the order in which its neighbour has them.
    fn fields(&self, machine: &Machine) -> Vec<Field> {
        let RealServer {
            name,
            address,
            address6,
            mac,
            weight,
            tags,
            kickstart,
            install,
        } = &machine.server;
        let quoted = |it: &Name| quote(it.as_str());
        let fields = [
            ("name", Some(quoted(name))),
            ("address", Some(format!("\"{address}\""))),
            ("address6", address6.map(|it| format!("\"{it}\""))),
            ("mac", mac.map(|it| format!("\"{it}\""))),
            ("weight", weight.map(|it| it.get().to_string())),
            ("tags", self.tags(machine, tags)),
            ("kickstart", kickstart.as_ref().map(quoted)),
            (
                "install",
                install
                    .as_ref()
                    .and_then(|_| self.like(machine, "install"))
                    .map(|it| self.raw(it)),
            ),
        ];
        let fields = fields.into_iter();
        let mut fields: Vec<Field> = fields.filter_map(|(key, it)| Some((key, it?))).collect();
        self.sort(&mut fields);
        fields
    }

    /// As the neighbour has them; what it does not have goes behind what is before it otherwise.
    fn sort(&self, fields: &mut Vec<Field>) {
        let neighbour = self.neighbour();
        let place = |key: &str| neighbour.and_then(|it| position(it, key));
        let mut place_before = None;
        let mut places = Vec::with_capacity(fields.len());
        for (order, (key, _)) in fields.iter().enumerate() {
            let own = place(key);
            place_before = own.or(place_before);
            places.push((place_before, own.is_none(), order));
        }
        let mut sorted: Vec<_> = places.into_iter().zip(fields.drain(..)).collect();
        sorted.sort_by_key(|(place, _)| *place);
        fields.extend(sorted.into_iter().map(|(_, field)| field));
    }

    /// A field of the real server that the machine is like.
    fn like(&self, machine: &Machine, field: &str) -> Option<&'t Node> {
        let steps = [
            Step::Field(LIST.into()),
            Step::Position(machine.like?),
            Step::Field(field.into()),
        ];
        steps.iter().try_fold(self.root, Node::child)
    }

    fn raw(&self, node: &Node) -> String {
        self.text[node.span.clone()].to_owned()
    }

    /// Tags: those of the real server that the machine is like, as they are written there, and what is more.
    fn tags(&self, machine: &Machine, tags: &[Name]) -> Option<String> {
        let quoted = |it: &Name| quote(it.as_str());
        let like = self
            .like(machine, "tags")
            .filter(|it| !elements(it).is_empty());
        let Some(like) = like else {
            let tags: Vec<_> = tags.iter().map(quoted).collect();
            let list = format!("[{}]", tags.join(self.comma()));
            return (!tags.is_empty()).then_some(list);
        };
        let (mut list, between) = (self.raw(like), self.between(like)?);
        let known = elements(like).len();
        let more: String = tags[known..]
            .iter()
            .map(|it| between.clone() + &quoted(it))
            .collect();
        let end = elements(like).last()?.node.span.end - like.span.start;
        list.insert_str(end, &more);
        Some(list)
    }

    /// What would stand between the last value of a list and one more; none when it is empty.
    fn between(&self, list: &Node) -> Option<String> {
        let (last, before) = elements(list).split_last()?;
        let from = before.last().map(|it| it.node.span.end);
        let lead = &self.text[from.unwrap_or(list.span.start + 1)..last.node.span.start];
        Some(match from {
            Some(_) => lead.to_owned(),
            None if lead.contains('\n') => format!(",{lead}"),
            None => self.comma().to_owned(),
        })
    }

    /// An object written as its neighbour is.
    fn object(&self, fields: &[Field]) -> String {
        let neighbour = self.neighbour();
        let members = neighbour.map_or(&[][..], |it| &it.members);
        let edges = self.edges(members);
        let mut object = format!("{{{}", edges.0);
        for (order, (key, value)) in fields.iter().enumerate() {
            let at = neighbour.and_then(|it| position(it, key));
            if order > 0 {
                object += &self.separator(members, at);
            }
            let colon = at.and_then(|at| members.get(at)).or(members.first());
            let colon = colon.map_or_else(|| self.colon(), |it| self.colon_of(it));
            object += &format!("{}{colon}{value}", quote(key));
        }
        object + edges.1 + "}"
    }

    /// What stands behind the first bracket of an object, and before its last.
    fn edges(&self, members: &[Member]) -> (&'t str, &'t str) {
        let whole = self.neighbour_node().map(|it| it.span.clone());
        match (members.first(), members.last(), whole) {
            (Some(first), Some(last), Some(whole)) => (
                &self.text[whole.start + 1..first.key_span.start],
                &self.text[last.node.span.end..whole.end - 1],
            ),
            _ => (self.space(), self.space()),
        }
    }

    /// What stands before the field at a position, or before the second.
    fn separator(&self, members: &[Member], at: Option<usize>) -> String {
        let at = at.filter(|it| *it > 0).unwrap_or(1);
        match members.get(at - 1).zip(members.get(at)) {
            Some((before, it)) => self.text[before.node.span.end..it.key_span.start].to_owned(),
            None => match self.edges(members).0 {
                lines if lines.contains('\n') => format!(",{lines}"),
                _ => self.comma().to_owned(),
            },
        }
    }

    /// The last entry of the list that shows how it is done.
    fn neighbour_node(&self) -> Option<&'t Node> {
        let last = self.shown_by().and_then(|list| elements(list).last());
        last.map(|it| &it.node)
    }

    fn neighbour(&self) -> Option<&'t Object> {
        self.neighbour_node().and_then(Node::object)
    }

    fn shown_by(&self) -> Option<&'t Node> {
        let lists = LISTS.iter().filter_map(|it| self.section(it));
        let mut lists = lists.map(|it| &it.node);
        lists.find(|it| !elements(it).is_empty())
    }

    fn section(&self, key: &str) -> Option<&'t Member> {
        self.root.object().and_then(|it| it.member(key))
    }

    /// The first entry between the brackets of an empty list, and what they hold already.
    fn first_of(&self, inner: &str, entry: &str) -> String {
        let (open, close) = self.brackets();
        match inner.contains('\n') {
            true => open + entry,
            false => open + entry + &close,
        }
    }

    /// What stands behind the first bracket of a list, and before its last.
    fn brackets(&self) -> (String, String) {
        if let Some(list) = self.shown_by()
            && let (Some(first), Some(last)) = (elements(list).first(), elements(list).last())
        {
            let open = &self.text[list.span.start + 1..first.node.span.start];
            let close = &self.text[last.node.span.end..list.span.end - 1];
            return (open.to_owned(), close.to_owned());
        }
        let members = self.root.object().map_or(&[][..], |it| &it.members);
        let indent = members.first().map_or("", |first| {
            &self.text[self.root.span.start + 1..first.key_span.start]
        });
        match indent.rsplit_once('\n') {
            Some((_, deep)) => (format!("{indent}{deep}"), indent.to_owned()),
            None => Default::default(),
        }
    }

    /// The list with its first entry, behind what stands before it in a document.
    fn new_list(&self, entry: &str) -> Insertion {
        let members = self.root.object().map_or(&[][..], |it| &it.members);
        let known = BEFORE.iter().rev();
        let at = known.filter_map(|key| members.iter().position(|it| &*it.key == *key));
        // Every document has a version.
        let at = at.max().unwrap_or_default();
        let (open, close) = self.brackets();
        let before = match at.checked_sub(1).and_then(|it| members.get(it)) {
            Some(before) => {
                let from = before.node.span.end;
                self.text[from..members[at].key_span.start].to_owned()
            }
            None => self.separator_after_first(members),
        };
        let (colon, end) = members.get(at).map_or((":", self.root.span.end - 1), |it| {
            (self.colon_of(it), it.node.span.end)
        });
        Insertion {
            at: end,
            text: format!("{before}\"{LIST}\"{colon}[{open}{entry}{close}]"),
        }
    }

    fn separator_after_first(&self, members: &[Member]) -> String {
        let lead = members.first().map_or("", |it| {
            &self.text[self.root.span.start + 1..it.key_span.start]
        });
        match lead.contains('\n') {
            true => format!(",{lead}"),
            false => self.comma().to_owned(),
        }
    }

    fn colon_of(&self, member: &Member) -> &'t str {
        &self.text[member.key_span.end..member.node.span.start]
    }

    fn colon(&self) -> &'t str {
        let version = self.section("version");
        version.map_or(":", |it| self.colon_of(it))
    }

    /// What stands between values of one line: a space where there is one behind colons.
    fn space(&self) -> &'static str {
        match self.colon().ends_with(':') {
            true => "",
            false => " ",
        }
    }

    fn comma(&self) -> &'static str {
        match self.space() {
            "" => ",",
            _ => ", ",
        }
    }
}

fn position(object: &Object, key: &str) -> Option<usize> {
    object.members.iter().position(|it| &*it.key == key)
}

fn elements(list: &Node) -> &[Element] {
    match &list.value {
        Value::Array(elements) => elements,
        _ => &[],
    }
}
