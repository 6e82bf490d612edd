//! One life of a phone: the machine between its socket and the user agent core.

use std::collections::BTreeSet;

use linefault_protocol::sip::Uri;
use linefault_protocol::sip::transaction::Output;
use linefault_protocol::sip::user_agent::{self, Ending, Event, Failure, UserAgent, UserAgentTurn};

use super::Config;
use super::entry::domain_of;
use crate::catalogue::{Command, Directory};
use crate::element::Element;
use crate::{Context, Deadlines, Input, Machine, Report};

/// A phone from its start to its end.
pub(super) struct Life {
    config: Config,
    directory: Directory,
    running: Option<Running>,
}

struct Running {
    element: Element,
    agent: UserAgent,
    dialogs: BTreeSet<u64>,
}

impl Life {
    pub(super) fn new(config: Config, directory: Directory) -> Self {
        Self {
            config,
            directory,
            running: None,
        }
    }

    /// The URI that a command means: that of a phone in the directory, or what it says.
    fn target(&self, to: &str) -> Option<Uri> {
        let Some(listing) = self.directory.find(to) else {
            return Uri::parse(to).ok();
        };
        let registrar = listing.settings.text("registrar");
        let domain = registrar
            .and_then(|name| self.directory.find(name))
            .map(domain_of);
        let uri = match (listing.settings.text("user"), domain) {
            (Some(user), Some(domain)) => format!("sip:{user}@{domain}"),
            _ => format!("sip:{}", listing.address),
        };
        Uri::parse(&uri).ok()
    }

    fn command(&mut self, cx: &mut Context<'_>, command: &Command) {
        let to = command.arguments.text("to").unwrap_or_default();
        let target = self.target(to);
        let Some(running) = &mut self.running else {
            return;
        };
        match (command.name, target) {
            ("register", _) => running.step(cx, |agent, turn| agent.register(turn)),
            ("unregister", _) => running.step(cx, |agent, turn| agent.unregister(turn)),
            ("re-invite", _) => running.step(cx, |agent, turn| agent.reinvite(turn)),
            ("hang-up", _) => running.step(cx, |agent, turn| agent.hang_up(turn)),
            ("call", Some(uri)) => running.step(cx, |agent, turn| agent.call(turn, &uri)),
            ("call", None) => tracing::warn!(to, "cannot call what is no URI"),
            (name, _) => tracing::warn!(name, "unknown command"),
        }
    }
}

impl Machine for Life {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        match input {
            Input::Start { local } => {
                self.running = Some(Running {
                    element: Element::new(),
                    agent: UserAgent::new(user_agent::Config {
                        user: self.config.user.clone(),
                        domain: self.config.domain.clone(),
                        address: local,
                        proxy: self.config.proxy,
                        expires: self.config.expires,
                        answer: self.config.answer,
                    }),
                    dialogs: BTreeSet::new(),
                });
            }
            Input::Command(command) => self.command(cx, &command),
            other => {
                if let Some(running) = &mut self.running {
                    running.handle(other, cx);
                }
            }
        }
        if let Some(running) = &mut self.running {
            running.settle(cx);
        }
    }

    fn deadlines(&self) -> Deadlines {
        let Some(Running { element, agent, .. }) = &self.running else {
            return Deadlines::default();
        };
        Deadlines {
            foreground: element
                .working_deadline()
                .into_iter()
                .chain(agent.deadline())
                .min(),
            background: agent
                .background_deadline()
                .into_iter()
                .chain(element.lingering_deadline())
                .min(),
        }
    }
}

impl Running {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        if let Input::SendFailed { ticket, to, error } = input {
            let Some(sent) = self.element.failed(ticket) else {
                return;
            };
            let method = sent.message.method();
            tracing::warn!(peer = %to, errno = error.errno, %method, "not sent: {error}");
            // A response that does not leave is as good as lost on the way, and repeated like one.
            if let Some(id) = sent.transaction.filter(|_| sent.message.is_request()) {
                self.step(cx, |agent, turn| agent.send_failed(turn, id));
            }
            return;
        }
        self.element.all_left();
        match input {
            Input::Datagram { from, bytes } => self.element.receive(cx, from, &bytes),
            Input::Wake => {
                self.element.expire(cx.now());
                self.settle(cx);
                self.step(cx, |agent, turn| agent.expire(turn));
            }
            Input::ReceiveFailed { error } => {
                tracing::warn!(errno = error.errno, "receiving failed: {error}");
            }
            Input::Start { .. } | Input::SendFailed { .. } | Input::Command(_) => {}
        }
    }

    /// Hands the core what the layer has for it, until there is nothing more.
    fn settle(&mut self, cx: &mut Context<'_>) {
        while let Some(output) = self.element.next(cx) {
            self.step(cx, |agent, turn| match output {
                Output::Request {
                    transaction,
                    message,
                    ..
                } => agent.request(turn, transaction, &message),
                Output::Ack { message, .. } => agent.ack(turn, &message),
                Output::Response {
                    transaction,
                    message,
                } => agent.response(turn, transaction, &message),
                Output::Stray { message, .. } => agent.stray(turn, &message),
                Output::Timeout { transaction, timer } => agent.timeout(turn, transaction, timer),
                Output::Refused { transaction, .. } => agent.send_failed(turn, transaction),
                // Whoever reports a transport error to the layer tells the core as well.
                Output::TransportError { .. } | Output::Send { .. } | Output::Report(_) => {}
            });
        }
    }

    fn step(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnOnce(&mut UserAgent, &mut UserAgentTurn<'_>),
    ) {
        let agent = &mut self.agent;
        for event in self.element.step(cx, |turn| step(agent, turn)) {
            self.note(cx, event);
        }
    }

    /// Carries out what the core says, or lets the user read it.
    fn note(&mut self, cx: &mut Context<'_>, event: Event) {
        match event {
            Event::Send {
                destination,
                message,
            } => self.element.send(cx, destination, message, None),
            Event::CallOpened(id, peer) => cx.report(Report::Opened {
                kind: "call",
                id,
                label: peer,
                target: None,
            }),
            Event::CallUp(id, peer, call_id) => {
                tracing::info!(peer, "call up");
                self.dialogs.insert(id);
                cx.report(Report::Opened {
                    kind: "dialog",
                    id,
                    label: call_id,
                    target: None,
                });
            }
            Event::CallClosed(id) => {
                if self.dialogs.remove(&id) {
                    cx.report(Report::Closed { kind: "dialog", id });
                }
                cx.report(Report::Closed { kind: "call", id });
            }
            other => log(other),
        }
    }
}

fn log(event: Event) {
    match event {
        Event::Registered(lifetime) => {
            tracing::info!(expires = lifetime.as_secs(), "registered");
        }
        Event::Unregistered => tracing::info!("unregistered"),
        Event::NotRegistered(failure, retry) => not_registered(&failure, retry),
        Event::Ringing(_, peer) => tracing::info!(peer, "ringing"),
        Event::RingingThere(_, peer) => tracing::info!(peer, "ringing at the other end"),
        Event::CallFailed(_, peer, Failure::Refused(status, reason)) => {
            tracing::info!(peer, status = status.code(), "call failed: {reason}");
        }
        Event::CallFailed(_, peer, Failure::TimedOut) => tracing::warn!(peer, "call timed out"),
        Event::CallFailed(_, peer, Failure::NotSent) => tracing::warn!(peer, "call not sent"),
        Event::CallEnded(_, peer, Ending::Here) => tracing::info!(peer, "call ended: hung up"),
        Event::CallEnded(_, peer, Ending::There) => {
            tracing::info!(peer, "call ended: the other end hung up");
        }
        Event::CallEnded(_, peer, Ending::Lost) => {
            tracing::warn!(peer, "call ended: the other end has lost it");
        }
        Event::Changed(_, peer) => tracing::info!(peer, "session changed"),
        Event::NotChanged(_, peer, Failure::Refused(status, reason)) => {
            tracing::info!(
                peer,
                status = status.code(),
                "session not changed: {reason}"
            );
        }
        Event::NotChanged(_, peer, _) => tracing::warn!(peer, "session not changed"),
        Event::CallEnded(_, peer, Ending::NotAcknowledged) => {
            tracing::warn!(peer, "call ended: the answer was never acknowledged");
        }
        Event::ByeUnanswered(_, peer) => tracing::warn!(peer, "BYE was not answered"),
        Event::Send { .. } | Event::CallOpened(..) | Event::CallUp(..) | Event::CallClosed(_) => {}
    }
}

fn not_registered(failure: &Failure, retry: Option<std::time::Duration>) {
    let retry = retry.map(|wait| wait.as_millis());
    match failure {
        Failure::Refused(status, reason) => {
            tracing::warn!(
                status = status.code(),
                retry_ms = retry,
                "not registered: {reason}"
            );
        }
        Failure::TimedOut => tracing::warn!(retry_ms = retry, "not registered: timed out"),
        Failure::NotSent => tracing::warn!(retry_ms = retry, "not registered: not sent"),
    }
}
