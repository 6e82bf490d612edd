//! `route-lost`: a host's own routing table refuses, so that its sends fail at once.

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;
use crate::platform::SocketErrorKind;

pub(super) const ENTRY: Entry = Entry {
    name: "route-lost",
    doc: "The host's own routing table refuses: its sends fail at once, and connecting fails.",
    acts: Acts::Sends,
    params: &[Param {
        name: "kind",
        kind: ParamKind::Choice(&["unreachable", "prohibit", "blackhole", "throw", "deleted"]),
        default: Some("unreachable"),
        doc: "The type of route that is left, or none.",
    }],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    Ok(route_lost(match args.choice("kind") {
        Some("prohibit") => LostRoute::Prohibit,
        Some("blackhole") => LostRoute::Blackhole,
        Some("throw") => LostRoute::Throw,
        Some("deleted") => LostRoute::Deleted,
        _ => LostRoute::Unreachable,
    }))
}

/// What the routing table says (`ip-route(8)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostRoute {
    /// `EHOSTUNREACH`.
    Unreachable,
    /// `EACCES`.
    Prohibit,
    /// `EINVAL`.
    Blackhole,
    /// `ENETUNREACH`.
    Throw,
    /// Nothing: the default route or the host's address is gone, `ENETUNREACH`.
    Deleted,
}

/// What the hosts of the scope send fails at once; loopback works. What they receive still arrives.
#[must_use]
pub fn route_lost(route: LostRoute) -> Fault {
    Fault::new(ENTRY.name, RouteLost { route })
}

struct RouteLost {
    route: LostRoute,
}

impl Rule for RouteLost {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Route
    }

    fn judge(&mut self, _: Phase, _: &Packet, _: Key) -> Verdict {
        Verdict::Refuse(match self.route {
            LostRoute::Unreachable => SocketErrorKind::HostUnreachable,
            LostRoute::Prohibit => SocketErrorKind::PermissionDenied,
            LostRoute::Blackhole => SocketErrorKind::InvalidArgument,
            LostRoute::Throw | LostRoute::Deleted => SocketErrorKind::NetUnreachable,
        })
    }
}
