//! `kill`: a process ends, and its kernel tidies up.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "kill",
    doc: "The process ends and the kernel closes its sockets, so that its ports answer as closed.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(kill()),
};

/// The process ends and the kernel closes its sockets: TCP connections with FIN, or with RST where data was unread; what
/// arrives later is answered with ICMP port unreachable or RST.
/// Healing starts it anew.
#[must_use]
pub fn kill() -> Fault {
    Fault::new(ENTRY.name, Kill)
}

struct Kill;

impl Rule for Kill {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Kill)
    }
}
