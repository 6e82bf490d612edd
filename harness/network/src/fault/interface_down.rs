//! `interface-down`: a host's network interface is taken down.

use super::{Acts, Entry, Fault, HostChange, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;
use crate::platform::SocketErrorKind;

pub(super) const ENTRY: Entry = Entry {
    name: "interface-down",
    doc: "The host's interface is down: its sends fail at once, nothing arrives, and it no longer answers ARP.",
    acts: Acts::Hosts,
    params: &[],
    build: |_| Ok(interface_down()),
};

/// The interface is down: sends fail with `ENETUNREACH`, receives only wait, neighbours get no ARP answer. The same
/// sockets work again once it is up.
#[must_use]
pub fn interface_down() -> Fault {
    Fault::new(ENTRY.name, InterfaceDown)
}

struct InterfaceDown;

impl Rule for InterfaceDown {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Route
    }

    fn judge(&mut self, _: Phase, _: &Packet, _: Key) -> Verdict {
        Verdict::Refuse(SocketErrorKind::NetUnreachable)
    }

    fn host_change(&self) -> Option<HostChange> {
        Some(HostChange::Detach)
    }
}
