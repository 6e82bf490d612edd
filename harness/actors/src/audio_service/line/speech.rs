//! What a caller is told by a token service: an answer, spoken while it comes.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use linefault_protocol::Instant;
use linefault_protocol::sse::{Input, Phase, Rules};

use crate::Host;
use crate::token_client::{Conversation, Happening, TokenClient};

/// What every call begins with.
const PROMPT: &str = "greet the caller";

/// How long it takes to say a token.
const TOKEN: Duration = Duration::from_millis(200);

/// One call's answer.
pub(super) struct Speech {
    conversation: Conversation,
    /// How much of the text has been heard of.
    known: usize,
    /// When all that is known has been said.
    until: Instant,
}

/// What news of the answer mean for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// There is something to say.
    Words,
    /// Nothing more will come, and it is not all.
    Failed,
}

impl Speech {
    /// Asks for the greeting of that session.
    pub(super) fn begin(host: &Host, service: SocketAddr, session: u64) -> Self {
        let client = TokenClient {
            service,
            rules: Rules::default(),
            tap: None,
        };
        let name = format!("{}-{session}", host.name());
        let mut conversation = Conversation::new(host.clone(), &client, name);
        conversation.ask(session, PROMPT.to_owned());
        Self {
            conversation,
            known: 0,
            until: host.now(),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        self.conversation.poll(cx)
    }

    pub(super) fn take(&mut self, happening: Happening, now: Instant) -> News {
        let was_over = self.conversation.is_over();
        self.conversation.take(happening);
        let is_new = self.conversation.text().len() > self.known;
        self.known = self.conversation.text().len();
        if !was_over && self.conversation.phase() == Phase::GivenUp {
            return News::Failed;
        }
        if is_new {
            self.until = self.until.max(now) + TOKEN;
            return News::Words;
        }
        News::None
    }

    /// Whether something is left to be said then.
    pub(super) fn is_speaking(&self, now: Instant) -> bool {
        now < self.until
    }

    /// Nobody listens any more.
    pub(super) fn stop(&mut self) {
        if !self.conversation.is_over() {
            self.conversation.input(Input::Stop);
        }
    }
}
