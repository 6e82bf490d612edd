//! `crash`: the process panics, and its kernel tidies up.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "crash",
    doc: "The process panics and ends as a whole; the kernel closes its sockets, so that its ports answer as closed.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(crash()),
};

/// The process panics and ends as a whole, as one built with `panic = "abort"` does; its kernel tidies up as after a
/// [`kill`](super::kill()). The panic is recorded as [`Event::InvitedPanic`](crate::Event::InvitedPanic), so that
/// nobody takes it for a mistake of the code. A frozen process cannot panic: nothing changes. Healing starts it anew.
#[must_use]
pub fn crash() -> Fault {
    Fault::new(ENTRY.name, Crash)
}

struct Crash;

impl Rule for Crash {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Crash)
    }
}
