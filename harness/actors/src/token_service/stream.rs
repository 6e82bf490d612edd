//! A stream as the body of a response: each piece is generated when there is room for it on the wire.

use std::cell::RefCell;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use linefault_protocol::sse::{Block, Failure, FailureKind, encode};

use super::Tap;
use super::reply::classify;
use super::running::Running;
use super::service::Service;
use super::source::Session;
use crate::{Timer, TimerClass};

/// The body of a response that streams. The server asks for the next piece when it has sent the one before, so that a
/// slow reader slows the generator down and nothing piles up.
pub(super) struct TokenStream {
    service: Rc<Service>,
    running: Rc<RefCell<Running>>,
    tap: Option<Box<dyn Tap>>,
    timer: Timer,
    state: State,
}

enum State {
    /// Nothing was said.
    Start,
    /// The prompt was looked at too late.
    Refusing(Failure),
    /// Tokens follow.
    Tokens,
    /// Everything was said.
    Over,
}

impl TokenStream {
    /// A stream that has begun; one with `refusal` says only that.
    pub(super) fn new(
        service: &Rc<Service>,
        running: &Rc<RefCell<Running>>,
        refusal: Option<Failure>,
    ) -> Self {
        Self {
            service: Rc::clone(service),
            running: Rc::clone(running),
            tap: service.tap.map(|tap| tap()),
            timer: service.host.timer(TimerClass::Foreground),
            state: refusal.map_or(State::Start, State::Refusing),
        }
    }

    /// Waits as long as a token takes, or as the stream has left.
    fn wait(&mut self) {
        let left = self.running.borrow().time_left();
        let length = self.service.config.interval.min(left);
        self.timer.set(Some(self.service.host.now() + length));
    }

    fn next(&mut self) -> Block {
        let (position, time_left) = {
            let running = self.running.borrow();
            (running.position, running.time_left())
        };
        let config = &self.service.config;
        if position >= config.tokens {
            return self.done();
        }
        if time_left == Duration::ZERO {
            return self.fail(timeout("the answer took too long"));
        }
        if position >= config.limits.tokens {
            return self.fail(timeout("the answer grew too long"));
        }
        let session = self.running.borrow().session;
        match generate(&self.service, session, position + 1) {
            Ok(token) => {
                self.running.borrow_mut().position += 1;
                self.wait();
                self.block(None, token)
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn done(&mut self) -> Block {
        self.state = State::Over;
        let mut running = self.running.borrow_mut();
        running.complete();
        let data = format!("{{\"token_count\":{}}}", running.position);
        drop(running);
        self.block(Some("done"), data)
    }

    fn fail(&mut self, mut failure: Failure) -> Block {
        self.state = State::Over;
        let mut running = self.running.borrow_mut();
        running.request_id.clone_into(&mut failure.request_id);
        running.fail(&failure);
        drop(running);
        self.block(Some("error"), failure.to_json())
    }

    fn block(&self, name: Option<&'static str>, data: String) -> Block {
        let running = self.running.borrow();
        Block {
            id: Some(running.session.id(running.position)),
            name,
            retry: None,
            data: Some(data),
        }
    }

    fn init(&mut self) -> Block {
        self.state = State::Tokens;
        self.wait();
        Block {
            retry: Some(self.service.config.retry),
            ..self.block(Some("init"), "{\"status\":\"started\"}".to_owned())
        }
    }

    fn text(&mut self, block: &Block) -> String {
        let text = encode(block);
        match &mut self.tap {
            Some(tap) => tap.sent(text),
            None => text,
        }
    }
}

impl Body for TokenStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        loop {
            let block = match std::mem::replace(&mut this.state, State::Over) {
                State::Start => this.init(),
                State::Refusing(failure) => this.fail(failure),
                State::Tokens => {
                    this.state = State::Tokens;
                    ready!(this.timer.poll_fired(cx));
                    this.next()
                }
                State::Over => return Poll::Ready(None),
            };
            let text = this.text(&block);
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))));
            }
        }
    }
}

/// The token of that number, or why there is none. A panic of the source is a failure like another.
pub(super) fn generate(
    service: &Service,
    session: Session,
    number: u64,
) -> Result<String, Failure> {
    let attempt = || service.token(session, number);
    match catch_unwind(AssertUnwindSafe(attempt)) {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => Err(classify(&service.config, &error)),
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            let error = super::service::SourceError::Other(text.unwrap_or("panic").to_owned());
            Err(classify(&service.config, &error))
        }
    }
}

fn timeout(message: &str) -> Failure {
    super::reply::failure(FailureKind::Timeout, message)
}
