//! One life of a proxy: the machine between its socket, its location service and the proxy core.

use std::net::SocketAddr;

use linefault_protocol::sip::proxy::{Event, Failure, Identity, Proxy, ProxyTurn};
use linefault_protocol::sip::transaction::{Output, Timer, TransactionId};
use linefault_protocol::sip::{Message, Method, Uri};

use super::config::{Config, LogLine, Removal, Wording};
use super::location::Location;
use super::probe::{Dead, Occasion, Probes};
use crate::element::{Element, Sent};
use crate::{Context, Deadlines, Input, Machine, SocketError};

/// A proxy from its start to its end.
pub(super) struct Life {
    config: Config,
    running: Option<Running>,
}

struct Running {
    config: Config,
    element: Element,
    core: Proxy,
    location: Location,
    probes: Probes,
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
}

impl Running {
    fn new(config: &Config, local: SocketAddr, cx: &Context<'_>) -> Self {
        let identity = Identity {
            address: local,
            domain: config.domain.clone(),
            users: config.users.clone(),
        };
        Self {
            element: Element::new(),
            core: Proxy::new(identity, config.statuses),
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
            if let Some(sent) = self.element.failed(ticket) {
                self.send_failed(cx, to, error, &sent);
            }
            return;
        }
        self.element.all_left();
        match input {
            Input::Datagram { from, bytes } => self.element.receive(cx, from, &bytes),
            Input::Wake => self.wake(cx),
            Input::ReceiveFailed { error } => {
                self.config.socket_error_log.write(None, error, None);
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
                } => self.with_bindings(cx, |core, turn, bindings| {
                    core.request(turn, bindings, transaction, message);
                }),
                Output::Ack { message, .. } => self.with_bindings(cx, |core, turn, bindings| {
                    core.ack(turn, bindings, &message);
                }),
                Output::Response { transaction, .. } if self.probes.owns(transaction) => {
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
                // RFC 6026 §7.3: a stray response is dropped. Whoever reports a transport error to the layer tells the
                // core as well.
                Output::Stray { .. }
                | Output::TransportError { .. }
                | Output::Send { .. }
                | Output::Report(_) => {}
            }
        }
    }

    fn with_bindings(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnOnce(&mut Proxy, &mut ProxyTurn<'_>, &linefault_protocol::sip::registrar::Bindings),
    ) {
        let (core, bindings) = (&mut self.core, &self.location.bindings);
        let events = self.element.step(cx, |turn| step(core, turn, bindings));
        self.take(cx, events);
    }

    fn step(&mut self, cx: &mut Context<'_>, step: impl FnOnce(&mut Proxy, &mut ProxyTurn<'_>)) {
        self.with_bindings(cx, |core, turn, _| step(core, turn));
    }

    /// Carries out what the core says.
    fn take(&mut self, cx: &mut Context<'_>, events: Vec<Event>) {
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
                } => tracing::info!(%method, uri, status = status.code(), "refused a request"),
                Event::NoAnswer {
                    method,
                    destination,
                } => tracing::warn!(peer = %destination, %method, "target did not answer"),
                Event::NoAddress { method, uri } => {
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

    fn send_failed(
        &mut self,
        cx: &mut Context<'_>,
        to: SocketAddr,
        error: SocketError,
        sent: &Sent,
    ) {
        let unreachable = error.is_unreachable();
        let method = sent.message.method();
        let line = if unreachable {
            self.config.unreachable_log
        } else {
            self.config.socket_error_log
        };
        line.write(Some(to), error, Some(&method));
        // RFC 3261 §16.9: a response that cannot be sent is dropped, and nothing is cancelled. §17.2.4 would end its
        // transaction; here it lives on, so that a repeated request finds the answer.
        if !sent.message.is_request() {
            return;
        }
        if unreachable {
            self.doubt(cx, &sent.message);
        }
        match sent.transaction {
            Some(id) if self.probes.owns(id) => {
                let persist = self.config.remove_unreachable == Removal::AfterProbes;
                self.probes.not_sent(id, cx.now(), persist);
                let events = self.element.step(cx, |turn| {
                    turn.layer.transport_failed(turn.now, id, turn.below);
                });
                self.take(cx, events);
            }
            Some(id) => {
                let failure = if unreachable {
                    Failure::Unreachable
                } else {
                    Failure::Network
                };
                self.step(cx, |core, turn| core.send_failed(turn, id, failure));
            }
            None => self.step(cx, |core, turn| core.ack_failed(turn, &sent.message)),
        }
    }

    /// Deals with the binding whose contact a request could not be sent to.
    fn doubt(&mut self, cx: &mut Context<'_>, request: &Message) {
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        let found = uri.and_then(|uri| {
            let (aor, binding) = self.location.bindings.of_contact(&uri)?;
            Some((aor.to_owned(), binding.clone()))
        });
        let Some((aor, binding)) = found else {
            return;
        };
        match self.config.remove_unreachable {
            Removal::AtOnce => {
                self.probes.forget(binding.id);
                self.remove_unreachable(cx, &aor, binding.id);
            }
            Removal::AfterProbes => {
                let probes = &mut self.probes;
                let events = self.element.step(cx, |turn| {
                    probes.ask(turn, &aor, &binding, Occasion::Unreachable);
                });
                self.take(cx, events);
            }
            Removal::Never => {}
        }
    }

    fn bury(&mut self, cx: &mut Context<'_>, dead: &Dead) {
        match dead.occasion {
            Occasion::Unreachable => self.remove_unreachable(cx, &dead.aor, dead.binding),
            Occasion::HealthCheck => {
                if self.location.remove(cx, &dead.aor, dead.binding) {
                    tracing::warn!(aor = dead.aor, "health check not answered: removed binding");
                }
            }
        }
    }

    fn remove_unreachable(&mut self, cx: &mut Context<'_>, aor: &str, binding: u64) {
        if self.location.remove(cx, aor, binding) {
            tracing::info!(aor, "removed unreachable binding");
        }
    }
}

impl LogLine {
    fn write(self, peer: Option<SocketAddr>, error: SocketError, method: Option<&Method>) {
        use tracing::{Level, debug, error, info, trace, warn};
        let (peer, method) = (
            peer.map(tracing::field::display),
            method.map(tracing::field::display),
        );
        macro_rules! at {
            ($level:ident) => {
                match self.wording {
                    Wording::TargetUnreachable => {
                        $level!(peer, errno = error.errno, method, "target unreachable");
                    }
                    Wording::ServerError => $level!("UDP server error: {error}"),
                }
            };
        }
        match self.level {
            Level::ERROR => at!(error),
            Level::WARN => at!(warn),
            Level::INFO => at!(info),
            Level::DEBUG => at!(debug),
            Level::TRACE => at!(trace),
        }
    }
}
