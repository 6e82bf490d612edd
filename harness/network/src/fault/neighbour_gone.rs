//! `neighbour-gone`: a host drops off its LAN while its process goes on.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const ENTRY: Entry = Entry {
    name: "neighbour-gone",
    doc: "The host drops off its LAN: neighbours and router get no ARP answer from it, nor it from them; its process goes on.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(neighbour_gone()),
};

/// The host drops off its LAN, as when Wi-Fi is lost: neighbours and router get no ARP answer from it, nor it from them.
/// Its process goes on.
#[must_use]
pub fn neighbour_gone() -> Fault {
    Fault::new(ENTRY.name, NeighbourGone)
}

struct NeighbourGone;

impl Rule for NeighbourGone {
    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Detach)
    }
}
