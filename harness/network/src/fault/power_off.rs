//! `power-off`: a machine falls silent.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "power-off",
    doc: "The machine falls silent without a word, and no longer answers ARP; healing boots it and starts its process anew.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(power_off()),
};

/// The machine falls silent without a word and no longer answers ARP. Healing boots it and starts its process anew.
#[must_use]
pub fn power_off() -> Fault {
    Fault::new(ENTRY.name, PowerOff)
}

struct PowerOff;

impl Rule for PowerOff {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::PowerOff)
    }
}
