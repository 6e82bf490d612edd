//! `duplicate`: packets arrive more than once.

use std::time::Duration;

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::{Packet, Payload};

/// More copies of one packet than this would be a flood, which is another fault.
const COPIES_MAX: u64 = 1000;

pub(super) const ENTRY: Entry = Entry {
    name: "duplicate",
    doc: "Packets arrive more than once.",
    acts: Acts::Packets,
    params: &[
        Param {
            name: "copies",
            kind: ParamKind::Count,
            default: Some("1"),
            doc: "How many arrive besides the first.",
        },
        Param {
            name: "apart",
            kind: ParamKind::Duration,
            default: Some("1ms"),
            doc: "The time between them.",
        },
    ],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let copies = args
        .count("copies", 1, COPIES_MAX)?
        .and_then(|copies| u32::try_from(copies).ok());
    Ok(duplicate(
        copies.unwrap_or(1),
        args.duration("apart").unwrap_or(Duration::from_millis(1)),
    ))
}

/// Packets other than ICMP arrive `copies` times more, each this long after the one before. Later faults judge only the original.
#[must_use]
pub fn duplicate(copies: u32, apart: Duration) -> Fault {
    Fault::new(ENTRY.name, Duplicate { copies, apart })
}

struct Duplicate {
    copies: u32,
    apart: Duration,
}

impl Rule for Duplicate {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, packet: &Packet, _: Key) -> Verdict {
        match packet.payload {
            Payload::Udp(_) | Payload::Tcp(_) if self.copies > 0 => Verdict::Duplicate {
                copies: self.copies,
                apart: self.apart,
            },
            _ => Verdict::Pass,
        }
    }
}
