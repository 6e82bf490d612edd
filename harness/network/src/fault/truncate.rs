//! `truncate`: the end of a datagram is cut off.

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::event::Alteration;
use crate::packet::Packet;

/// The longest datagram.
const LENGTH_MAX: u64 = 65_527;

pub(super) const ENTRY: Entry = Entry {
    name: "truncate",
    doc: "Datagrams are cut off after so many bytes.",
    acts: Acts::Packets,
    params: &[Param {
        name: "length",
        kind: ParamKind::Count,
        default: None,
        doc: "How many bytes are left.",
    }],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let length = args
        .count("length", 0, LENGTH_MAX)?
        .ok_or_else(|| ArgError::missing("length"))?;
    Ok(truncate(usize::try_from(length).unwrap_or(usize::MAX)))
}

/// At most `length` bytes of each packet's data are left; shorter ones pass. A TCP segment's checksum tells, so that its
/// receiver drops it.
#[must_use]
pub fn truncate(length: usize) -> Fault {
    Fault::new(ENTRY.name, Truncate { length })
}

struct Truncate {
    length: usize,
}

impl Rule for Truncate {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, packet: &Packet, _: Key) -> Verdict {
        match packet.data() {
            Some(data) if data.len() > self.length => {
                Verdict::Replace(data.slice(..self.length), Alteration::Truncated)
            }
            _ => Verdict::Pass,
        }
    }
}
