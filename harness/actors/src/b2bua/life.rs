//! One life of a B2BUA: the machine between its socket, its location service and the B2BUA core.

use std::net::SocketAddr;

use linefault_protocol::sip::b2bua::{self, B2bua, B2buaTurn, Event, News, Side, Target};
use linefault_protocol::sip::transaction::{Output, Timer, TransactionId};
use linefault_protocol::sip::{Message, Method, Status, Transport, Uri};

use super::config::Config;
use super::entry::CALLING;
use super::{BETWEEN_LEGS, log};
use crate::checkpoint::reached;
use crate::element::{Element, Sent};
use crate::proxy::location::Location;
use crate::proxy::probe::Probes;
use crate::{Context, Deadlines, Input, Machine, Report, SocketError};

/// A B2BUA from its start to its end.
pub(super) struct Life {
    config: Config,
    running: Option<Running>,
}

struct Running {
    config: Config,
    local: SocketAddr,
    element: Element,
    core: B2bua,
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

    fn accepts_connections(&self) -> bool {
        self.config.tcp
    }
}

impl Running {
    fn new(config: &Config, local: SocketAddr, cx: &Context<'_>) -> Self {
        Self {
            local,
            element: Element::new(),
            core: B2bua::new(b2bua::Config {
                address: local,
                calls_max: config.calls_max,
                ring_limit: config.ring_limit,
                retry: config.retry,
                forward_to: config.forward_to.clone(),
                lines: config.queue,
                follow_redirects: config.follow_redirects,
            }),
            location: Location::new(config.expiry),
            probes: Probes::new(local, &config.domain, config.health_check, cx.now()),
            config: config.clone(),
        }
    }

    fn deadlines(&self) -> Deadlines {
        let foreground = [
            self.element.working_deadline(),
            self.core.deadline(),
            self.probes.deadline(),
        ];
        let background = [
            self.element.lingering_deadline(),
            self.core.lingering_deadline(),
            self.probes.background_deadline(),
            self.location.deadline(),
        ];
        Deadlines {
            foreground: foreground.into_iter().flatten().min(),
            background: background.into_iter().flatten().min(),
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
            Input::ReceiveFailed { error } => log_error(Transport::Udp, None, error, None),
            Input::Start { .. } | Input::SendFailed { .. } | Input::Command(_) => {}
        }
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        self.element.expire(cx.now());
        self.settle(cx);
        self.step(cx, |core, turn| core.expire(turn));
        for binding in self.location.expire(cx) {
            self.probes.forget(binding);
        }
        let (probes, bindings) = (&mut self.probes, &self.location.bindings);
        let mut dead = Vec::new();
        let events = self
            .element
            .step(cx, |turn| dead = probes.expire(turn, bindings));
        self.take(cx, events);
        for dead in dead {
            self.bury(cx, &dead.aor, dead.binding);
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
                } => self.request(cx, transaction, &message),
                Output::Ack { message, .. } => self.step(cx, |core, turn| core.ack(turn, &message)),
                Output::Response { transaction, .. } if self.probes.owns(transaction) => {
                    self.probes.answered(transaction);
                }
                Output::Response {
                    transaction,
                    message,
                } => self.step(cx, |core, turn| core.response(turn, transaction, &message)),
                Output::Timeout { transaction, timer } => self.timed_out(cx, transaction, timer),
                Output::Refused {
                    transaction, error, ..
                } => {
                    tracing::error!("cannot send a request: {error}");
                    self.probes.not_sent(transaction, cx.now(), false);
                    self.step(cx, |core, turn| core.send_failed(turn, transaction));
                }
                Output::Stray { message, .. } => {
                    self.step(cx, |core, turn| core.stray(turn, &message));
                }
                // Whoever reports a transport error to the layer tells the core as well.
                Output::TransportError { .. } | Output::Send { .. } | Output::Report(_) => {}
            }
        }
    }

    fn request(&mut self, cx: &mut Context<'_>, id: TransactionId, request: &Message) {
        let calls = request.method() == Method::Invite;
        if let Some(Err(error)) = calls.then(|| cx.at_point(CALLING)) {
            tracing::error!("cannot take a call: {error}");
            let status = Status::SERVER_INTERNAL_ERROR;
            return self.step(cx, |_, turn| turn.answer(id, request, status));
        }
        self.step(cx, |core, turn| core.request(turn, id, request));
    }

    fn step(&mut self, cx: &mut Context<'_>, step: impl FnOnce(&mut B2bua, &mut B2buaTurn<'_>)) {
        let core = &mut self.core;
        let events = self.element.step(cx, |turn| step(core, turn));
        self.take(cx, events);
    }

    /// Carries out what the core says.
    fn take(&mut self, cx: &mut Context<'_>, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Send {
                    destination,
                    message,
                } => self.element.send(cx, destination, message, None),
                Event::Locate { call, uri } => {
                    let place = self.place(&uri);
                    if place == Err(Status::NOT_FOUND) {
                        reached!(cx, "a user that nobody knows was called");
                    }
                    self.step(cx, |core, turn| core.located(turn, call, place));
                }
                Event::Register {
                    transaction,
                    request,
                } => self.register(cx, transaction, &request),
                Event::CallOpened { call, call_ids } => cx.report(Report::Opened {
                    kind: "call",
                    id: call,
                    label: call_ids.join(BETWEEN_LEGS),
                    target: None,
                }),
                Event::LegUp(call, side, call_id) => cx.report(Report::Opened {
                    kind: "dialog",
                    id: leg(call, side),
                    label: call_id,
                    target: None,
                }),
                Event::LegDown(call, side) => cx.report(Report::Closed {
                    kind: "dialog",
                    id: leg(call, side),
                }),
                Event::CallClosed(call) => cx.report(Report::Closed {
                    kind: "call",
                    id: call,
                }),
                Event::News { call_id, news } => {
                    mark(cx, &news);
                    log::write(&call_id, news);
                }
                Event::Refused {
                    method,
                    uri,
                    status,
                } => tracing::info!(%method, uri, status = status.code(), "refused a request"),
            }
        }
    }

    /// Where a URI leads: to the contact of a user of the domain that was registered last, or to its own address.
    fn place(&self, uri: &Uri) -> Result<Target, Status> {
        let Some(aor) = self.aor(uri) else {
            let destination = uri.socket_address().ok_or(Status::NOT_FOUND)?;
            let uri = uri.clone();
            return Ok(Target { uri, destination });
        };
        let known = uri
            .user()
            .is_some_and(|user| self.config.users.contains(user));
        if !known {
            return Err(Status::NOT_FOUND);
        }
        let targets = self.location.bindings.targets(&aor).into_iter();
        let mut targets = targets.filter_map(|binding| {
            Some(Target {
                uri: binding.contact.clone(),
                destination: binding.destination()?,
            })
        });
        targets.next().ok_or(Status::TEMPORARILY_UNAVAILABLE)
    }

    /// The address-of-record in this domain that a URI means, if it is in it.
    fn aor(&self, uri: &Uri) -> Option<String> {
        let here = uri.host().eq_ignore_ascii_case(&self.config.domain)
            || uri.socket_address() == Some(self.local);
        let user = uri.user().unwrap_or_default();
        let own = Uri::parse(&format!("sip:{user}@{}", self.config.domain)).ok()?;
        here.then(|| own.address_of_record())
    }

    // RFC 3261 §10.3 steps 1, 4 and 5
    fn register(&mut self, cx: &mut Context<'_>, id: TransactionId, request: &Message) {
        let to = request.to().map(|to| to.uri());
        let known = to.ok().and_then(|uri| {
            let user = uri.user().filter(|user| self.config.users.contains(*user));
            user.and_then(|_| self.aor(&uri))
        });
        let Some(aor) = known else {
            return self.step(cx, |_, turn| turn.answer(id, request, Status::NOT_FOUND));
        };
        let outcome = self.location.register(cx, &aor, request);
        let outcome = outcome.map(|alive| alive.into_iter().for_each(|id| self.probes.forget(id)));
        let location = &self.location;
        let events = self.element.step(cx, |turn| {
            location.answer(turn, id, &aor, request, outcome);
        });
        self.take(cx, events);
    }

    fn timed_out(&mut self, cx: &mut Context<'_>, id: TransactionId, timer: Timer) {
        if !self.probes.owns(id) {
            return self.step(cx, |core, turn| core.timeout(turn, id, timer));
        }
        if let Some(dead) = self.probes.timed_out(id) {
            self.bury(cx, &dead.aor, dead.binding);
        }
    }

    fn bury(&mut self, cx: &mut Context<'_>, aor: &str, binding: u64) {
        reached!(cx, "a registered contact fell silent");
        if self.location.remove(cx, aor, binding) {
            tracing::warn!(aor, "health check not answered: removed binding");
        }
    }

    // RFC 3261 §16.9 has a proxy drop a response that cannot be sent; so does this, and the peer repeats its request.
    fn send_failed(
        &mut self,
        cx: &mut Context<'_>,
        to: SocketAddr,
        error: SocketError,
        sent: &Sent,
    ) {
        let (over, method) = (sent.message.transport(), sent.message.method());
        log_error(over, Some(to), error, Some(&method));
        let Some(id) = sent.transaction.filter(|_| sent.message.is_request()) else {
            return;
        };
        if !self.probes.owns(id) {
            return self.step(cx, |core, turn| core.send_failed(turn, id));
        }
        self.probes.not_sent(id, cx.now(), false);
        self.step(cx, |_, turn| {
            turn.layer.transport_failed(turn.now, id, turn.below);
        });
    }
}

/// Marks what a campaign should see of the calls of others.
fn mark(cx: &mut Context<'_>, news: &News) {
    match news {
        News::NoAnswer(_) => reached!(cx, "a callee did not answer"),
        News::Retrying(_) => reached!(cx, "an unavailable callee was called again"),
        News::Forwarding(_) => reached!(cx, "a call was forwarded"),
        News::Following(_) => reached!(cx, "a redirection was followed"),
        News::Queued(_) => reached!(cx, "a call was queued"),
        News::Cancelled => reached!(cx, "a caller cancelled"),
        News::Failed { status, .. } if *status == Status::NOT_ACCEPTABLE_HERE => {
            reached!(cx, "a call failed on its offer");
        }
        News::Lost(_) => reached!(cx, "a leg was lost"),
        News::NotAcknowledged(_) => reached!(cx, "a leg never acknowledged its answer"),
        News::Calling { .. } | News::Answered | News::Failed { .. } | News::Ended(_) => {}
    }
}

/// The number of a leg's dialog.
fn leg(call: u64, side: Side) -> u64 {
    call * 2 + side as u64
}

// Report A: an unreachable target is to be expected, any other socket error is a fault of this host.
fn log_error(
    over: Transport,
    peer: Option<SocketAddr>,
    error: SocketError,
    method: Option<&Method>,
) {
    let peer = peer.map(tracing::field::display);
    let method = method.map(tracing::field::display);
    if error.is_unreachable() {
        tracing::warn!(peer, errno = error.errno, method, "target unreachable");
    } else {
        tracing::error!(
            peer,
            errno = error.errno,
            method,
            "{over} server error: {error}"
        );
    }
}
