//! Makes, changes and removes network interfaces.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{BondMode, LinkMessage};
use rtnetlink::{LinkBond, LinkBridge, LinkDummy, LinkMessageBuilder, LinkUnspec, LinkVlan};

use super::observe::{BOND_MODES, in_words_of};
use super::{Link, LinkKind};
use crate::delta::Delta;
use crate::host::linux::LinuxHost;
use crate::host::linux::links::Links;
use crate::host::linux::rtnl::Reply;
use crate::host::{HostError, Outcome};

/// Without it a bond does not notice when a cable is pulled (Documentation/networking/bonding.rst).
const BOND_MONITOR_MILLISECONDS: u32 = 100;

/// What stands on another interface after that one when building, before it when removing.
pub async fn apply(host: &mut LinuxHost, deltas: &[&Delta<Link>]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    outcomes.resize_with(deltas.len(), || Outcome::NotAttempted);
    for place in order(deltas) {
        let (Some(delta), Some(outcome)) = (deltas.get(place), outcomes.get_mut(place)) else {
            continue;
        };
        *outcome = perform(host, delta).await.unwrap_or_else(Outcome::Failed);
        if matches!(outcome, Outcome::Failed(_)) {
            break;
        }
    }
    outcomes
}

/// Each after those it stands on, as far as they are in the same run; otherwise as they came.
fn order(deltas: &[&Delta<Link>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = (0..deltas.len()).collect();
    let mut order = Vec::with_capacity(deltas.len());
    while !waiting.is_empty() {
        let next = waiting.iter().position(|place| {
            let others = waiting.iter().filter(|it| *it != place);
            others
                .copied()
                .all(|other| !waits_for(deltas, *place, other))
        });
        // A circle, which no kernel would accept either, is cut anywhere.
        order.push(waiting.remove(next.unwrap_or(0)));
    }
    order
}

fn waits_for(deltas: &[&Delta<Link>], place: usize, other: usize) -> bool {
    let (Some(delta), Some(other)) = (deltas.get(place), deltas.get(other)) else {
        return false;
    };
    let (link, other_link) = (delta.subject(), other.subject());
    match (delta, other) {
        (Delta::Delete { .. }, Delta::Delete { .. }) => other_link.stands_on(&link.name),
        (Delta::Delete { .. }, _) => false,
        // A replacement is a removal and a creation of the same name.
        (_, Delta::Delete { .. }) => link.name == other_link.name,
        _ => link.stands_on(&other_link.name),
    }
}

impl Link {
    fn stands_on(&self, name: &str) -> bool {
        let parent = match &self.kind {
            LinkKind::Vlan { parent, .. } => Some(parent.as_str()),
            _ => None,
        };
        parent == Some(name) || self.controller.as_deref() == Some(name)
    }
}

async fn perform(host: &mut LinuxHost, delta: &Delta<Link>) -> Result<Outcome, HostError> {
    match delta {
        Delta::Create { to } => create(host, to).await,
        Delta::Update { to, from } => update(host, from, to).await,
        Delta::Replace { from, to } => match delete(host, from).await? {
            Outcome::Done | Outcome::AlreadySo => create(host, to).await,
            stuck => Ok(stuck),
        },
        Delta::Delete { from } => delete(host, from).await,
    }
}

async fn create(host: &mut LinuxHost, link: &Link) -> Result<Outcome, HostError> {
    let action = format!("cannot create interface {}", link.name);
    let links = host.fresh_links().await?;
    let message = created(link, &links, &action)?;
    let message = RouteNetlinkMessage::NewLink(message);
    match host
        .rtnl()?
        .change_one(message, NLM_F_CREATE | NLM_F_EXCL)
        .await
    {
        Reply::Done => {}
        Reply::Refused(refusal) if refusal.errno == libc::EEXIST => {
            return judge_existing(host, link, action).await;
        }
        Reply::Refused(refusal) if refusal.errno == libc::EOPNOTSUPP => {
            let reason = format!("this kernel has no driver for it ({refusal})");
            return Err(HostError::new(action, reason));
        }
        Reply::Refused(refusal) => return Err(HostError::new(action, refusal)),
        Reply::Lost => return Ok(Outcome::Unknown),
    }
    complete(host, link).await?;
    Ok(Outcome::Done)
}

/// What cannot be said when it is made. A bridge follows the MTU of its members unless its own was set afterwards
/// (`br_mtu_auto_adjust` in net/bridge/br_if.c).
async fn complete(host: &mut LinuxHost, link: &Link) -> Result<(), HostError> {
    host.fresh_links().await?;
    if let (LinkKind::Bridge, Some(mtu)) = (&link.kind, link.mtu) {
        set_mtu(host, &link.name, mtu).await?;
    }
    match &link.controller {
        Some(controller) => enslave(host, &link.name, controller).await,
        None => Ok(()),
    }
}

/// Somebody was faster; what counts is whether it is what we want.
async fn judge_existing(
    host: &mut LinuxHost,
    link: &Link,
    action: String,
) -> Result<Outcome, HostError> {
    let links = host.fresh_links().await?;
    let found = links.require(&link.name, &action)?;
    if in_words_of(Some(link), found, &links) == *link {
        return Ok(Outcome::AlreadySo);
    }
    Err(HostError::new(action, "another one of that name exists"))
}

fn created(link: &Link, links: &Links, action: &str) -> Result<LinkMessage, HostError> {
    let name = &link.name;
    Ok(match &link.kind {
        LinkKind::Physical => {
            let reason = format!("it is not declared as a virtual one, and {}", links.list());
            return Err(HostError::new(action, reason));
        }
        LinkKind::Dummy => with_mtu(LinkDummy::new(name), link),
        LinkKind::Bridge => LinkBridge::new(name).build(),
        LinkKind::Vlan { parent, id } => {
            let parent = links.require(parent, action)?.index;
            with_mtu(LinkVlan::new(name, parent, *id), link)
        }
        LinkKind::Bond { mode } => {
            let bond = LinkBond::new(name).mode(bond_mode(mode, action)?);
            with_mtu(bond.miimon(BOND_MONITOR_MILLISECONDS), link)
        }
    })
}

fn with_mtu<T>(builder: LinkMessageBuilder<T>, link: &Link) -> LinkMessage {
    match link.mtu {
        Some(mtu) => builder.mtu(mtu).build(),
        None => builder.build(),
    }
}

fn bond_mode(mode: &str, action: &str) -> Result<BondMode, HostError> {
    let number = BOND_MODES.iter().position(|it| *it == mode);
    number
        .and_then(|number| u8::try_from(number).ok())
        .map(BondMode::from)
        .ok_or_else(|| {
            let reason = format!("there is no bond mode {}", mode.escape_debug());
            HostError::new(action, reason)
        })
}

/// MTU and membership first: with a link that comes up, its addresses and routes are at work at once.
async fn update(host: &mut LinuxHost, from: &Link, to: &Link) -> Result<Outcome, HostError> {
    let action = format!("cannot change interface {}", to.name);
    if let Some(mtu) = to.mtu.filter(|mtu| from.mtu != Some(*mtu)) {
        set_mtu(host, &to.name, mtu).await?;
    }
    match (&from.controller, &to.controller) {
        (before, Some(controller)) if before.as_ref() != Some(controller) => {
            enslave(host, &to.name, controller).await?;
        }
        (Some(_), None) => change(host, &to.name, &action, |it| it.nocontroller()).await?,
        _ => {}
    }
    if from.up != to.up {
        set_up(host, &to.name, to.up).await?;
    }
    Ok(Outcome::Done)
}

/// A bond takes in an interface only while that is down, and brings it up itself; it is put back to what it was.
async fn enslave(host: &mut LinuxHost, name: &str, controller: &str) -> Result<(), HostError> {
    let action = format!("cannot make {name} a member of {controller}");
    let links = host.fresh_links().await?;
    let controller = links.require(controller, &action)?;
    let was_up = links.require(name, &action)?.is_up();
    let is_bond = controller.kind.as_deref() == Some("bond");
    if is_bond && was_up {
        set_up(host, name, false).await?;
    }
    let joined = change(host, name, &action, |it| it.controller(controller.index)).await;
    if is_bond {
        set_up(host, name, was_up).await?;
    }
    joined
}

async fn set_mtu(host: &mut LinuxHost, name: &str, mtu: u32) -> Result<(), HostError> {
    let action = format!("cannot set the MTU of {name} to {mtu}");
    change(host, name, &action, |it| it.mtu(mtu)).await
}

async fn set_up(host: &mut LinuxHost, name: &str, up: bool) -> Result<(), HostError> {
    let state = if up { "up" } else { "down" };
    let action = format!("cannot set interface {name} {state}");
    change(
        host,
        name,
        &action,
        |it| if up { it.up() } else { it.down() },
    )
    .await
}

type Unspecified = LinkMessageBuilder<LinkUnspec>;

async fn change(
    host: &mut LinuxHost,
    name: &str,
    action: &str,
    what: impl FnOnce(Unspecified) -> Unspecified,
) -> Result<(), HostError> {
    let index = host.links().await?.require(name, action)?.index;
    let message = what(LinkUnspec::new_with_index(index)).build();
    let message = RouteNetlinkMessage::NewLink(message);
    match host.rtnl()?.change_one(message, 0).await {
        Reply::Done => Ok(()),
        Reply::Refused(refusal) => Err(HostError::new(action, refusal)),
        Reply::Lost => Err(HostError::new(action, "the kernel did not answer")),
    }
}

async fn delete(host: &mut LinuxHost, link: &Link) -> Result<Outcome, HostError> {
    let action = format!("cannot remove interface {}", link.name);
    if link.kind == LinkKind::Physical {
        return Err(HostError::new(action, "it was not made by us"));
    }
    let links = host.fresh_links().await?;
    let Some(found) = links.named(&link.name) else {
        return Ok(Outcome::AlreadySo);
    };
    let message = LinkUnspec::new_with_index(found.index).build();
    let message = RouteNetlinkMessage::DelLink(message);
    match host.rtnl()?.change_one(message, 0).await {
        Reply::Done => Ok(Outcome::Done),
        Reply::Refused(refusal) if refusal.errno == libc::ENODEV => Ok(Outcome::AlreadySo),
        Reply::Refused(refusal) => Err(HostError::new(action, refusal)),
        Reply::Lost => Ok(Outcome::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, kind: LinkKind) -> Link {
        Link {
            name: name.into(),
            kind,
            up: false,
            mtu: None,
            controller: None,
        }
    }

    fn on(parent: &str) -> LinkKind {
        LinkKind::Vlan {
            parent: parent.into(),
            id: 7,
        }
    }

    #[test]
    fn what_stands_on_another_comes_after_it_and_goes_before_it() {
        let (tag, bond) = (link("a.7", on("bond0")), link("bond0", LinkKind::Dummy));
        let create = [tag.clone(), bond.clone()].map(|to| Delta::Create { to });
        assert_eq!(order(&create.each_ref()), [1, 0]);
        let delete = [bond, tag].map(|from| Delta::Delete { from });
        assert_eq!(order(&delete.each_ref()), [1, 0]);
    }

    #[test]
    fn a_replacement_is_removed_before_it_is_made() {
        let it = link("br0", LinkKind::Bridge);
        let run = [Delta::Create { to: it.clone() }, Delta::Delete { from: it }];
        assert_eq!(order(&run.each_ref()), [1, 0]);
    }

    #[test]
    fn a_circle_does_not_hang() {
        let run = [link("a", on("b")), link("b", on("a"))].map(|to| Delta::Create { to });
        assert_eq!(order(&run.each_ref()).len(), 2);
    }
}
