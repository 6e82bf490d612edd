//! What the actors on a `Sim` do, as a trace.
//!
//! Owns the records, made from what the actors' sockets see: turmoil does not tell what becomes of a packet, so that one
//! counts as delivered when its receiver reads it, and as under way for ever if that never happens. Refuses causes and
//! timers, which turmoil does not know.

mod connections;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use linefault_actors::{Report, SocketError};
use linefault_network::{Event as N, HostId, Instant, Packet, Payload, SocketId};

use self::connections::Connections;
use crate::evidence::Evidence;
use crate::run::{End, MOST_RECORDS, Simulation};
use crate::snapshot;
use crate::trace::{Event, LogLine, Trace, TracedHost, Unsent};

/// A record of what actors do on a `Sim`: their messages, log lines and reports. Clones share it.
///
/// It takes as many records as a simulation of linefault's own, and nothing beyond; see [`End::Flooded`].
#[derive(Clone)]
pub struct Recording(Rc<RefCell<Recorded>>);

struct Recorded {
    trace: Trace,
    now: Instant,
    packets: u64,
    under_way: BTreeMap<(SocketAddr, SocketAddr, Bytes), VecDeque<Arc<Packet>>>,
    connections: Connections,
}

impl Recording {
    /// An empty record of hosts with those names and addresses. The trace lists the hosts in this order.
    #[must_use]
    pub fn new<'a>(hosts: impl IntoIterator<Item = (&'a str, SocketAddr)>) -> Self {
        let hosts = (0..)
            .zip(hosts)
            .map(|(number, (name, address))| TracedHost {
                id: HostId::new(number),
                name: name.to_owned(),
                address,
            });
        let mut trace = Trace::default();
        trace.set_hosts(hosts.collect());
        Self(Rc::new(RefCell::new(Recorded {
            trace,
            now: Instant::START,
            packets: 0,
            under_way: BTreeMap::new(),
            connections: Connections::default(),
        })))
    }

    /// What has happened until now, as [`Evidence`] reads it.
    #[must_use]
    pub fn simulation(&self) -> Simulation {
        let recorded = self.0.borrow();
        let end = if recorded.is_full() {
            End::Flooded
        } else {
            End::RunUntil
        };
        Simulation {
            trace: recorded.trace.clone(),
            end,
            ended_at: recorded.now,
            faults: Vec::new(),
        }
    }

    /// The status codes that went out until now, a line per sender and receiver, as a snapshot shows them.
    #[must_use]
    pub fn status_codes(&self) -> Vec<String> {
        snapshot::status_codes(&Evidence::new(&self.simulation()))
    }

    /// How often each host has logged at each level, as a snapshot shows it.
    #[must_use]
    pub fn log_levels(&self) -> Vec<String> {
        snapshot::log_levels(&self.0.borrow().trace)
    }

    /// Everything from now on happens at that moment.
    pub(super) fn set_now(&self, now: Instant) {
        self.0.borrow_mut().now = now;
    }

    pub(super) fn logged(&self, host: SocketAddr, line: LogLine) {
        self.0.borrow_mut().push_of(host, Event::Log(line));
    }

    pub(super) fn reported(&self, host: SocketAddr, report: Report) {
        self.0.borrow_mut().push_of(host, Event::Report(report));
    }

    pub(super) fn sent(&self, from: SocketAddr, to: SocketAddr, datagram: &Bytes) {
        let mut recorded = self.0.borrow_mut();
        let packet = recorded.send(from, to, Payload::Udp(datagram.clone()));
        let alike = (from, to, datagram.clone());
        let queue = recorded.under_way.entry(alike).or_default();
        queue.push_back(packet);
    }

    pub(super) fn unsent(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        datagram: &Bytes,
        error: SocketError,
    ) {
        let datagram = datagram.clone();
        let unsent = Unsent {
            from,
            to,
            datagram,
            error,
        };
        let event = Event::Unsent(Box::new(unsent));
        self.0.borrow_mut().push_of(from, event);
    }

    pub(super) fn received(&self, from: SocketAddr, to: SocketAddr, datagram: &Bytes) {
        let mut recorded = self.0.borrow_mut();
        let alike = (from, to, datagram.clone());
        let known = recorded.under_way.get_mut(&alike);
        let packet = known.and_then(VecDeque::pop_front).unwrap_or_else(|| {
            // From a host that is not recorded.
            Arc::new(recorded.packet(from, to, Payload::Udp(datagram.clone())))
        });
        let id = packet.id;
        recorded.deliver(packet);
        let socket = SocketId(0);
        recorded.push_of(to, Event::Network(N::Received { packet: id, socket }));
    }
}

impl Recorded {
    fn is_full(&self) -> bool {
        self.trace.records().len() >= MOST_RECORDS
    }

    fn packet(&mut self, from: SocketAddr, to: SocketAddr, payload: Payload) -> Packet {
        self.packets += 1;
        Packet {
            id: self.packets,
            from,
            to,
            sender: self.trace.host_at(from),
            receiver: self.trace.host_at(to),
            payload,
            dont_fragment: true,
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, payload: Payload) -> Arc<Packet> {
        let packet = Arc::new(self.packet(from, to, payload));
        let sent = Arc::clone(&packet);
        self.push_of(from, Event::Network(N::Sent { packet: sent }));
        packet
    }

    fn deliver(&mut self, packet: Arc<Packet>) {
        self.push_of(packet.to, Event::Network(N::Delivered { packet }));
    }

    /// Records what happens on the host that has that address.
    fn push_of(&mut self, address: SocketAddr, event: Event) {
        if !self.is_full() {
            let host = self.trace.host_at(address);
            self.trace.push(self.now, host, None, event);
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.0.borrow().trace.records().len();
        f.debug_struct("Recording")
            .field("records", &records)
            .finish_non_exhaustive()
    }
}
