//! `freeze`: a process is stopped, as `SIGSTOP` does, and its kernel goes on without it.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "freeze",
    doc: "The process stops but its sockets stay open: nothing is read or sent, no timer fires; healing resumes it.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(freeze()),
};

/// The process is stopped and its sockets stay open, as under `SIGSTOP` or in a phone that is locked. None of its code
/// runs and none of its timers fires; datagrams gather in its receive buffers until these are full; its kernel still
/// answers ARP and refuses datagrams for closed ports. Healing resumes it: what arrived is there to be read, and timers
/// that are overdue fire at once, in the order in which they were due.
///
/// It acts on the process that runs: one that is started meanwhile is not frozen. Freezes add up, and the process goes
/// on when the last has been healed; [`resume`](super::resume()) ends all of them for a host.
#[must_use]
pub fn freeze() -> Fault {
    Fault::new(ENTRY.name, Freeze)
}

struct Freeze;

impl Rule for Freeze {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Freeze)
    }
}
