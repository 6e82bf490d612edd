//! Faults: rules that judge packets and sends in the order of their arming, and changes to hosts.
//!
//! A new fault is one file in this folder and one line in [`CATALOGUE`]; the errors that routers send share a file.

mod args;
mod armed;
mod corrupt;
mod delay;
mod drop;
mod duplicate;
mod firewall_block;
mod heal;
mod icmp;
mod interface_down;
mod kill;
mod neighbour_gone;
mod partition;
mod power_off;
mod reorder;
mod restart;
mod route_lost;
mod truncate;

use std::time::Duration;

use bytes::Bytes;

pub use self::args::{Acts, ArgError, ArgProblem, ArgValue, Args, Entry, Param, ParamKind};
pub(crate) use self::armed::{Armed, Disarmed, Faults};
pub use self::corrupt::corrupt;
pub use self::delay::delay;
pub use self::drop::drop;
pub use self::duplicate::duplicate;
pub use self::firewall_block::{Direction, firewall_block};
pub use self::heal::heal;
pub use self::icmp::{
    Prohibited, fragmentation_needed, host_unreachable, net_unreachable, port_unreachable,
    prohibited, protocol_unreachable, ttl_exceeded,
};
pub use self::interface_down::interface_down;
pub use self::kill::kill;
pub use self::neighbour_gone::neighbour_gone;
pub use self::partition::partition;
pub use self::power_off::power_off;
pub use self::reorder::reorder;
pub use self::restart::restart;
pub use self::route_lost::{LostRoute, route_lost};
pub use self::truncate::truncate;
use crate::draw::{Key, PartsPerMillion};
use crate::event::Alteration;
use crate::packet::{IcmpKind, Packet};
use crate::platform::SocketErrorKind;
use crate::{HostId, Instant};

/// Every fault there is.
pub const CATALOGUE: &[Entry] = &[
    drop::ENTRY,
    delay::ENTRY,
    duplicate::ENTRY,
    reorder::ENTRY,
    corrupt::ENTRY,
    truncate::ENTRY,
    partition::ENTRY,
    heal::ENTRY,
    icmp::HOST_UNREACHABLE,
    icmp::NET_UNREACHABLE,
    icmp::PORT_UNREACHABLE,
    icmp::PROTOCOL_UNREACHABLE,
    icmp::PROHIBITED,
    icmp::TTL_EXCEEDED,
    icmp::FRAGMENTATION_NEEDED,
    route_lost::ENTRY,
    interface_down::ENTRY,
    firewall_block::ENTRY,
    neighbour_gone::ENTRY,
    kill::ENTRY,
    power_off::ENTRY,
    restart::ENTRY,
];

/// The catalogue's entry of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// An injected fault, numbered from 0 in the order of injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub(crate) u32);

impl FaultId {
    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What goes wrong, ready to be injected.
pub struct Fault {
    pub(crate) name: &'static str,
    pub(crate) rule: Box<dyn Rule>,
}

impl Fault {
    /// A fault of one's own: `name` is what records and reports call it.
    #[must_use]
    pub fn new(name: &'static str, rule: impl Rule + 'static) -> Self {
        Self {
            name,
            rule: Box::new(rule),
        }
    }

    /// Its name in the catalogue.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Where on a packet's way a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In a send call: the route lookup, before a pending error is told.
    Route,
    /// In a send call: the local firewall, after that.
    Output,
    /// As the packet enters the wire; also copies' originals and ICMP errors.
    Wire,
    /// As it reaches the receiver's interface.
    Arrival,
}

/// What a rule makes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Pass,
    /// The send fails at once ([`Phase::Route`], [`Phase::Output`]).
    Refuse(SocketErrorKind),
    /// It vanishes.
    Lose,
    /// It vanishes, and a router sends the error back.
    Answer(IcmpKind),
    /// It takes longer.
    Delay(Duration),
    /// It waits until this many later packets of its link have passed it, but not longer than this.
    Hold {
        /// How many.
        overtakers: u32,
        /// How long at most, on top of the latency.
        at_most: Duration,
    },
    /// Copies follow it; rules armed later judge only the original.
    Duplicate {
        /// How many.
        copies: u32,
        /// The time between one and the next.
        apart: Duration,
    },
    /// Its bytes change.
    Replace(Bytes, Alteration),
}

/// What a fault does to the hosts of its scope, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostChange {
    /// Falls silent; healing boots it and starts its process anew.
    PowerOff,
    /// The process ends and the kernel closes its sockets; healing starts it anew.
    Kill,
    /// Boots if need be, ends the process if it runs, starts it anew. Over at once.
    Restart,
    /// Neither answers nor gets answers on its LAN; healing attaches it again.
    Detach,
}

impl HostChange {
    /// Whether there is anything to undo.
    pub(crate) const fn is_lasting(self) -> bool {
        !matches!(self, Self::Restart)
    }
}

/// A fault's behaviour. All state is in it, all chance in the key that it is given.
pub trait Rule {
    /// Whether it has anything to say in a phase; what it does not concern does not count as matched.
    fn concerns(&self, phase: Phase) -> bool {
        let _ = phase;
        false
    }

    /// Judges a packet. `key` belongs to this fault and this packet alone.
    fn judge(&mut self, phase: Phase, packet: &Packet, key: Key) -> Verdict {
        let _ = (phase, packet, key);
        Verdict::Pass
    }

    /// What it does to the hosts of its scope as it begins.
    fn host_change(&self) -> Option<HostChange> {
        None
    }

    /// The name of the faults that it ends where the scopes have a host in common. Over at once.
    fn heals(&self) -> Option<&'static str> {
        None
    }
}

/// Which packets, sends or hosts a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    Everywhere,
    /// What this host sends, and, beyond its own kernel, what is sent to it.
    Host(HostId),
    /// One direction.
    Link {
        /// Sender.
        from: HostId,
        /// Receiver.
        to: HostId,
    },
    /// Between two groups; of host faults, the first group's hosts.
    Between {
        /// One group.
        a: Vec<HostId>,
        /// The other.
        b: Vec<HostId>,
        /// Only from `a` to `b`.
        one_way: bool,
    },
}

impl Scope {
    /// Whether a packet between these ends is concerned, as seen in this phase: a host's own kernel sees only what it
    /// sends ([`Phase::Route`], [`Phase::Output`]) or only what it receives ([`Phase::Arrival`]).
    #[must_use]
    pub fn covers(&self, phase: Phase, sender: Option<HostId>, receiver: Option<HostId>) -> bool {
        let is = |end: Option<HostId>, host: HostId| end == Some(host);
        let among =
            |end: Option<HostId>, hosts: &[HostId]| end.is_some_and(|host| hosts.contains(&host));
        match self {
            Self::Everywhere => true,
            Self::Host(host) => match phase {
                Phase::Route | Phase::Output => is(sender, *host),
                Phase::Arrival => is(receiver, *host),
                Phase::Wire => is(sender, *host) || is(receiver, *host),
            },
            Self::Link { from, to } => is(sender, *from) && is(receiver, *to),
            Self::Between { a, b, one_way } => {
                (among(sender, a) && among(receiver, b))
                    || (!one_way && among(sender, b) && among(receiver, a))
            }
        }
    }

    /// The hosts that a host fault changes: all, the one, the sender, or the first group. `None` for all.
    pub(crate) fn targets(&self) -> Option<Vec<HostId>> {
        match self {
            Self::Everywhere => None,
            Self::Host(host) => Some(vec![*host]),
            Self::Link { from, .. } => Some(vec![*from]),
            Self::Between { a, .. } => Some(a.clone()),
        }
    }

    /// Whether both mention some host.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (self.mentioned(), other.mentioned()) {
            (Some(own), Some(others)) => own.iter().any(|host| others.contains(host)),
            _ => true,
        }
    }

    /// Every host that it names; `None` for all.
    pub(crate) fn mentioned(&self) -> Option<Vec<HostId>> {
        match self {
            Self::Everywhere => None,
            Self::Host(host) => Some(vec![*host]),
            Self::Link { from, to } => Some(vec![*from, *to]),
            Self::Between { a, b, .. } => Some([a.as_slice(), b].concat()),
        }
    }
}

/// A message pattern of an upper layer. It is called while the engine is at work and must not call back into it.
pub type Matching = Box<dyn FnMut(&Packet) -> bool>;

/// A fault, and where, on what, how often and how long it acts.
pub struct Injection {
    /// What goes wrong.
    pub fault: Fault,
    /// Where.
    pub scope: Scope,
    /// On which packets; all if `None`. Not asked for changes of hosts.
    pub matching: Option<Matching>,
    /// Passes over this many matches first.
    pub skip: u64,
    /// Ends after this many applications. Not asked for changes of hosts, which happen once.
    pub times: Option<u64>,
    /// How likely each match is to be acted on.
    pub probability: PartsPerMillion,
    /// Heals after this long.
    pub lasts: Option<Duration>,
}

impl Injection {
    /// Acts on everything in the scope until healed.
    #[must_use]
    pub fn new(fault: Fault, scope: Scope) -> Self {
        Self {
            fault,
            scope,
            matching: None,
            skip: 0,
            times: None,
            probability: PartsPerMillion::ALWAYS,
            lasts: None,
        }
    }

    /// Only on packets for which this holds.
    #[must_use]
    pub fn matching(self, pattern: impl FnMut(&Packet) -> bool + 'static) -> Self {
        Self {
            matching: Some(Box::new(pattern)),
            ..self
        }
    }

    /// Only on the match of this number, from 1.
    #[must_use]
    pub fn nth(self, number: u64) -> Self {
        Self {
            skip: number.saturating_sub(1),
            times: Some(1),
            ..self
        }
    }

    /// Ends after this many applications.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Acts on each match with this probability.
    #[must_use]
    pub fn probability(self, probability: PartsPerMillion) -> Self {
        Self {
            probability,
            ..self
        }
    }

    /// Heals after this long.
    #[must_use]
    pub fn lasts(self, length: Duration) -> Self {
        Self {
            lasts: Some(length),
            ..self
        }
    }
}

/// What a fault has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// When it began.
    pub armed_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// How many packets, sends or hosts it concerned.
    pub matched: u64,
    /// How many of these it really altered.
    pub applied: u64,
}
