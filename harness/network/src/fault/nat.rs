//! `nat-expire` and `nat-rebind`: what NATs do to mappings in use.

use super::{Acts, Entry, Fault, HostChange, Rule};

pub(super) const EXPIRE: Entry = Entry {
    name: "nat-expire",
    doc: "The NAT forgets the host's mappings now: what comes from outside is lost until the host sends again.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(nat_expire()),
};

pub(super) const REBIND: Entry = Entry {
    name: "nat-rebind",
    doc: "The NAT moves the host's mappings to other ports: peers see it come from elsewhere, the old ports lead nowhere.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(nat_rebind()),
};

/// The NAT before the hosts in scope forgets their mappings, as one that restarts. Over at once.
#[must_use]
pub fn nat_expire() -> Fault {
    let change = HostChange::NatExpire;
    Fault::new(EXPIRE.name, Change { change })
}

/// The NAT before the hosts in scope moves their mappings to other ports; peers that were sent to may still answer, at
/// the new port. Over at once.
#[must_use]
pub fn nat_rebind() -> Fault {
    let change = HostChange::NatRebind;
    Fault::new(REBIND.name, Change { change })
}

struct Change {
    change: HostChange,
}

impl Rule for Change {
    fn host_change(&self) -> Option<HostChange> {
        Some(self.change)
    }
}
