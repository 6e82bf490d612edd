//! Network address translation in front of a LAN (RFC 4787).
//!
//! It owns the behaviours that RFC 4787 names, the mappings, and the rewriting of packets on their way out and in,
//! ICMP errors included. It refuses knowledge of what datagrams carry: no application-level gateway (REQ-12 wants such
//! things to be off).
//!
//! Only families of which the NAT has an outside address are translated; a LAN's IPv6 is usually routed as it is.

mod table;
mod translate;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use self::table::Table;
use crate::draw::Key;
use crate::fault::HostChange;
use crate::packet::Transport;
use crate::{HostId, Instant, LanId};

/// What a NAT's mappings, or its filter, tell apart about the peers outside (RFC 4787 §4.1 and §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NatBehaviour {
    /// Nothing: one mapping for all peers; whoever knows the mapping may use it.
    EndpointIndependent,
    /// Their addresses: a mapping for each; only addresses that were sent to may answer.
    AddressDependent,
    /// Their addresses and ports: a mapping for each; only what was sent to may answer.
    AddressAndPortDependent,
}

/// What kind of NAT stands in front of a LAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatOptions {
    /// Its addresses outside, at least one, each unicast and nobody else's. A host keeps to one of each family (REQ-2:
    /// "paired").
    pub outside: Vec<IpAddr>,
    /// Whether a socket has one port outside, or one for each peer. REQ-1 demands endpoint-independence.
    pub mapping: NatBehaviour,
    /// Who may answer. REQ-8 recommends endpoint-independence, or address-dependence where security counts more.
    pub filtering: NatBehaviour,
    /// How long a UDP mapping lives that is not refreshed, and how long the filter remembers a peer.
    pub udp_lifetime: Duration,
    /// The same for TCP. RFC 5382 REQ-5 wants two hours and four minutes at least for what is established.
    pub tcp_lifetime: Duration,
    /// Whether packets from outside refresh a mapping as those from inside always do (REQ-6).
    pub inbound_refresh: bool,
}

impl NatOptions {
    /// A common home router: endpoint-independent mapping, filtering by address and port, refreshed from inside only,
    /// and a lifetime of 30 s, Linux's `nf_conntrack_udp_timeout`. REQ-5 wants two minutes at least; those that heed it
    /// are not those that faults are about.
    #[must_use]
    pub const fn new(outside: Vec<IpAddr>) -> Self {
        Self {
            outside,
            mapping: NatBehaviour::EndpointIndependent,
            filtering: NatBehaviour::AddressAndPortDependent,
            udp_lifetime: Duration::from_secs(30),
            tcp_lifetime: Duration::from_secs(2 * 3600 + 4 * 60),
            inbound_refresh: false,
        }
    }
}

/// The NATs of a network, by the LAN that is inside; UDP's ports and TCP's are apart (RFC 4787 §3).
#[derive(Default)]
pub(crate) struct Nats {
    nats: BTreeMap<(LanId, Transport), Table>,
}

impl Nats {
    pub(crate) fn add(&mut self, lan: LanId, options: NatOptions, key: Key) {
        let tcp = Table::new(options.clone(), options.tcp_lifetime, key.with_text("tcp"));
        self.nats.insert((lan, Transport::Tcp), tcp);
        let lifetime = options.udp_lifetime;
        self.nats
            .insert((lan, Transport::Udp), Table::new(options, lifetime, key));
    }

    /// Who is behind an outside address and port just now; it may be another one by the time a packet gets there.
    pub(crate) fn host_behind(
        &self,
        transport: Transport,
        outside: SocketAddr,
        now: Instant,
    ) -> Option<HostId> {
        let tables = self.nats.iter().filter(|((_, of), _)| *of == transport);
        tables
            .map(|(_, table)| table)
            .find_map(|table| table.host_behind(outside, now))
    }

    /// Does to the mappings of one host what a fault asks; false if it has none.
    pub(crate) fn change(&mut self, change: HostChange, host: HostId, now: Instant) -> bool {
        let mut changed = false;
        for table in self.nats.values_mut() {
            changed |= match change {
                HostChange::NatRebind => table.rebind(host, now),
                _ => table.expire(host, now),
            };
        }
        changed
    }
}
