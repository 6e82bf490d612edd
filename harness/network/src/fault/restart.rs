//! `restart`: a process is started anew.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "restart",
    doc: "Ends the process if it runs, boots the machine if it is off, and starts the process anew.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(restart()),
};

/// Ends the process if it runs, boots the machine if it is off, and starts the process anew. Over at once.
#[must_use]
pub fn restart() -> Fault {
    Fault::new(ENTRY.name, Restart)
}

struct Restart;

impl Rule for Restart {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Restart)
    }
}
