//! `drop`: packets vanish.

use super::{Acts, Entry, Fault, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;

pub(super) const ENTRY: Entry = Entry {
    name: "drop",
    doc: "Packets vanish on the wire; nobody is told.",
    acts: Acts::Packets,
    params: &[],
    build: |_| Ok(drop()),
};

/// Packets vanish on the wire; nobody is told.
#[must_use]
pub fn drop() -> Fault {
    Fault::new(ENTRY.name, Drop)
}

struct Drop;

impl Rule for Drop {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, _: &Packet, _: Key) -> Verdict {
        Verdict::Lose
    }
}
