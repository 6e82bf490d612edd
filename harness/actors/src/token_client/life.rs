//! One life of a client: does what it is told between the answers and in them.

use std::future::poll_fn;
use std::task::{Context, Poll};

use linefault_protocol::sse::Input;

use super::TokenClient;
use super::conversation::{Conversation, Happening};
use crate::Host;
use crate::catalogue::{Command, Settings};

/// Lives for as long as its host does.
pub(super) async fn live(host: Host, actor: TokenClient) {
    let name = host.name().to_owned();
    let mut life = Life {
        conversation: Conversation::new(host.clone(), &actor, name),
        answers: 0,
        host,
    };
    loop {
        match poll_fn(|cx| life.poll(cx)).await {
            Doing::Told(command) => life.obey(&command),
            Doing::Heard(happening) => life.conversation.take(happening),
        }
    }
}

struct Life {
    host: Host,
    conversation: Conversation,
    answers: u64,
}

/// What a life waits for.
enum Doing {
    Told(Command),
    Heard(Happening),
}

impl Life {
    /// Commands first.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Doing> {
        if let Poll::Ready(command) = self.host.poll_command(cx) {
            return Poll::Ready(Doing::Told(command));
        }
        self.conversation.poll(cx).map(Doing::Heard)
    }

    fn obey(&mut self, command: &Command) {
        match command.name {
            "ask" => self.ask(&command.arguments),
            "retry" => self.conversation.input(Input::Retry),
            _ => self.conversation.input(Input::Stop),
        }
    }

    fn ask(&mut self, arguments: &Settings) {
        if !self.conversation.is_over() {
            tracing::info!("not asked: an answer is under way");
            return;
        }
        let times = usize::try_from(arguments.integer("repeat").unwrap_or(1)).unwrap_or(1);
        let prompt = arguments.text("prompt").unwrap_or_default().repeat(times);
        self.answers += 1;
        self.conversation.ask(self.answers, prompt);
    }
}
