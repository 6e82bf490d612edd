//! Which messages the faults of one run touched, and which they could have.
//!
//! Owns the way from a packet that a fault lost or altered to what it carries, and from a broken host to what it said last.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use linefault_network::{
    self as network, Alteration, FaultId, Flags, HostId, LossReason, Packet, Payload, RecordId,
};

use super::said::Said;
use super::{FaultKind, Item, MessageKind};
use crate::evidence::Evidence;
use crate::injection;
use crate::scenario::{Place, Scenario};
use crate::trace::{Event, Record};

pub(super) struct Touches<'a> {
    evidence: &'a Evidence<'a>,
    items: BTreeSet<Item>,
    said: Said,
    faults: Vec<Fault>,
    /// By the number of a packet, the record with which it was sent.
    sent: Vec<Option<RecordId>>,
    /// Packets that a fault touched, by the fault's place.
    packets: Vec<(usize, &'a Packet)>,
    /// The fault that broke a host, while it is broken.
    broken: BTreeMap<HostId, usize>,
}

struct Fault {
    id: Option<FaultId>,
    kind: FaultKind,
    armed: bool,
    /// The one host that it concerns, if it concerns one.
    host: Option<HostId>,
    /// Everybody whom it concerns; nobody for all.
    hosts: Vec<HostId>,
    /// Where it began, or each time that it made a program fail.
    moments: Vec<RecordId>,
    concerned: bool,
    touched: bool,
}

impl<'a> Touches<'a> {
    /// What the faults of a run touched, or missed.
    pub(super) fn of(evidence: &Evidence<'_>, scenario: &Scenario) -> BTreeSet<Item> {
        let mut touches = Touches::new(evidence, scenario);
        for (id, record) in evidence.trace.iter() {
            touches.take(id, record);
        }
        touches.touch_packets();
        touches.touch_moments();
        touches.take_chances();
        touches.items
    }

    fn new(evidence: &'a Evidence<'a>, scenario: &Scenario) -> Self {
        Self {
            evidence,
            items: BTreeSet::new(),
            said: Said::of(evidence),
            faults: faults(evidence, scenario),
            sent: Vec::new(),
            packets: Vec::new(),
            broken: BTreeMap::new(),
        }
    }

    fn take_chances(&mut self) {
        let began = self.faults.iter().filter(|fault| fault.armed);
        for kind in began.map(|fault| fault.kind) {
            let could = self
                .said
                .kinds
                .iter()
                .filter(|(_, tcp)| kind.can_touch(*tcp));
            let chances = could.map(|(message, _)| Item::Chance(kind, *message));
            self.items.extend(chances);
        }
    }

    fn take(&mut self, id: RecordId, record: &'a Record) {
        match &record.event {
            Event::Network(event) => self.happened(id, record, event),
            Event::Unsent(unsent) => {
                // A kernel that knows its neighbour to be gone refuses at once.
                let target = self.evidence.trace.host_at(unsent.to);
                let ends = [record.host, target].into_iter().flatten();
                let fault = ends.filter_map(|host| self.broken.get(&host)).next();
                if let Some(fault) = fault.copied() {
                    self.touch_said(fault, id);
                }
            }
            Event::Injected(failure) => {
                if let Some(fault) = self.faults.get_mut(failure.fault) {
                    fault.moments.push(id);
                }
            }
            _ => {}
        }
    }

    fn happened(&mut self, id: RecordId, record: &'a Record, event: &'a network::Event) {
        use network::Event as N;
        match event {
            N::Sent { packet } => self.remember(packet.id, Some(id)),
            N::Lost { packet, reason } => {
                let fault = self.loser(packet, *reason);
                self.packets.extend(fault.map(|fault| (fault, &**packet)));
            }
            N::Altered { packet, fault, how } => {
                if let Alteration::Duplicated { of } = how {
                    self.remember(packet.id, self.sent_with(*of));
                }
                let fault = self.place(*fault);
                self.packets.extend(fault.map(|fault| (fault, &**packet)));
            }
            N::FaultArmed { fault, .. } => self.armed(id, *fault),
            N::FaultEnded { fault } => {
                let ended = self.place(*fault);
                let lasting = |place: usize| !stops(self.faults[place].kind);
                let over = ended.filter(|place| lasting(*place));
                self.broken.retain(|_, place| Some(*place) != over);
            }
            N::HostStarted { .. } | N::HostResumed { .. } => {
                record.host.map(|host| self.broken.remove(&host));
            }
            _ => {}
        }
    }

    fn armed(&mut self, id: RecordId, fault: FaultId) {
        let Some(place) = self.place(fault) else {
            return;
        };
        let fault = &mut self.faults[place];
        self.items.insert(Item::Armed(fault.kind));
        if fault.kind.name() != injection::NAME {
            fault.moments.push(id);
            self.broken.extend(fault.host.map(|host| (host, place)));
        }
    }

    /// The fault that lost a packet, itself or by what it did to one of its ends.
    fn loser(&self, packet: &Packet, reason: LossReason) -> Option<usize> {
        if let LossReason::Fault(fault) | LossReason::QueueFull(fault) = reason {
            return self.place(fault);
        }
        let ends = [packet.receiver, packet.sender].into_iter().flatten();
        ends.filter_map(|host| self.broken.get(&host).copied())
            .next()
    }

    fn place(&self, fault: FaultId) -> Option<usize> {
        self.faults.iter().position(|it| it.id == Some(fault))
    }

    fn remember(&mut self, packet: u64, sent: Option<RecordId>) {
        let Ok(place) = usize::try_from(packet) else {
            return;
        };
        if self.sent.len() <= place {
            self.sent.resize(place + 1, None);
        }
        self.sent[place] = sent;
    }

    fn sent_with(&self, packet: u64) -> Option<RecordId> {
        *self.sent.get(usize::try_from(packet).ok()?)?
    }

    /// Names what touched packets carry. What a repeated segment carries is known from the segment that it repeats.
    fn touch_packets(&mut self) {
        let packets = std::mem::take(&mut self.packets);
        let mut repeats = Vec::new();
        for (fault, packet) in packets {
            let sent = self.sent_with(packet.id);
            if sent.is_some_and(|sent| self.touch_said(fault, sent)) {
                continue;
            }
            match (&packet.payload, sent) {
                (Payload::Tcp(segment), Some(sent)) if !segment.data.is_empty() => {
                    repeats.push((fault, sent));
                }
                (payload, _) => self.touch(fault, bare(payload)),
            }
        }
        let first = self.first_segments(&repeats);
        for (fault, sent) in repeats {
            let key = self.segment_at(sent);
            let original = key.and_then(|key| first.get(&key).copied());
            if !original.is_some_and(|original| self.touch_said(fault, original)) {
                self.touch(fault, MessageKind::other("TCP data"));
            }
        }
    }

    /// Of the segments sent with those records, the records with which they were sent first.
    fn first_segments(&self, repeats: &[(usize, RecordId)]) -> BTreeMap<SegmentKey, RecordId> {
        let keys = repeats
            .iter()
            .filter_map(|(_, sent)| self.segment_at(*sent));
        let wanted: BTreeSet<SegmentKey> = keys.collect();
        let mut first = BTreeMap::new();
        if wanted.is_empty() {
            return first;
        }
        for (id, record) in self.evidence.trace.iter() {
            if let Some(key) = segment_of(record).filter(|key| wanted.contains(key)) {
                first.entry(key).or_insert(id);
            }
        }
        first
    }

    fn segment_at(&self, sent: RecordId) -> Option<SegmentKey> {
        segment_of(self.evidence.trace.get(sent)?)
    }

    /// A fault that loses and alters nothing touches the conversation: what its host said or was told last.
    fn touch_moments(&mut self) {
        for place in 0..self.faults.len() {
            let fault = &self.faults[place];
            let of_packets = fault.host.is_none() && fault.touched;
            if fault.concerned && !of_packets && fault.kind.can_touch(true) {
                let (moments, hosts) = (fault.moments.clone(), fault.hosts.clone());
                for moment in moments {
                    if let Some(message) = self.said.last_before(self.evidence, moment, &hosts) {
                        self.touch(place, message);
                    }
                }
            }
            let fault = &self.faults[place];
            if fault.armed && !fault.touched && fault.kind.can_touch(true) {
                self.items.insert(Item::Missed(fault.kind));
            }
        }
    }

    /// Touches all that left with that record; whether there was anything.
    fn touch_said(&mut self, fault: usize, sent: RecordId) -> bool {
        let messages = self.said.with(sent);
        for message in &messages {
            self.touch(fault, *message);
        }
        !messages.is_empty()
    }

    fn touch(&mut self, fault: usize, message: MessageKind) {
        let fault = &mut self.faults[fault];
        fault.touched = true;
        self.items.insert(Item::Touched(fault.kind, message));
    }
}

/// What a segment is recognised by when it is sent again.
type SegmentKey = (SocketAddr, SocketAddr, u32);

fn segment_of(record: &Record) -> Option<SegmentKey> {
    let Event::Network(network::Event::Sent { packet }) = &record.event else {
        return None;
    };
    let segment = packet.segment().filter(|it| !it.data.is_empty())?;
    Some((packet.from, packet.to, segment.sequence))
}

fn faults(evidence: &Evidence<'_>, scenario: &Scenario) -> Vec<Fault> {
    let counts = evidence.faults.iter();
    let named = scenario.faults.iter().zip(counts);
    let faults = named.filter_map(|(fault, count)| {
        let concerned = match &fault.place {
            Place::Everywhere => Vec::new(),
            Place::Host(host) => vec![*host],
            Place::Link { from, to } => vec![*from, *to],
            Place::Between { left, right, .. } => [&left[..], right].concat(),
        };
        let hosts = concerned.iter().filter_map(|host| evidence.host(host.0));
        let hosts: Vec<_> = hosts.collect();
        Some(Fault {
            id: count.id,
            kind: FaultKind::named(fault.name)?,
            armed: count.armed_at.is_some(),
            host: hosts.first().copied().filter(|_| hosts.len() == 1),
            hosts,
            moments: Vec::new(),
            concerned: count.matched > 0,
            touched: false,
        })
    });
    faults.collect()
}

/// Whether the fault leaves a host broken though it is over itself.
fn stops(kind: FaultKind) -> bool {
    matches!(kind.name(), "kill" | "crash" | "power-off" | "freeze")
}

/// What a packet is that carries no message.
fn bare(payload: &Payload) -> MessageKind {
    match payload {
        Payload::Icmp(_) => MessageKind::ICMP,
        Payload::Udp(_) => MessageKind::other("datagram"),
        Payload::Tcp(segment) => MessageKind::other(match segment {
            _ if segment.has(Flags::SYN) => "TCP SYN",
            _ if segment.has(Flags::RST) => "TCP RST",
            _ if segment.has(Flags::FIN) => "TCP FIN",
            _ if segment.data.is_empty() => "TCP ACK",
            _ => "TCP data",
        }),
    }
}
