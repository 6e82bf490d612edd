//! One life of a proxy: the machine between its socket, its location service and the proxy core.

use std::net::SocketAddr;

use linefault_protocol::sip::proxy::{Event, Failure, Identity, Proxy, ProxyTurn};
use linefault_protocol::sip::registrar::Bindings;
use linefault_protocol::sip::transaction::{Output, Timer, TransactionId};
use linefault_protocol::sip::{Message, Method, Transport};

use super::config::Config;
use super::entry::FORWARDING;
use super::location::Location;
use super::probe::Probes;
use crate::checkpoint::reached;
use crate::element::Element;
use crate::{Context, Deadlines, Input, Machine};

/// A proxy from its start to its end.
pub(super) struct Life {
    config: Config,
    running: Option<Running>,
}

pub(super) struct Running {
    pub(super) config: Config,
    pub(super) element: Element,
    core: Proxy,
    pub(super) location: Location,
    pub(super) probes: Probes,
}

impl Life {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            running: None,
        }
    }
}

impl Machine for Life {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        if let Input::Start { local } = input {
            self.running = Some(Running::new(&self.config, local, cx));
        } else if let Some(running) = &mut self.running {
            running.handle(input, cx);
            running.settle(cx);
        }
    }

    fn deadlines(&self) -> Deadlines {
        self.running
            .as_ref()
            .map_or_else(Deadlines::default, Running::deadlines)
    }

    fn accepts_connections(&self) -> bool {
        self.config.tcp
    }
}

impl Running {
    fn new(config: &Config, local: SocketAddr, cx: &Context<'_>) -> Self {
        let identity = Identity {
            address: local,
            domain: config.domain.clone(),
            users: config.users.clone(),
        };
        Self {
            element: Element::with_limits(config.limits),
            core: Proxy::new(identity, config.statuses).with_rules(config.rules.clone()),
            location: Location::new(config.expiry),
            probes: Probes::new(local, &config.domain, config.health_check, cx.now()),
            config: config.clone(),
        }
    }

    fn deadlines(&self) -> Deadlines {
        let core = self
            .core
            .deadline()
            .into_iter()
            .chain(self.probes.deadline());
        let expiry = self
            .location
            .deadline()
            .filter(|_| self.config.remove_expired);
        Deadlines {
            foreground: self
                .element
                .working_deadline()
                .into_iter()
                .chain(core)
                .min(),
            background: self
                .probes
                .background_deadline()
                .into_iter()
                .chain(expiry)
                .chain(self.element.lingering_deadline())
                .chain(self.core.lingering_deadline())
                .min(),
        }
    }

    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        if let Input::SendFailed { ticket, to, error } = input {
            if let Some(sent) = self.element.failed(cx, ticket, to, error) {
                self.send_failed(cx, to, error, &sent);
            }
            return;
        }
        self.element.all_left();
        match input {
            Input::Datagram {
                from,
                transport,
                bytes,
            } => self.element.receive(cx, from, transport, &bytes),
            Input::Opened { peer } => self.element.opened(peer, cx.now()),
            Input::Closed { peer, error } => self.element.closed(peer, error),
            Input::Wake => self.wake(cx),
            // Whose datagram it was about, nobody can say: no binding goes for it.
            Input::ReceiveFailed { error } => {
                reached!(cx, "receiving failed for an earlier datagram");
                let line = self.config.log_of(error);
                line.write(Transport::Udp, None, error, None);
            }
            Input::Command(command) if command.name == "drain" => {
                reached!(cx, "the proxy was told to take no new requests");
                tracing::info!("takes no new requests");
                self.core.stop_taking();
            }
            Input::Start { .. } | Input::SendFailed { .. } | Input::Command(_) => {}
        }
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        self.element.expire(cx.now());
        self.settle(cx);
        self.step(cx, |core, turn| core.expire(turn));
        if self.config.remove_expired {
            for binding in self.location.expire(cx) {
                self.probes.forget(binding);
            }
        }
        let (probes, bindings) = (&mut self.probes, &self.location.bindings);
        let mut dead = Vec::new();
        let events = self
            .element
            .step(cx, |turn| dead = probes.expire(turn, bindings));
        self.take(cx, events);
        for dead in dead {
            self.bury(cx, &dead);
        }
    }

    /// Hands the core what the layer has for it, until there is nothing more.
    fn settle(&mut self, cx: &mut Context<'_>) {
        while let Some(output) = self.element.next(cx) {
            match output {
                Output::Request {
                    transaction,
                    message,
                    ..
                } => self.request(cx, transaction, message),
                Output::Ack { message, .. } => self.with_bindings(cx, |core, turn, bindings| {
                    core.ack(turn, bindings, &message);
                }),
                Output::Response { transaction, .. } if self.probes.owns(transaction) => {
                    reached!(cx, "a contact that was asked answered");
                    self.probes.answered(transaction);
                }
                Output::Response {
                    transaction,
                    message,
                } => self.step(cx, |core, turn| core.response(turn, transaction, message)),
                Output::Timeout { transaction, timer } => self.timed_out(cx, transaction, timer),
                Output::Refused {
                    transaction, error, ..
                } => self.refused(cx, transaction, &error.to_string()),
                // RFC 6026 §7.3
                Output::Stray { .. } => reached!(cx, "a stray response was dropped"),
                // Whoever reports a transport error to the layer tells the core as well.
                Output::TransportError { .. } | Output::Send { .. } | Output::Report(_) => {}
            }
        }
    }

    fn request(&mut self, cx: &mut Context<'_>, id: TransactionId, message: Message) {
        let for_others = !matches!(message.method(), Method::Register | Method::Cancel);
        let failure = for_others
            .then(|| cx.at_point(FORWARDING))
            .and_then(Result::err);
        let Some(error) = failure else {
            return self.with_bindings(cx, |core, turn, bindings| {
                core.request(turn, bindings, id, message);
            });
        };
        reached!(cx, "forwarding failed inside the program");
        tracing::error!("cannot forward: {error}");
        let status = self.config.statuses.program;
        self.element.step(cx, |turn: &mut ProxyTurn<'_>| {
            turn.answer(id, &message, status);
        });
    }

    fn with_bindings(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnOnce(&mut Proxy, &mut ProxyTurn<'_>, &Bindings),
    ) {
        let (core, bindings) = (&mut self.core, &self.location.bindings);
        let events = self.element.step(cx, |turn| step(core, turn, bindings));
        self.take(cx, events);
    }

    pub(super) fn step(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnOnce(&mut Proxy, &mut ProxyTurn<'_>),
    ) {
        self.with_bindings(cx, |core, turn, _| step(core, turn));
    }

    /// Carries out what the core says.
    pub(super) fn take(&mut self, cx: &mut Context<'_>, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Send {
                    destination,
                    message,
                } => self.element.send(cx, destination, message, None),
                Event::Register {
                    transaction,
                    aor,
                    request,
                } => self.register(cx, transaction, &aor, &request),
                Event::Refused {
                    method,
                    uri,
                    status,
                } => {
                    reached!(cx, "a request was refused by the proxy itself");
                    tracing::info!(%method, uri, status = status.code(), "refused a request");
                }
                Event::NoAnswer {
                    method,
                    destination,
                } => {
                    reached!(cx, "a target did not answer");
                    tracing::warn!(peer = %destination, %method, "target did not answer");
                }
                Event::NoAddress { method, uri } => {
                    reached!(cx, "a target had no address");
                    tracing::warn!(uri, %method, "target has no address");
                }
            }
        }
    }

    fn register(&mut self, cx: &mut Context<'_>, id: TransactionId, aor: &str, request: &Message) {
        let outcome = self.location.register(cx, aor, request);
        let outcome = outcome.map(|alive| alive.into_iter().for_each(|id| self.probes.forget(id)));
        let location = &self.location;
        let events = self.element.step(cx, |turn| {
            location.answer(turn, id, aor, request, outcome);
        });
        self.take(cx, events);
    }

    fn timed_out(&mut self, cx: &mut Context<'_>, id: TransactionId, timer: Timer) {
        if self.probes.owns(id) {
            if let Some(dead) = self.probes.timed_out(id) {
                self.bury(cx, &dead);
            }
        } else {
            self.step(cx, |core, turn| core.timeout(turn, id, timer));
        }
    }

    /// The transaction layer would not take a request: a fault of this program, or more load than it can bear.
    fn refused(&mut self, cx: &mut Context<'_>, id: TransactionId, error: &str) {
        tracing::error!("cannot forward: {error}");
        self.probes.not_sent(id, cx.now(), false);
        self.step(cx, |core, turn| {
            core.send_failed(turn, id, Failure::Program);
        });
    }
}
