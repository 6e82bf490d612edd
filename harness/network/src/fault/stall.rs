//! `stall`: a host's programs stop reading from TCP.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "stall",
    doc: "The host's programs read nothing more from TCP, so that their peers' windows close.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(stall()),
};

/// Reading from TCP waits, whatever has arrived: buffers fill, and the window closes. The kernel goes on acknowledging
/// and answering probes; writing, UDP and timers work. Healing lets reading go on where it stood.
#[must_use]
pub fn stall() -> Fault {
    Fault::new(ENTRY.name, Stall)
}

struct Stall;

impl Rule for Stall {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Stall)
    }
}
