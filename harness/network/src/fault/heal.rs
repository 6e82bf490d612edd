//! `heal`: ends partitions.

use super::{Acts, Entry, Fault, Rule, partition};

pub(super) const ENTRY: Entry = Entry {
    name: "heal",
    doc: "Ends every partition that concerns a host of the scope.",
    acts: Acts::Faults,
    params: &[],
    build: |_| Ok(heal()),
};

/// Ends every partition whose scope has a host in common with this one's. Over at once.
#[must_use]
pub fn heal() -> Fault {
    Fault::new(ENTRY.name, Heal)
}

struct Heal;

impl Rule for Heal {
    fn heals(&self) -> Option<&'static str> {
        Some(partition::ENTRY.name)
    }
}
