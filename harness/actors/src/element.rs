//! What every SIP actor stands on: the transaction layer over the actor's socket and connections.
//!
//! Owns parsing, refusing what cannot be parsed, sending, which connection a message takes, and knowing what a failed
//! send was. Refuses to answer anything that could be parsed; that is for the core above.

mod flows;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use linefault_protocol::Instant;
use linefault_protocol::sip::transaction::{Layer, Output, State, Timers, TransactionId};
use linefault_protocol::sip::turn::Turn;
use linefault_protocol::sip::{
    Limits, Message, Rejection, Transport, Verdict, parse, parse_framed,
};

use self::flows::Flows;
use crate::catalogue::{Kind, Presence, Setting};
use crate::{Context, SocketError, SocketErrorKind, report};

/// The setting of every SIP actor that says whether its machine accepts connections.
pub(crate) const TCP: Setting = Setting {
    name: "tcp",
    kind: Kind::Switch,
    presence: Presence::Default("true"),
    doc: "Whether it accepts TCP connections, on the port of its UDP socket.",
};

/// The lower half of a SIP actor.
pub(crate) struct Element {
    limits: Limits,
    layer: Layer,
    below: Vec<Output>,
    queue: VecDeque<Output>,
    sent: BTreeMap<u64, Sent>,
    tickets: u64,
    flows: Flows,
}

/// What may still turn out not to have left, or not to have got through.
pub(crate) struct Sent {
    /// Its transaction, if it has one.
    pub(crate) transaction: Option<TransactionId>,
    /// What carries it.
    transport: Transport,
    /// What it says.
    pub(crate) message: Message,
}

impl Element {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// One that refuses larger messages than that.
    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            layer: Layer::new(Timers::default()),
            below: Vec::new(),
            queue: VecDeque::new(),
            sent: BTreeMap::new(),
            tickets: 0,
            flows: Flows::default(),
        }
    }

    /// As [`Self::new`], for an element whose requests go over that transport where no URI says so.
    pub(crate) fn over(usual: Transport) -> Self {
        let mut element = Self::new();
        element.layer.set_usual_transport(usual);
        element
    }

    /// Takes a datagram; what it means comes out of [`Element::next`].
    pub(crate) fn receive(
        &mut self,
        cx: &mut Context<'_>,
        from: SocketAddr,
        transport: Transport,
        bytes: &Bytes,
    ) {
        let verdict = match transport {
            Transport::Udp => parse(bytes, &self.limits),
            Transport::Tcp => {
                self.flows.used(from, cx.now());
                // RFC 5626 §4.4.1: two line breaks ask for one.
                if bytes.as_ref() == b"\r\n\r\n" {
                    return cx.send(from, transport, Bytes::from_static(b"\r\n"), None);
                }
                parse_framed(bytes, &self.limits)
            }
        };
        match verdict {
            Verdict::Accept(message) => {
                self.layer.receive(cx.now(), from, message, &mut self.below);
            }
            Verdict::Reject(rejection) => self.reject(cx, from, rejection),
            Verdict::Drop(reason) => tracing::debug!(peer = %from, "dropped a datagram: {reason}"),
        }
    }

    /// The next thing that the layer has for the core. What is for the wire or the trace goes there on the way.
    pub(crate) fn next(&mut self, cx: &mut Context<'_>) -> Option<Output> {
        for peer in self.flows.take_idle() {
            cx.output(crate::Output::Close { peer });
        }
        loop {
            if self.queue.is_empty() {
                // Their memory changes places.
                let spare = Vec::from(std::mem::take(&mut self.queue));
                self.queue = std::mem::replace(&mut self.below, spare).into();
            }
            match self.queue.pop_front()? {
                Output::Send {
                    transaction,
                    destination,
                    message,
                } => self.send(cx, destination, message, Some(transaction)),
                Output::Report(note) => {
                    if let Some(note) = report::of(note) {
                        cx.report(note);
                    }
                }
                for_core => return Some(for_core),
            }
        }
    }

    /// Lets the core take a step; returns what it says.
    pub(crate) fn step<E>(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnOnce(&mut Turn<'_, E>),
    ) -> Vec<E> {
        let mut above = Vec::new();
        let now = cx.now();
        step(&mut Turn {
            now,
            draw: &mut |purpose| cx.draw(purpose),
            layer: &mut self.layer,
            below: &mut self.below,
            above: &mut above,
        });
        above
    }

    /// Sends a message over the transport of its top Via and remembers it until it is known to have left.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context<'_>,
        to: SocketAddr,
        mut message: Message,
        transaction: Option<TransactionId>,
    ) {
        let mut transport = message.transport();
        // The ACK for a 2xx passes by the layer, which sees to all other requests.
        if transaction.is_none() && message.is_request() && transport == Transport::Udp {
            message.set_transport(self.layer.transport_of(&message, to));
            transport = message.transport();
        }
        let to = if transport == Transport::Tcp && !message.is_request() {
            self.flows.way_back(to, &message)
        } else {
            to
        };
        let sent = Sent {
            transaction,
            transport,
            message,
        };
        self.send_to(cx, to, sent);
    }

    /// What a failed send was, unless there is another way for it, or an answer has come all the same.
    pub(crate) fn failed(
        &mut self,
        cx: &mut Context<'_>,
        ticket: Option<u64>,
        to: SocketAddr,
        error: SocketError,
    ) -> Option<Sent> {
        let sent = self.sent.remove(&ticket?)?;
        if sent.transport == Transport::Udp {
            return Some(sent);
        }
        if !sent.message.is_request() {
            let other = self.flows.way_back(to, &sent.message);
            if other == to {
                return Some(sent);
            }
            self.send_to(cx, other, sent);
            return None;
        }
        let Some(id) = sent.transaction else {
            return Some(sent);
        };
        // RFC 3261 §18.1.1: back to UDP.
        let refuses = matches!(
            error.kind,
            SocketErrorKind::ConnectionRefused
                | SocketErrorKind::ConnectionReset
                | SocketErrorKind::NoProtocolOption
        );
        if refuses && self.layer.fall_back(cx.now(), id, &mut self.below) {
            return None;
        }
        self.layer.has_heard_nothing(id).then_some(sent)
    }

    /// The driver reports a failed send of a datagram before anything else: once something else happens, all have left.
    /// What went over TCP may be lost with its connection until somebody answers it: a request, or a failure that waits for
    /// its ACK. A 2xx to an INVITE is repeated in any case (RFC 3261 §13.3.1.4).
    pub(crate) fn all_left(&mut self) {
        let layer = &self.layer;
        self.sent.retain(|_, sent| {
            let waits = |id| {
                if sent.message.is_request() {
                    layer.has_heard_nothing(id)
                } else {
                    matches!(layer.state(id), Some((_, State::Completed)))
                }
            };
            sent.transport == Transport::Tcp && sent.transaction.is_some_and(waits)
        });
    }

    /// Sends two line breaks, so that a NAT on the way keeps its mapping; over TCP they ask for one (RFC 5626 §4.4.1).
    pub(crate) fn keep_alive(&mut self, cx: &mut Context<'_>, to: SocketAddr, over: Transport) {
        if over == Transport::Tcp {
            self.flows.used(to, cx.now());
        }
        cx.send(to, over, Bytes::from_static(b"\r\n\r\n"), None);
    }

    /// Somebody has connected, and may never say a word.
    pub(crate) fn opened(&mut self, peer: SocketAddr, now: Instant) {
        self.flows.used(peer, now);
    }

    /// A connection has ended.
    pub(crate) fn closed(&mut self, peer: SocketAddr, error: Option<SocketError>) {
        self.flows.closed(peer);
        match error {
            Some(error) => tracing::info!(%peer, errno = error.errno, "connection lost: {error}"),
            None => tracing::debug!(%peer, "connection closed by the peer"),
        }
    }

    /// See [`Layer::working_deadline`].
    pub(crate) fn working_deadline(&self) -> Option<Instant> {
        self.layer.working_deadline()
    }

    /// See [`Layer::lingering_deadline`]; and when a connection has been idle for long enough.
    pub(crate) fn lingering_deadline(&self) -> Option<Instant> {
        let lingering = self.layer.lingering_deadline();
        lingering.into_iter().chain(self.flows.deadline()).min()
    }

    pub(crate) fn expire(&mut self, now: Instant) {
        self.layer.expire(now, &mut self.below);
        self.flows.expire(now, &self.layer);
    }

    fn send_to(&mut self, cx: &mut Context<'_>, to: SocketAddr, sent: Sent) {
        self.tickets += 1;
        if sent.transport == Transport::Tcp {
            self.flows.used(to, cx.now());
        }
        let bytes = sent.message.to_bytes();
        cx.send(to, sent.transport, bytes, Some(self.tickets));
        self.sent.insert(self.tickets, sent);
    }

    /// Answers what cannot be parsed, without a transaction, since it may lack what one is known by.
    fn reject(&mut self, cx: &mut Context<'_>, from: SocketAddr, rejection: Rejection) {
        let tag = rejection.tag();
        let Rejection {
            status,
            reason,
            mut message,
        } = rejection;
        tracing::info!(peer = %from, status = status.code(), "refused a malformed request: {reason}");
        message.complete_via(from);
        let mut response = Message::response_to(&message, status, Some(&reason));
        response.add_to_tag(&tag);
        let destination = match message.transport() {
            Transport::Udp => message.response_destination(from),
            Transport::Tcp => from,
        };
        self.send(cx, destination, response, None);
    }
}
