//! `corrupt`: bits flip; a datagram's checksum does not tell, a segment's does.

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::event::Alteration;
use crate::packet::Packet;

/// As many as the longest datagram has.
const BITS_MAX: u64 = 65_527 * 8;

pub(super) const ENTRY: Entry = Entry {
    name: "corrupt",
    doc: "Bits flip: datagrams arrive so, segments fail their checksum and are sent again.",
    acts: Acts::Packets,
    params: &[Param {
        name: "bits",
        kind: ParamKind::Count,
        default: Some("1"),
        doc: "How many bits of each.",
    }],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    Ok(corrupt(args.count("bits", 1, BITS_MAX)?.unwrap_or(1)))
}

/// This many different bits of each packet's data flip, drawn for each; all if it has no more. An empty datagram passes;
/// a TCP segment's checksum tells, so that its receiver drops it.
#[must_use]
pub fn corrupt(bits: u64) -> Fault {
    Fault::new(ENTRY.name, Corrupt { bits })
}

struct Corrupt {
    bits: u64,
}

impl Rule for Corrupt {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, packet: &Packet, key: Key) -> Verdict {
        let Some(data) = packet.data().filter(|_| self.bits > 0) else {
            return Verdict::Pass;
        };
        // A segment without data is damaged in its header, and lost for that.
        if data.is_empty() && packet.segment().is_none() {
            return Verdict::Pass;
        }
        let (mut bytes, total) = (data.to_vec(), data.len() as u64 * 8);
        // Selection sampling (Knuth, TAOCP 3.4.2 S): each set of bits equally likely, none twice.
        let mut wanted = self.bits.min(total);
        for bit in 0..total {
            if key.with(bit).below(total - bit) < wanted {
                wanted -= 1;
                let byte = usize::try_from(bit / 8).unwrap_or(0);
                bytes[byte] ^= 1 << (bit % 8);
            }
        }
        Verdict::Replace(bytes.into(), Alteration::Corrupted)
    }
}
