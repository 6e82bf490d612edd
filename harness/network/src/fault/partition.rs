//! `partition`: silence between two groups of hosts.

use super::{Acts, Entry, Fault, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;

pub(super) const ENTRY: Entry = Entry {
    name: "partition",
    doc: "Silence between two groups of hosts, both ways or one way, until it lasts no longer or `heal` ends it.",
    acts: Acts::Packets,
    params: &[],
    build: |_| Ok(partition()),
};

/// Silence: nothing within the scope arrives, ICMP included, and nobody is told. ARP still answers, as it does through
/// a filtering switch.
#[must_use]
pub fn partition() -> Fault {
    Fault::new(ENTRY.name, Partition)
}

struct Partition;

impl Rule for Partition {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, _: &Packet, _: Key) -> Verdict {
        Verdict::Lose
    }
}
