//! `resume`: a frozen process goes on.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "resume",
    doc: "A frozen process goes on: it reads what has arrived, and timers that are overdue fire at once.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(resume()),
};

/// A frozen process goes on, however many times it was frozen, as `SIGCONT` does. Over at once.
#[must_use]
pub fn resume() -> Fault {
    Fault::new(ENTRY.name, Resume)
}

struct Resume;

impl Rule for Resume {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Resume)
    }
}
