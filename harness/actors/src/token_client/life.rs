//! One life of a client: waits, hands over, carries out, and says what became of it.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use linefault_protocol::sse::{Client, Connection, Effect, Ending, Heard, Input, Phase};

use super::wire::{Asked, Wire, Word};
use super::{Tap, TokenClient};
use crate::catalogue::{Command, Settings};
use crate::{Host, Report, Timer, TimerClass};

/// Lives for as long as its host does.
pub(super) async fn live(host: Host, actor: TokenClient) {
    let mut life = Life {
        client: Client::new(actor.rules),
        tap: actor.tap.map(|tap| tap()),
        timer: host.timer(TimerClass::Foreground),
        wires: Vec::new(),
        prompt: String::new(),
        why: String::new(),
        answers: 0,
        requests: 0,
        host,
        actor,
    };
    loop {
        life.timer.set(life.client.deadline());
        let happening = poll_fn(|cx| life.poll(cx)).await;
        life.take(happening);
    }
}

struct Life {
    host: Host,
    actor: TokenClient,
    client: Client,
    tap: Option<Box<dyn Tap>>,
    timer: Timer,
    wires: Vec<Wire>,
    prompt: String,
    /// Why the last connection was lost.
    why: String,
    answers: u64,
    requests: u64,
}

/// What a life waits for.
enum Happening {
    Told(Command),
    Said(Connection, Word),
    Due,
}

impl Life {
    /// Commands first, then connections by age, then the deadline.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        if let Poll::Ready(command) = self.host.poll_command(cx) {
            return Poll::Ready(Happening::Told(command));
        }
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
        self.timer.poll_fired(cx).map(|()| Happening::Due)
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Told(command) => self.obey(&command),
            Happening::Said(connection, word) => {
                if word.heard == Heard::Lost {
                    self.why = word.why;
                }
                self.input(Input::From(connection, word.heard));
            }
            Happening::Due => self.input(Input::Due),
        }
    }

    fn obey(&mut self, command: &Command) {
        match command.name {
            "ask" => self.ask(&command.arguments),
            "retry" => self.input(Input::Retry),
            _ => self.input(Input::Stop),
        }
    }

    fn ask(&mut self, arguments: &Settings) {
        let ready = matches!(
            self.client.phase(),
            Phase::Idle | Phase::Complete | Phase::GivenUp
        );
        if !ready {
            tracing::info!("not asked: an answer is under way");
            return;
        }
        let times = usize::try_from(arguments.integer("repeat").unwrap_or(1)).unwrap_or(1);
        self.prompt = arguments.text("prompt").unwrap_or_default().repeat(times);
        self.answers += 1;
        self.input(Input::Ask);
    }

    fn input(&mut self, input: Input) {
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
                let asked = self.asked(last_id);
                self.wires
                    .push(Wire::open(self.host.clone(), connection, asked));
            }
            Effect::Close(connection) => self.wires.retain(|wire| wire.connection != connection),
            Effect::Warned(failure) => {
                let (request_id, why) = (failure.request_id, failure.message);
                tracing::info!(request_id, why, "the service warns");
            }
            Effect::Failed(failure) => {
                let kind = failure.kind.as_str();
                let (request_id, recoverable) = (failure.request_id, failure.recoverable);
                tracing::warn!(request_id, kind, recoverable, "the service failed");
                self.why = format!("{kind}: {}", failure.message);
            }
            Effect::Waits { attempt, until } => {
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
            to: self.actor.service,
            request_id: format!("{}-{}", self.host.name(), self.requests),
            last_id,
            prompt: self.prompt.clone(),
        }
    }

    fn say_waits(&self, attempt: u32, wait: Duration) {
        let (why, wait_ms) = (&self.why, wait.as_millis());
        tracing::warn!(attempt, wait_ms, why, "reconnects");
    }

    fn moved(&self, from: Phase, to: Phase, on: &'static str) {
        let id = self.answers;
        let is_over = |phase| matches!(phase, Phase::Idle | Phase::Complete | Phase::GivenUp);
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
            Ending::Complete => tracing::info!(text, "answer complete"),
            Ending::GaveUp(reason) if text.is_empty() => tracing::warn!(%reason, "answer failed"),
            Ending::GaveUp(reason) => tracing::warn!(%reason, text, "answer incomplete"),
        }
    }
}
