//! What a fault does: a rule that judges packets and sends, or a change of hosts.

use std::time::Duration;

use bytes::Bytes;

use crate::draw::Key;
use crate::event::Alteration;
use crate::packet::{IcmpKind, Packet};
use crate::platform::SocketErrorKind;

use super::Sides;

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
    /// In a send call: the route lookup, before a pending error is told. Only [`Verdict::Refuse`] has an effect.
    Route,
    /// In a send call: the local firewall, after that. Only [`Verdict::Refuse`] has an effect.
    Output,
    /// As a packet of whatever kind enters the wire; copies are not asked about.
    Wire,
    /// As it reaches the receiver's interface. Whatever is not [`Verdict::Pass`] loses it.
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
    /// It vanishes, and the ends of its TCP connection get RST.
    Reset(Sides),
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
    /// Its programs read nothing more from TCP; healing lets them.
    Stall,
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
    fn concerns(&self, _phase: Phase) -> bool {
        false
    }

    /// Judges a packet. `key` belongs to this fault and this packet alone.
    fn judge(&mut self, _phase: Phase, _packet: &Packet, _key: Key) -> Verdict {
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

    /// Whose ends of the TCP connections within its scope it resets as it begins. Over at once, unless the injection
    /// has a pattern: then it is asked about packets instead.
    fn resets(&self) -> Option<Sides> {
        None
    }
}
