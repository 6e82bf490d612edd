//! What a capture says about packets that did not simply arrive.

use std::collections::BTreeMap;

use linefault_network::{self as network, Alteration, FaultId, Instant, LossReason, Payload};

use super::frames::{Frame, Interface};
use crate::run::Simulation;
use crate::scenario::Scenario;
use crate::trace::Event;

/// Comments by packet, in the order in which things happened to it.
pub(super) struct Comments<'a> {
    by_packet: BTreeMap<u64, Vec<String>>,
    faults: BTreeMap<FaultId, &'a str>,
}

impl<'a> Comments<'a> {
    pub(super) fn of(scenario: &'a Scenario, simulation: &Simulation) -> Self {
        let numbered = scenario.faults.iter().zip(&simulation.faults);
        let mut comments = Self {
            by_packet: BTreeMap::new(),
            faults: numbered
                .filter_map(|(fault, count)| Some((count.id?, fault.display.as_str())))
                .collect(),
        };
        for record in simulation.trace.records() {
            if let Event::Network(event) = &record.event {
                comments.note(record.at, event);
            }
        }
        comments
    }

    /// What there is to say about a frame.
    pub(super) fn on(&self, frame: &Frame) -> Option<String> {
        // A TCP segment that no host sent is a forged RST; ICMP of no host is a router's.
        let forged = frame.interface == Interface::Sent
            && frame.packet.sender.is_none()
            && matches!(frame.packet.payload, Payload::Tcp(_));
        let own = forged.then(|| "forged on the way by a fault".to_owned());
        let noted = self.by_packet.get(&frame.packet.id).into_iter().flatten();
        let all: Vec<_> = own.into_iter().chain(noted.cloned()).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn note(&mut self, at: Instant, event: &network::Event) {
        match event {
            network::Event::Lost { packet, reason } => {
                let why = self.loss(*reason);
                self.add(packet.id, format!("lost at {at}: {why}"));
            }
            network::Event::Altered { packet, fault, how } => {
                let fault = self.fault(*fault).to_owned();
                match how {
                    Alteration::Delayed { by } => {
                        self.add(packet.id, format!("delayed by {by:?}: {fault}"));
                    }
                    Alteration::Reordered => self.add(packet.id, format!("held back: {fault}")),
                    Alteration::Corrupted => self.add(packet.id, format!("corrupted: {fault}")),
                    Alteration::Truncated => self.add(packet.id, format!("truncated: {fault}")),
                    Alteration::Duplicated { of } => {
                        self.add(*of, format!("duplicated: {fault}"));
                        self.add(packet.id, format!("a copy: {fault}"));
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, packet: u64, text: String) {
        self.by_packet.entry(packet).or_default().push(text);
    }

    fn loss(&self, reason: LossReason) -> String {
        let why = reason.description();
        match reason {
            LossReason::Fault(fault) => self.fault(fault).to_owned(),
            LossReason::QueueFull(fault) => format!("{why} ({})", self.fault(fault)),
            _ => why.to_owned(),
        }
    }

    fn fault(&self, id: FaultId) -> &'a str {
        self.faults.get(&id).copied().unwrap_or("a fault")
    }
}
