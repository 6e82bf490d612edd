//! `reorder`: packets are overtaken by later ones.

use std::time::Duration;

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;

/// Enough for any window of packets under way.
const BEHIND_MAX: u64 = 10_000;

pub(super) const ENTRY: Entry = Entry {
    name: "reorder",
    doc: "Packets are held back until later ones of the same link have overtaken them.",
    acts: Acts::Packets,
    params: &[
        Param {
            name: "behind",
            kind: ParamKind::Count,
            default: Some("1"),
            doc: "How many overtake each.",
        },
        Param {
            name: "at-most",
            kind: ParamKind::Duration,
            default: Some("1s"),
            doc: "How long one is held back if fewer come.",
        },
    ],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let behind = args
        .count("behind", 1, BEHIND_MAX)?
        .and_then(|behind| u32::try_from(behind).ok());
    Ok(reorder(
        behind.unwrap_or(1),
        args.duration("at-most").unwrap_or(Duration::from_secs(1)),
    ))
}

/// Each packet is held back until `behind` later ones of its link have overtaken it, but not longer than `at_most` on
/// top of the latency. A held packet overtakes none, so that of a whole stream every second one is held.
#[must_use]
pub fn reorder(behind: u32, at_most: Duration) -> Fault {
    Fault::new(
        ENTRY.name,
        Reorder {
            behind,
            at_most,
            passing: 0,
        },
    )
}

struct Reorder {
    behind: u32,
    at_most: Duration,
    passing: u32,
}

impl Rule for Reorder {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, _: &Packet, _: Key) -> Verdict {
        if self.passing > 0 {
            self.passing -= 1;
            return Verdict::Pass;
        }
        self.passing = self.behind;
        Verdict::Hold {
            overtakers: self.behind,
            at_most: self.at_most,
        }
    }
}
