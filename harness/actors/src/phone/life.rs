//! One life of a phone: the machine between its socket and the user agent core.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use linefault_protocol::Instant;
use linefault_protocol::sip::transaction::Output;
use linefault_protocol::sip::user_agent::{self, Ending, Event, Failure, UserAgent, UserAgentTurn};
use linefault_protocol::sip::{Transport, Uri};

use super::audio::Audio;
use super::entry::{codecs, uri_of};
use super::{Config, log};
use crate::catalogue::{Command, Directory};
use crate::checkpoint::{always, reached};
use crate::element::Element;
use crate::{Context, Deadlines, Input, Machine, Report};

/// A phone from its start to its end.
pub(super) struct Life {
    config: Config,
    directory: Directory,
    /// Until it runs.
    audio: Option<Audio>,
    running: Option<Running>,
}

struct Running {
    element: Element,
    agent: UserAgent,
    audio: Option<Audio>,
    dialogs: BTreeSet<u64>,
    proxy: SocketAddr,
    transport: Transport,
    keep_alive: Option<Duration>,
    next_keep_alive: Option<Instant>,
}

impl Life {
    pub(super) fn new(config: Config, directory: Directory, audio: Option<Audio>) -> Self {
        Self {
            config,
            directory,
            audio,
            running: None,
        }
    }

    /// The URI that a command means: that of a phone in the directory, or what it says.
    fn target(&self, to: &str) -> Option<Uri> {
        uri_of(&self.directory, to)
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
            ("exit", _) => {
                running.next_keep_alive = None;
                running.step(cx, |agent, turn| agent.leave(turn));
            }
            ("re-invite", _) => {
                let codecs = codecs(&command.arguments);
                running.step(cx, |agent, turn| agent.reinvite(turn, codecs));
            }
            ("update", _) => running.step(cx, |agent, turn| agent.update(turn)),
            ("info", _) => running.step(cx, |agent, turn| agent.info(turn)),
            ("hang-up", _) => running.step(cx, |agent, turn| agent.hang_up(turn)),
            ("do-not-disturb", _) => {
                let on = command.arguments.switch("on");
                running.agent.set_do_not_disturb(on);
                tracing::info!(on, "do not disturb");
            }
            ("call", Some(uri)) => {
                let patience = command.arguments.duration("expires");
                running.step(cx, |agent, turn| agent.call_within(turn, &uri, patience));
            }
            ("transfer", Some(uri)) => running.step(cx, |agent, turn| agent.transfer(turn, &uri)),
            ("options", Some(uri)) => running.step(cx, |agent, turn| agent.ask(turn, &uri)),
            ("message", Some(uri)) => {
                let text = command.arguments.text("text").unwrap_or_default();
                running.step(cx, |agent, turn| agent.message(turn, &uri, text));
            }
            ("call" | "options" | "message" | "transfer", None) => {
                tracing::warn!(to, "cannot reach what is no URI");
            }
            (name, _) => tracing::warn!(name, "unknown command"),
        }
    }
}

impl Machine for Life {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        match input {
            Input::Start { local } => {
                self.running = Some(Running {
                    element: Element::over(self.config.transport),
                    agent: UserAgent::new(user_agent::Config {
                        user: self.config.user.clone(),
                        password: self.config.password.clone(),
                        domain: self.config.domain.clone(),
                        address: local,
                        proxy: self.config.proxy,
                        expires: self.config.expires,
                        answer: self.config.answer.clone(),
                        extensions: self.config.extensions,
                        transport: self.config.transport,
                        media: self.config.media.clone(),
                        glare: self.config.glare,
                        required: self.config.required.clone(),
                        other_servers: self.config.other_servers.clone(),
                    }),
                    audio: self.audio.take(),
                    dialogs: BTreeSet::new(),
                    proxy: self.config.proxy,
                    transport: self.config.transport,
                    keep_alive: self.config.keep_alive,
                    next_keep_alive: self.config.keep_alive.map(|every| cx.now() + every),
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
        let Some(running) = &self.running else {
            return Deadlines::default();
        };
        let Running { element, agent, .. } = running;
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
                .chain(running.next_keep_alive)
                .min(),
        }
    }

    fn poll_beside(&mut self, cx: &mut TaskContext<'_>) -> Poll<Command> {
        let audio = self.running.as_mut().and_then(|it| it.audio.as_mut());
        audio.map_or(Poll::Pending, |audio| audio.poll_over(cx))
    }

    fn accepts_connections(&self) -> bool {
        self.config.tcp
    }
}

impl Running {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        if let Input::SendFailed { ticket, to, error } = input {
            let Some(sent) = self.element.failed(cx, ticket, to, error) else {
                return;
            };
            let method = sent.message.method();
            reached!(cx, "a request could not be sent");
            tracing::warn!(peer = %to, errno = error.errno, %method, "not sent: {error}");
            // A response that does not leave is as good as lost on the way, and repeated like one.
            if let Some(id) = sent.transaction.filter(|_| sent.message.is_request()) {
                self.step(cx, |agent, turn| agent.send_failed(turn, id));
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
            Input::Wake => {
                self.element.expire(cx.now());
                self.settle(cx);
                self.step(cx, |agent, turn| agent.expire(turn));
                self.keep_alive(cx);
            }
            Input::ReceiveFailed { error } => {
                tracing::warn!(errno = error.errno, "receiving failed: {error}");
            }
            Input::Start { .. } | Input::SendFailed { .. } | Input::Command(_) => {}
        }
    }

    // RFC 5626 §3.5.1 has two line breaks for streams; phones send them over UDP as well, where nobody answers.
    fn keep_alive(&mut self, cx: &mut Context<'_>) {
        if self.next_keep_alive.is_some_and(|at| at <= cx.now()) {
            self.next_keep_alive = self.keep_alive.map(|every| cx.now() + every);
            self.element.keep_alive(cx, self.proxy, self.transport);
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
                always!(cx, self.dialogs.insert(id), "a dialog begins once");
                if let Some(audio) = &mut self.audio {
                    audio.begin(id, &call_id);
                }
                cx.report(Report::Opened {
                    kind: "dialog",
                    id,
                    label: call_id,
                    target: None,
                });
            }
            Event::SubscriptionOpened(id, label) => cx.report(Report::Opened {
                kind: "subscription",
                id,
                label,
                target: None,
            }),
            Event::SubscriptionClosed(id) => cx.report(Report::Closed {
                kind: "subscription",
                id,
            }),
            Event::CallClosed(id) => {
                if let Some(audio) = &mut self.audio {
                    audio.end(id);
                }
                if self.dialogs.remove(&id) {
                    cx.report(Report::Closed { kind: "dialog", id });
                }
                cx.report(Report::Closed { kind: "call", id });
            }
            other => {
                mark(cx, &other);
                log::write(other);
            }
        }
    }
}

/// Marks what a campaign should see of a phone's calls.
fn mark(cx: &mut Context<'_>, event: &Event) {
    match event {
        Event::NotRegistered(..) => reached!(cx, "a registration failed"),
        Event::CallFailed(_, _, Failure::Refused(..)) => reached!(cx, "a call was refused"),
        Event::CallFailed(_, _, Failure::TimedOut) => reached!(cx, "a call timed out"),
        Event::Redirected(..) => reached!(cx, "a call was redirected"),
        Event::CallEnded(_, _, Ending::There) => reached!(cx, "the other end hung up"),
        Event::CallEnded(_, _, Ending::Lost) => reached!(cx, "the other end had lost the call"),
        Event::CallEnded(_, _, Ending::NotAcknowledged) => {
            reached!(cx, "an answer was never acknowledged");
        }
        Event::CallEnded(_, _, Ending::Expired) => reached!(cx, "a session was not refreshed"),
        Event::Changed(..) => reached!(cx, "a session was changed"),
        Event::NotChanged(..) => reached!(cx, "a session could not be changed"),
        Event::ByeUnanswered(..) => reached!(cx, "a BYE was not answered"),
        Event::Transferred(..) => reached!(cx, "a call was transferred"),
        Event::NotTransferred(..) => reached!(cx, "a call could not be transferred"),
        _ => {}
    }
}
