//! `firewall-block`: a host's own firewall drops.

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;
use crate::platform::SocketErrorKind;

pub(super) const ENTRY: Entry = Entry {
    name: "firewall-block",
    doc: "The host's own firewall drops: what it sends fails at once, what it is sent vanishes.",
    acts: Acts::Sends,
    params: &[Param {
        name: "direction",
        kind: ParamKind::Choice(&["out", "in", "both"]),
        default: Some("out"),
        doc: "What it drops.",
    }],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    Ok(firewall_block(match args.choice("direction") {
        Some("in") => Direction::In,
        Some("both") => Direction::Both,
        _ => Direction::Out,
    }))
}

/// What a firewall drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the host sends: `EPERM`.
    Out,
    /// What it is sent: silence.
    In,
    /// Both.
    Both,
}

/// The firewall of the hosts in scope drops. Unlike a route that is lost, it lets UDP connect.
#[must_use]
pub fn firewall_block(direction: Direction) -> Fault {
    Fault::new(ENTRY.name, FirewallBlock { direction })
}

struct FirewallBlock {
    direction: Direction,
}

impl Rule for FirewallBlock {
    fn concerns(&self, phase: Phase) -> bool {
        match phase {
            Phase::Output => self.direction != Direction::In,
            Phase::Arrival => self.direction != Direction::Out,
            Phase::Route | Phase::Wire => false,
        }
    }

    fn judge(&mut self, phase: Phase, _: &Packet, _: Key) -> Verdict {
        match phase {
            Phase::Output => Verdict::Refuse(SocketErrorKind::NotPermitted),
            _ => Verdict::Lose,
        }
    }
}
