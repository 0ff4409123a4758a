//! What wakes the daemon.

use std::io;
use std::time::Duration;

use netlink_sys::{AsyncSocket, AsyncSocketExt, TokioSocket, protocols};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::host::HostError;
use crate::source::{Content, FileSource, Source, SourceError};

/// Changes come in swarms: the kernel is quiet for this long before we look.
const QUIET: Duration = Duration::from_millis(150);
/// But a machine that is never quiet is looked at all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// rtnetlink groups: links, IPv4 and IPv6 addresses and routes (include/uapi/linux/rtnetlink.h).
const ROUTE_GROUPS: [u32; 5] = [1, 5, 9, 7, 11];
/// `NFNLGRP_NFTABLES` (include/uapi/linux/netfilter/nfnetlink.h).
const NFTABLES_GROUP: [u32; 1] = [7];

/// Why the daemon woke.
#[derive(Debug)]
pub enum Wake {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// The document changed, or cannot be read any more.
    Document(Result<Content, SourceError>),
    /// Links, addresses, routes or the packet filter changed.
    Kernel,
    Timer,
}

/// Everything that is waited for.
pub struct Wakers {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    timer: Interval,
    route: TokioSocket,
    nftables: TokioSocket,
}

impl Wakers {
    /// Listens from now on.
    pub fn new(every: Duration) -> Result<Self, HostError> {
        let made = || -> io::Result<Self> {
            let mut timer = interval(every);
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hang_up: signal(SignalKind::hangup())?,
                timer,
                route: listener(protocols::NETLINK_ROUTE, &ROUTE_GROUPS)?,
                nftables: listener(protocols::NETLINK_NETFILTER, &NFTABLES_GROUP)?,
            })
        };
        made().map_err(|error| HostError::new("cannot listen for changes", error))
    }

    /// Waits for the next reason to look.
    pub async fn next(&mut self, source: &mut FileSource) -> Wake {
        tokio::select! {
            _ = self.terminate.recv() => Wake::Stop,
            _ = self.interrupt.recv() => Wake::Stop,
            _ = self.hang_up.recv() => Wake::Reload,
            read = source.changed() => Wake::Document(read),
            () = heard(&mut self.route) => { self.settle().await; Wake::Kernel }
            () = heard(&mut self.nftables) => { self.settle().await; Wake::Kernel }
            _ = self.timer.tick() => Wake::Timer,
        }
    }

    /// Waits until the kernel has nothing more to say for a moment.
    async fn settle(&mut self) {
        let quiet = async {
            loop {
                let more = async {
                    tokio::select! {
                        () = heard(&mut self.route) => {}
                        () = heard(&mut self.nftables) => {}
                    }
                };
                if tokio::time::timeout(QUIET, more).await.is_err() {
                    return;
                }
            }
        };
        // Either way it is time to look.
        let _ = tokio::time::timeout(LONGEST, quiet).await;
    }

    /// Takes out what our own changes made the kernel say. What others did meanwhile is found by the timer.
    pub fn forget_our_own(&mut self) {
        for socket in [&mut self.route, &mut self.nftables] {
            let mut buffer = Vec::with_capacity(65_536);
            while socket
                .socket_mut()
                .recv(&mut &mut buffer, libc::MSG_DONTWAIT)
                .is_ok()
            {
                buffer.clear();
            }
        }
        self.timer.reset();
    }
}

fn listener(protocol: isize, groups: &[u32]) -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(protocol)?;
    socket.socket_mut().bind_auto()?;
    for group in groups {
        socket.socket_mut().add_membership(*group)?;
    }
    Ok(socket)
}

/// Returns when the kernel said something. That it said too much (ENOBUFS) is something, too.
async fn heard(socket: &mut TokioSocket) {
    let mut buffer = Vec::with_capacity(65_536);
    let _ = socket.recv(&mut buffer).await;
}
