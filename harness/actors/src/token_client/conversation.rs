//! Answers, one after another: asks, hands over, carries out, and says what became of each.

use crate::checkpoint::{reached, sometimes};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use linefault_protocol::sse::{Client, Connection, Effect, Ending, Heard, Input, Phase};

use super::wire::{Asked, Wire, Word};
use super::{Tap, TokenClient};
use crate::{Host, Report, Timer, TimerClass};

/// What speaks with a token service for whoever needs its answers. Dropping it closes its connections.
pub(crate) struct Conversation {
    host: Host,
    service: SocketAddr,
    /// What its requests' ids begin with.
    name: String,
    client: Client,
    tap: Option<Box<dyn Tap>>,
    timer: Timer,
    wires: Vec<Wire>,
    prompt: String,
    /// Why the last connection was lost.
    why: String,
    /// The number of the answer.
    answer: u64,
    requests: u64,
}

/// What a conversation waits for.
pub(crate) enum Happening {
    /// A connection said something.
    Said(Connection, Word),
    /// The deadline is there.
    Due,
}

impl Conversation {
    /// One as that client is configured. Its requests' ids begin with `name`.
    pub(crate) fn new(host: Host, client: &TokenClient, name: String) -> Self {
        Self {
            client: Client::new(client.rules),
            tap: client.tap.map(|tap| tap()),
            timer: host.timer(TimerClass::Foreground),
            wires: Vec::new(),
            prompt: String::new(),
            why: String::new(),
            answer: 0,
            requests: 0,
            service: client.service,
            name,
            host,
        }
    }

    /// What has come of the answer.
    pub(crate) fn text(&self) -> &str {
        self.client.text()
    }

    /// Where it stands.
    pub(crate) fn phase(&self) -> Phase {
        self.client.phase()
    }

    /// Whether no answer is under way.
    pub(crate) fn is_over(&self) -> bool {
        is_over(self.phase())
    }

    /// Asks, unless an answer is under way. No two answers of a host have the same number.
    pub(crate) fn ask(&mut self, answer: u64, prompt: String) {
        self.prompt = prompt;
        self.answer = answer;
        self.input(Input::Ask);
    }

    /// Connections by age, then the deadline.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        let mut index = 0;
        while let Some(wire) = self.wires.get_mut(index) {
            match wire.poll_word(cx) {
                Poll::Ready(Some(word)) => {
                    return Poll::Ready(Happening::Said(wire.connection, word));
                }
                Poll::Ready(None) => drop(self.wires.remove(index)),
                Poll::Pending => index += 1,
            }
        }
        self.timer.set(self.client.deadline());
        self.timer.poll_fired(cx).map(|()| Happening::Due)
    }

    /// Takes what happened.
    pub(crate) fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Said(connection, word) => {
                if word.heard == Heard::Lost {
                    self.why = word.why;
                }
                self.input(Input::From(connection, word.heard));
            }
            Happening::Due => self.input(Input::Due),
        }
    }

    /// Tells the rules what happened, and carries out what follows.
    pub(crate) fn input(&mut self, input: Input) {
        let input = match &mut self.tap {
            Some(tap) => tap.input(input),
            None => Some(input),
        };
        let Some(input) = input else { return };
        let told = input.clone();
        let mut effects = Vec::new();
        if let Err(error) = self.client.handle(self.host.now(), input, &mut effects) {
            tracing::error!(%error, "the client was told something impossible");
        }
        if let Some(tap) = &mut self.tap {
            tap.effects(&told, &mut effects);
        }
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Connect {
                connection,
                last_id,
            } => {
                sometimes!(
                    self.host,
                    !last_id.is_empty(),
                    "the client asks for the rest of an answer"
                );
                let asked = self.asked(last_id);
                self.wires
                    .push(Wire::open(self.host.clone(), connection, asked));
            }
            Effect::Close(connection) => self.wires.retain(|wire| wire.connection != connection),
            Effect::Warned(failure) => {
                reached!(self.host, "the service warned");
                let (request_id, why) = (failure.request_id, failure.message);
                tracing::info!(request_id, why, "the service warns");
            }
            Effect::Failed(failure) => {
                reached!(self.host, "the service told of a failure");
                let kind = failure.kind.as_str();
                let (request_id, recoverable) = (failure.request_id, failure.recoverable);
                tracing::warn!(request_id, kind, recoverable, "the service failed");
                self.why = format!("{kind}: {}", failure.message);
            }
            Effect::Waits { attempt, until } => {
                reached!(self.host, "the client waited before it connected again");
                let wait = until.since(self.host.now());
                self.say_waits(attempt, wait);
            }
            Effect::Moved { from, to, on } => self.moved(from, to, on.name()),
            Effect::Ended(ending) => self.ended(&ending),
        }
    }

    fn asked(&mut self, last_id: String) -> Asked {
        self.requests += 1;
        Asked {
            to: self.service,
            request_id: format!("{}-{}", self.name, self.requests),
            last_id,
            prompt: self.prompt.clone(),
        }
    }

    fn say_waits(&self, attempt: u32, wait: Duration) {
        let (why, wait_ms) = (&self.why, wait.as_millis());
        tracing::warn!(attempt, wait_ms, why, "reconnects");
    }

    fn moved(&self, from: Phase, to: Phase, on: &'static str) {
        let id = self.answer;
        if is_over(from) {
            self.host.report(Report::Opened {
                kind: "answer",
                id,
                label: id.to_string(),
                target: None,
            });
        }
        self.host.report(Report::State {
            machine: "token client",
            id,
            from: from.name(),
            to: to.name(),
            on,
        });
        if is_over(to) {
            self.host.report(Report::Closed { kind: "answer", id });
        }
    }

    /// Says how it ended, so that nobody takes a part for the whole.
    fn ended(&self, ending: &Ending) {
        let text = self.client.text();
        match ending {
            Ending::Complete => reached!(self.host, "an answer was complete"),
            Ending::GaveUp(_) => reached!(self.host, "an answer was given up"),
        }
        match ending {
            Ending::Complete => tracing::info!(text, "answer complete"),
            Ending::GaveUp(reason) if text.is_empty() => tracing::warn!(%reason, "answer failed"),
            Ending::GaveUp(reason) => tracing::warn!(%reason, text, "answer incomplete"),
        }
    }
}

fn is_over(phase: Phase) -> bool {
    matches!(phase, Phase::Idle | Phase::Complete | Phase::GivenUp)
}
