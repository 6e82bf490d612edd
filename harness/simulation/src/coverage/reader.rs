//! What one trace has tried.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use linefault_actors::{Report, TimerChange};
use linefault_network::{
    self as network, Alteration, FaultId, Flags, HostId, LossReason, Packet, Payload, RecordId,
    Segment,
};
use linefault_protocol::sip::Transport;
use linefault_protocol::sip::transaction::{Kind, State, Timer};

use super::{FaultKind, Item, MessageKind};
use crate::evidence::Evidence;
use crate::scenario::{Place, Scenario};
use crate::trace::{Event, Record};

/// Everything that happened, each thing once.
pub(super) fn items(evidence: &Evidence<'_>, scenario: &Scenario) -> BTreeSet<Item> {
    let mut reader = Reader::new(evidence, scenario);
    for (id, record) in evidence.trace.iter() {
        reader.take(id, record);
    }
    if !scenario.faults.is_empty() {
        reader.touch_packets();
        reader.touch_moments();
    }
    reader.items
}

struct Reader<'a> {
    evidence: &'a Evidence<'a>,
    items: BTreeSet<Item>,
    /// What was said, by the record with which it left, in order.
    said: Vec<(RecordId, MessageKind)>,
    faults: Vec<Fault>,
    /// By the number of a packet, the record with which it was sent.
    sent: Vec<Option<RecordId>>,
    /// Packets that a fault touched, by the fault's place.
    packets: Vec<(usize, &'a Packet)>,
    /// The fault that broke a host, while it is broken.
    broken: BTreeMap<HostId, usize>,
    transactions: BTreeMap<(HostId, u64), (Kind, State)>,
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

impl<'a> Reader<'a> {
    fn new(evidence: &'a Evidence<'a>, scenario: &Scenario) -> Self {
        let mut reader = Self {
            evidence,
            items: BTreeSet::new(),
            said: Vec::new(),
            faults: faults(evidence, scenario),
            sent: Vec::new(),
            packets: Vec::new(),
            broken: BTreeMap::new(),
            transactions: BTreeMap::new(),
        };
        reader.hear();
        reader
    }

    /// All messages: those over UDP and SIP's over TCP, then what else is said on connections.
    fn hear(&mut self) {
        for sent in &self.evidence.transmissions {
            let message = match &sent.message {
                Some(message) => MessageKind::of_sip(message),
                None if sent.datagram.trim_ascii().is_empty() => MessageKind::other("keep-alive"),
                None => MessageKind::other("datagram"),
            };
            let tcp = sent.transport == Transport::Tcp;
            self.items.insert(Item::Seen { message, tcp });
            self.said.push((sent.record, message));
        }
        for utterance in &self.evidence.utterances {
            let message = MessageKind::of_stream(&utterance.what);
            self.items.insert(Item::Seen { message, tcp: true });
            self.said.push((utterance.sent.record, message));
        }
        self.said.sort_by_key(|(record, _)| *record);
    }

    fn take(&mut self, id: RecordId, record: &'a Record) {
        match &record.event {
            Event::Report(report) => {
                if let Some(host) = record.host {
                    self.reported(host, report);
                }
            }
            Event::Network(event) if !self.faults.is_empty() => self.happened(id, record, event),
            Event::Unsent(_) => {
                let fault = record.host.and_then(|host| self.broken.get(&host).copied());
                if let Some(fault) = fault {
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

    fn reported(&mut self, host: HostId, report: &Report) {
        match report {
            Report::State {
                machine,
                id,
                from,
                to,
                on,
            } => {
                let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == *machine) else {
                    return;
                };
                let state = |name: &str| State::ALL.into_iter().find(|state| state.name() == name);
                // A timer of no length fires without being set.
                let timer = on.strip_prefix("Timer ").and_then(timer);
                if let (Some(from), Some(timer)) = (state(from), timer) {
                    self.items.insert(Item::Fired(kind, from, timer));
                }
                if let Some(to) = state(to) {
                    self.items.insert(Item::State(kind, to));
                    self.transactions.insert((host, *id), (kind, to));
                }
            }
            Report::Timer {
                timer: name,
                id,
                change,
            } => {
                let Some(timer) = timer(name) else { return };
                let at = self.transactions.get(&(host, *id)).copied();
                match (change, at) {
                    (TimerChange::Set(_), _) => _ = self.items.insert(Item::Set(timer)),
                    (TimerChange::Fired, Some((kind, state))) => {
                        self.items.insert(Item::Fired(kind, state, timer));
                    }
                    _ => {}
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
        if fault.kind.name() != crate::injection::NAME {
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
                    if let Some(message) = self.last_before(moment, &hosts) {
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

    /// The last message before that record from or for one of the hosts; of all, if none are named.
    fn last_before(&self, moment: RecordId, hosts: &[HostId]) -> Option<MessageKind> {
        let until = self.said.partition_point(|(record, _)| *record < moment);
        let of_them = |record: RecordId| {
            let record = self.evidence.trace.get(record);
            let ends = match record.map(|record| (&record.event, record.host)) {
                Some((Event::Network(network::Event::Sent { packet }), _)) => {
                    [packet.sender, packet.receiver]
                }
                other => [other.and_then(|(_, host)| host), None],
            };
            hosts.is_empty() || ends.into_iter().flatten().any(|end| hosts.contains(&end))
        };
        let mut before = self.said[..until].iter().rev();
        let last = before.find(|(record, _)| of_them(*record))?;
        Some(last.1)
    }

    /// Touches all that left with that record; whether there was anything.
    fn touch_said(&mut self, fault: usize, sent: RecordId) -> bool {
        let from = self.said.partition_point(|(record, _)| *record < sent);
        let rest = &self.said[from..];
        let with = rest.partition_point(|(record, _)| *record == sent);
        let messages: Vec<_> = rest[..with].iter().map(|(_, message)| *message).collect();
        messages
            .iter()
            .for_each(|message| self.touch(fault, *message));
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

fn timer(name: &str) -> Option<Timer> {
    Timer::ALL.into_iter().find(|timer| timer.name() == name)
}

/// Whether the fault leaves a host broken though it is over itself.
fn stops(kind: FaultKind) -> bool {
    matches!(kind.name(), "kill" | "crash" | "power-off" | "freeze")
}

/// What a packet is that carries no message.
fn bare(payload: &Payload) -> MessageKind {
    let has = |segment: &Segment, flag| segment.has(flag);
    match payload {
        Payload::Icmp(_) => MessageKind::ICMP,
        Payload::Udp(_) => MessageKind::other("datagram"),
        Payload::Tcp(segment) => MessageKind::other(match segment {
            _ if has(segment, Flags::SYN) => "TCP SYN",
            _ if has(segment, Flags::RST) => "TCP RST",
            _ if has(segment, Flags::FIN) => "TCP FIN",
            _ if segment.data.is_empty() => "TCP ACK",
            _ => "TCP data",
        }),
    }
}
