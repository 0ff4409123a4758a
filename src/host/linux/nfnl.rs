//! Two questions to nftables that are cheaper than starting `nft`: did anything change since, and is our table there?

use std::io;
use std::time::Duration;

use netlink_sys::{
    AsyncSocket as _, AsyncSocketExt as _, TokioSocket, protocols::NETLINK_NETFILTER,
};

use super::attributes::{Attributes, u16_of, u32_of};
use super::modules;
use crate::resources::nftables::TABLE;

// include/uapi/linux/netfilter/{nfnetlink,nf_tables}.h
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFT_MSG_NEWTABLE: u16 = 0;
const NFT_MSG_GETTABLE: u16 = 1;
const NFT_MSG_NEWGEN: u16 = 15;
const NFT_MSG_GETGEN: u16 = 16;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_GEN_ID: u16 = 1;
const NFPROTO_UNSPEC: u8 = 0;
const NFPROTO_INET: u8 = 1;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;
const NFGENMSG: usize = 4;
const PATIENCE: Duration = Duration::from_secs(2);

/// What the kernel says without the help of `nft`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// Our table does not exist.
    Absent,
    /// It may exist. The number grows with every transaction of anybody; `None` when the kernel did not tell.
    Look { generation: Option<u32> },
}

/// Takes a glance. Asking a kernel without nftables would load it, so then nothing is asked.
pub async fn glance() -> Glance {
    if modules::would_load("nf_tables") {
        return Glance::Absent;
    }
    match ask_both().await {
        Ok(glance) => glance,
        // Not worth an error: `nft` will be asked, and explains itself.
        Err(_) => Glance::Look { generation: None },
    }
}

async fn ask_both() -> io::Result<Glance> {
    let mut socket = TokioSocket::new(NETLINK_NETFILTER)?;
    socket.socket_mut().bind_auto()?;
    socket
        .socket_mut()
        .connect(&netlink_sys::SocketAddr::new(0, 0))?;
    // The number first: what changes after it makes the next look a full one.
    let answer = ask(&socket, &question(NFT_MSG_GETGEN, NFPROTO_UNSPEC, &[])).await?;
    let generation = generation(&answer);
    let name = attribute(NFTA_TABLE_NAME, TABLE);
    let answer = ask(&socket, &question(NFT_MSG_GETTABLE, NFPROTO_INET, &name)).await?;
    Ok(match error_of(&answer) {
        Some(libc::ENOENT) => Glance::Absent,
        _ => Glance::Look { generation },
    })
}

async fn ask(socket: &TokioSocket, question: &[u8]) -> io::Result<Vec<u8>> {
    socket.send(question).await?;
    let mut answer = Vec::with_capacity(4096);
    tokio::time::timeout(PATIENCE, socket.recv(&mut answer)).await??;
    Ok(answer)
}

fn question(kind: u16, family: u8, attributes: &[u8]) -> Vec<u8> {
    let length = HEADER + NFGENMSG + attributes.len();
    let mut message = Vec::with_capacity(length);
    message.extend((length as u32).to_ne_bytes());
    message.extend(message_type(kind).to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([family, 0, 0, 0]);
    message.extend(attributes);
    message
}

fn message_type(kind: u16) -> u16 {
    NFNL_SUBSYS_NFTABLES << 8 | kind
}

fn attribute(kind: u16, text: &str) -> Vec<u8> {
    let length = 4 + text.len() + 1;
    let mut bytes = Vec::with_capacity(length.next_multiple_of(4));
    bytes.extend((length as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(text.as_bytes());
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

/// Numbers of nftables are in network order.
fn generation(answer: &[u8]) -> Option<u32> {
    if u16_of(answer.get(4..)?)? != message_type(NFT_MSG_NEWGEN) {
        return None;
    }
    let value = Attributes::behind(answer, HEADER + NFGENMSG).get(NFTA_GEN_ID)?;
    value.first_chunk().copied().map(u32::from_be_bytes)
}

/// The error number of an answer that is a refusal.
fn error_of(answer: &[u8]) -> Option<i32> {
    match u16_of(answer.get(4..)?)? {
        NLMSG_ERROR => {
            u32_of(answer.get(HEADER..)?).map(|code| code.cast_signed().saturating_neg())
        }
        kind if kind == message_type(NFT_MSG_NEWTABLE) => None,
        _ => None,
    }
}
