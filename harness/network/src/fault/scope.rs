//! Where a fault acts.

use super::Phase;
use crate::HostId;

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

/// One direction within a scope: what shares a queue there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// What a host sends; a link's one direction; from the first group to the second.
    Forth,
    /// What a host is sent; from the second group to the first.
    Back,
    /// Where the scope is everywhere: one link.
    Link(Option<HostId>, Option<HostId>),
}

impl Scope {
    /// In which direction of the scope a packet between these ends goes, given that it is covered.
    #[must_use]
    pub fn lane(&self, sender: Option<HostId>, receiver: Option<HostId>) -> Lane {
        let forth = match self {
            Self::Everywhere => return Lane::Link(sender, receiver),
            Self::Host(host) => sender == Some(*host),
            Self::Link { .. } => true,
            Self::Between { a, .. } => sender.is_some_and(|sender| a.contains(&sender)),
        };
        if forth { Lane::Forth } else { Lane::Back }
    }

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
