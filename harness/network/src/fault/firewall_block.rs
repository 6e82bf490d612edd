//! `firewall-block`: a host's own firewall drops.

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::{IcmpKind, Packet};
use crate::platform::SocketErrorKind;

pub(super) const ENTRY: Entry = Entry {
    name: "firewall-block",
    doc: "The host's own firewall blocks: what it sends fails at once, what it is sent vanishes or is rejected.",
    acts: Acts::Sends,
    params: &[
        Param {
            name: "direction",
            kind: ParamKind::Choice(&["out", "in", "both"]),
            default: Some("out"),
            doc: "What it blocks.",
        },
        Param {
            name: "answer",
            kind: ParamKind::Choice(&["silence", "port-unreachable", "prohibited"]),
            default: Some("silence"),
            doc: "What it tells the sender: nothing, ICMP 3/3 or ICMP 3/13.",
        },
    ],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let direction = match args.choice("direction") {
        Some("in") => Direction::In,
        Some("both") => Direction::Both,
        _ => Direction::Out,
    };
    Ok(match args.choice("answer") {
        Some("port-unreachable") => firewall_reject(direction, Rejection::PortUnreachable),
        Some("prohibited") => firewall_reject(direction, Rejection::Prohibited),
        _ => firewall_block(direction),
    })
}

/// What a firewall blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the host sends: `EPERM`.
    Out,
    /// What it is sent.
    In,
    /// Both.
    Both,
}

/// What a firewall that rejects says to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// 3/3, what `REJECT` of iptables and `reject` of nftables send unless told otherwise.
    PortUnreachable,
    /// 3/13, what firewalld sends.
    Prohibited,
}

/// The firewall of the hosts in scope drops: sends fail with `EPERM`, what arrives is lost in silence. Unlike a route
/// that is lost, it lets UDP connect.
#[must_use]
pub fn firewall_block(direction: Direction) -> Fault {
    let rule = FirewallBlock {
        direction,
        answer: None,
    };
    Fault::new(ENTRY.name, rule)
}

/// As [`firewall_block`], and it answers with an ICMP error in the host's name, no more often than its kernel's limit
/// lets it. A send still fails with `EPERM`; the error goes to the sending socket as well, as from anywhere else
/// (Linux: `nf_send_unreach` in the output chain; from the sources, not measured).
#[must_use]
pub fn firewall_reject(direction: Direction, rejection: Rejection) -> Fault {
    let answer = match rejection {
        Rejection::PortUnreachable => IcmpKind::PortUnreachable,
        Rejection::Prohibited => IcmpKind::CommunicationProhibited,
    };
    let rule = FirewallBlock {
        direction,
        answer: Some(answer),
    };
    Fault::new(ENTRY.name, rule)
}

struct FirewallBlock {
    direction: Direction,
    answer: Option<IcmpKind>,
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
        match (phase, self.answer) {
            (Phase::Output, None) => Verdict::Refuse(SocketErrorKind::NotPermitted),
            (_, Some(kind)) => Verdict::Answer(kind),
            (_, None) => Verdict::Lose,
        }
    }
}
