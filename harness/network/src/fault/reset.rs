//! `reset`: a TCP connection is torn down by RST.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::{Packet, Payload};
use crate::segment::Flags;

pub(super) const ENTRY: Entry = Entry {
    name: "reset",
    doc: "TCP connections are reset: those that exist now, or each after so many bytes, or where a message matches.",
    acts: Acts::Packets,
    params: &[
        Param {
            name: "side",
            kind: ParamKind::Choice(&["sender", "receiver", "both"]),
            default: Some("both"),
            doc: "Who gets RST: of existing connections, the sender is the host of the scope that is named first.",
        },
        Param {
            name: "after-bytes",
            kind: ParamKind::Count,
            default: Some("0"),
            doc: "How many bytes of data one direction carries first; with 0 and no pattern, it resets at once.",
        },
    ],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let sides = match args.choice("side") {
        Some("sender") => Sides::Sender,
        Some("receiver") => Sides::Receiver,
        _ => Sides::Both,
    };
    Ok(reset(
        sides,
        args.count("after-bytes", 0, u64::MAX)?.unwrap_or(0),
    ))
}

/// Who gets RST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Who sent the segment.
    Sender,
    /// Who should have received it.
    Receiver,
    /// Both.
    Both,
}

impl Sides {
    pub(crate) const fn sender(self) -> bool {
        !matches!(self, Self::Receiver)
    }

    pub(crate) const fn receiver(self) -> bool {
        !matches!(self, Self::Sender)
    }
}

/// Connections within the scope are reset, as by something on the way that forges RST for the sides named.
///
/// With `after_bytes` above 0, each direction of each flow is reset by the segment that would carry it beyond so many
/// bytes of data; with a pattern, by each segment that matches. That segment is lost. With neither, all connections
/// within the scope are reset as the fault begins, and it is over at once. Everywhere, each end is a sender.
#[must_use]
pub fn reset(sides: Sides, after_bytes: u64) -> Fault {
    Fault::new(
        ENTRY.name,
        Reset {
            sides,
            after_bytes,
            carried: BTreeMap::new(),
        },
    )
}

struct Reset {
    sides: Sides,
    after_bytes: u64,
    /// Bytes by direction, as sent: what is sent again counts again.
    carried: BTreeMap<(SocketAddr, SocketAddr), u64>,
}

impl Rule for Reset {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, packet: &Packet, _: Key) -> Verdict {
        let Payload::Tcp(segment) = &packet.payload else {
            return Verdict::Pass;
        };
        if segment.has(Flags::RST) {
            return Verdict::Pass;
        }
        if self.after_bytes > 0 {
            let carried = self.carried.entry((packet.from, packet.to)).or_insert(0);
            *carried += segment.data.len() as u64;
            if *carried <= self.after_bytes {
                return Verdict::Pass;
            }
            self.carried.remove(&(packet.from, packet.to));
        }
        Verdict::Reset(self.sides)
    }

    fn resets(&self) -> Option<Sides> {
        (self.after_bytes == 0).then_some(self.sides)
    }
}
