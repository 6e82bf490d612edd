//! Which records of a trace are frames of its capture, and on which interface.

use std::collections::BTreeMap;

use linefault_network::{self as network, Alteration, Instant, Packet, Payload};

use crate::trace::{Event, Record, Trace};

/// What a frame shows a packet as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interface {
    /// As its sender sent it.
    Sent,
    /// As a NAT rewrote it.
    Nat,
    /// As a fault made it.
    Changed,
}

/// One frame.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// When it was taken.
    pub(super) at: Instant,
    /// Where.
    pub(super) interface: Interface,
    /// The packet.
    pub(super) packet: Packet,
    /// For ICMP the packet that it is about, where the trace has it.
    pub(super) about: Option<Packet>,
}

impl Interface {
    pub(super) const ALL: [Self; 3] = [Self::Sent, Self::Nat, Self::Changed];

    /// Its place among the file's interfaces.
    pub(super) const fn id(self) -> u32 {
        self as u32
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Nat => "nat",
            Self::Changed => "changed",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Sent => "each packet as its sender sent it",
            Self::Nat => "packets again, as a NAT rewrote them",
            Self::Changed => "packets again, as a fault changed or doubled them",
        }
    }
}

/// The frames of a trace, in its order.
pub(super) fn frames(trace: &Trace) -> impl Iterator<Item = Frame> {
    let mut quoted = BTreeMap::new();
    trace
        .records()
        .iter()
        .filter_map(move |record| frame(trace, record, &mut quoted))
}

/// `quoted` keeps what each ICMP error is about, by the error's number.
fn frame(trace: &Trace, record: &Record, quoted: &mut BTreeMap<u64, Packet>) -> Option<Frame> {
    let Event::Network(event) = &record.event else {
        return None;
    };
    let (interface, packet) = match event {
        network::Event::Sent { packet } => {
            if let (Payload::Icmp(_), Some(about)) = (&packet.payload, about(trace, record)) {
                quoted.insert(packet.id, about.clone());
            }
            (Interface::Sent, packet)
        }
        network::Event::Translated { packet, .. } => (Interface::Nat, packet),
        network::Event::Altered { packet, how, .. } => {
            match how {
                Alteration::Delayed { .. } | Alteration::Reordered => return None,
                Alteration::Duplicated { of } => {
                    if let Some(about) = quoted.get(of).cloned() {
                        quoted.insert(packet.id, about);
                    }
                }
                Alteration::Corrupted | Alteration::Truncated => {}
            }
            (Interface::Changed, packet)
        }
        _ => return None,
    };
    Some(Frame {
        at: record.at,
        interface,
        packet: Packet::clone(packet),
        about: quoted.get(&packet.id).cloned(),
    })
}

/// The packet whose loss led to an ICMP error.
fn about<'a>(trace: &'a Trace, error: &Record) -> Option<&'a Packet> {
    match &trace.get(error.cause?)?.event {
        Event::Network(network::Event::Lost { packet, .. }) => Some(packet),
        _ => None,
    }
}
