//! What every SIP actor stands on: the transaction layer over the actor's socket.
//!
//! Owns parsing, refusing what cannot be parsed, sending, and knowing what a failed send was. Refuses to answer
//! anything that could be parsed; that is for the core above.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use linefault_protocol::Instant;
use linefault_protocol::sip::transaction::{Layer, Output, Timers, TransactionId};
use linefault_protocol::sip::turn::Turn;
use linefault_protocol::sip::{Limits, Message, Rejection, Verdict, parse};

use crate::{Context, report};

/// The lower half of a SIP actor.
pub(crate) struct Element {
    limits: Limits,
    layer: Layer,
    below: Vec<Output>,
    queue: VecDeque<Output>,
    sent: BTreeMap<u64, Sent>,
    tickets: u64,
}

/// A datagram that may still turn out not to have left.
pub(crate) struct Sent {
    /// Its transaction, if it has one.
    pub(crate) transaction: Option<TransactionId>,
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
        }
    }

    /// Takes a datagram; what it means comes out of [`Element::next`].
    pub(crate) fn receive(&mut self, cx: &mut Context<'_>, from: SocketAddr, bytes: &Bytes) {
        match parse(bytes, &self.limits) {
            Verdict::Accept(message) => {
                self.layer.receive(cx.now(), from, message, &mut self.below);
            }
            Verdict::Reject(rejection) => self.reject(cx, from, rejection),
            Verdict::Drop(reason) => tracing::debug!(peer = %from, "dropped a datagram: {reason}"),
        }
    }

    /// The next thing that the layer has for the core. What is for the wire or the trace goes there on the way.
    pub(crate) fn next(&mut self, cx: &mut Context<'_>) -> Option<Output> {
        loop {
            if self.queue.is_empty() {
                self.queue.extend(self.below.drain(..));
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

    /// Sends a message and remembers it until it is known to have left.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context<'_>,
        to: SocketAddr,
        message: Message,
        transaction: Option<TransactionId>,
    ) {
        self.tickets += 1;
        cx.send(to, message.to_bytes(), Some(self.tickets));
        let sent = Sent {
            transaction,
            message,
        };
        self.sent.insert(self.tickets, sent);
    }

    /// What the datagram of a failed send was.
    pub(crate) fn failed(&mut self, ticket: Option<u64>) -> Option<Sent> {
        self.sent.remove(&ticket?)
    }

    /// The driver reports a failed send before anything else: once something else happens, all has left.
    pub(crate) fn all_left(&mut self) {
        self.sent.clear();
    }

    /// See [`Layer::working_deadline`].
    pub(crate) fn working_deadline(&self) -> Option<Instant> {
        self.layer.working_deadline()
    }

    /// See [`Layer::lingering_deadline`].
    pub(crate) fn lingering_deadline(&self) -> Option<Instant> {
        self.layer.lingering_deadline()
    }

    pub(crate) fn expire(&mut self, now: Instant) {
        self.layer.expire(now, &mut self.below);
    }

    /// Answers what cannot be parsed, without a transaction, since it may lack what one is known by.
    fn reject(&mut self, cx: &mut Context<'_>, from: SocketAddr, rejection: Rejection) {
        let Rejection {
            status,
            reason,
            mut message,
        } = rejection;
        tracing::info!(peer = %from, status = status.code(), "refused a malformed request: {reason}");
        message.complete_via(from);
        let mut response = Message::response_to(&message, status, Some(&reason));
        let tag = format!("{:016x}", cx.draw("tag"));
        response.add_to_tag(&tag);
        let destination = message.response_destination(from);
        self.send(cx, destination, response, None);
    }
}
