//! What a fault does: a rule that judges packets and sends, or a change of hosts.

use std::time::Duration;

use bytes::Bytes;

use super::Lane;
use crate::Instant;
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
    /// In a send call: the local firewall, after that. [`Verdict::Refuse`] has an effect, and [`Verdict::Answer`],
    /// which is `EPERM` and an error from the host itself.
    Output,
    /// As a packet of whatever kind enters the wire; copies are not asked about.
    Wire,
    /// As it reaches the receiver's interface. Whatever is not [`Verdict::Pass`] loses it; [`Verdict::Answer`] comes
    /// from the receiver.
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
    /// It vanishes, and a router sends the error back; in a firewall's phases the host itself.
    Answer(IcmpKind),
    /// It vanishes, because a queue has no room for it.
    Overflow,
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

/// When a packet is judged, and in which direction of the fault's scope it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The virtual time.
    pub now: Instant,
    /// The direction.
    pub lane: Lane,
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
    /// The process panics and ends, and the kernel closes its sockets; healing starts it anew.
    Crash,
    /// The process stops, its sockets stay open; healing resumes it.
    Freeze,
    /// A stopped process goes on. Over at once.
    Resume,
    /// The NAT before it forgets its mappings. Over at once.
    NatExpire,
    /// The NAT before it moves its mappings to other ports. Over at once.
    NatRebind,
    /// Neither answers nor gets answers on its LAN; healing attaches it again.
    Detach,
    /// Its programs read nothing more from TCP; healing lets them.
    Stall,
}

impl HostChange {
    /// Whether there is anything to undo.
    pub(crate) const fn is_lasting(self) -> bool {
        !matches!(
            self,
            Self::Restart | Self::Resume | Self::NatExpire | Self::NatRebind
        )
    }

    /// Whether several faults of this kind hold a host together, so that the last one healed lets it go.
    pub(crate) const fn adds_up(self) -> bool {
        matches!(self, Self::Detach | Self::Freeze)
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

    /// As [`Self::judge`], and asked instead of it, for a rule that must know when or in which direction.
    fn judge_at(&mut self, _: Occasion, phase: Phase, packet: &Packet, key: Key) -> Verdict {
        self.judge(phase, packet, key)
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
