//! One connection: what joins its session to the socket, the call flow and the log.

mod flow;
mod speech;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use linefault_protocol::Instant;
use linefault_protocol::audiosocket::session::{self, Asker, Failure, Input, Machine, Output};
use linefault_protocol::audiosocket::{Rate, Uuid};
use tokio::sync::oneshot;

use super::calls::{Answer, Inbox, Leg, Service, Wish};
use super::outbox::Outbox;
use crate::checkpoint::reached;
use crate::token_client::Happening;
use crate::{SocketError, SocketErrorKind, TcpStream, Timer, TimerClass};

use speech::Speech;

/// Where a hang-up that the HTTP API wants can be made to fail.
pub(super) const HANGING_UP: &str = "while hanging up on request";

/// How much is read at once: three frames of 20 ms at 8 kHz and a bit.
const CHUNK: usize = 1024;

/// Serves a connection to its end.
pub(super) async fn run(service: Rc<Service>, leg: Leg, stream: TcpStream) {
    let mut line = Line {
        machine: (service.config.machine)(service.config.timing),
        timer: service.host.timer(TimerClass::Foreground),
        armed: None,
        inbox: Rc::default(),
        outbox: Outbox::default(),
        buffer: [0; CHUNK],
        call: None,
        hanging_up: false,
        speech: None,
        next_frame: None,
        hang_up_at: None,
        rate: Rate::default(),
        waiting: Vec::new(),
        error: None,
        over: false,
        service,
        leg,
        stream,
    };
    if let Some(timeout) = line.service.config.user_timeout {
        line.stream.set_user_timeout(timeout);
    }
    line.tell(Input::Connected);
    while !line.over {
        let happened = poll_fn(|cx| line.poll(cx)).await;
        line.take(happened);
    }
}

struct Line {
    service: Rc<Service>,
    leg: Leg,
    stream: TcpStream,
    machine: Box<dyn Machine>,
    timer: Timer,
    /// What the timer is set to. It may lie before what it stands for, since most deadlines only ever move on.
    armed: Option<Instant>,
    inbox: Rc<Inbox>,
    outbox: Outbox,
    buffer: [u8; CHUNK],
    /// The call that it is a leg of, and the number of its session.
    call: Option<(Uuid, u64)>,
    hanging_up: bool,
    speech: Option<Speech>,
    next_frame: Option<Instant>,
    hang_up_at: Option<Instant>,
    /// What the peer speaks.
    rate: Rate,
    /// Who waits to hear that the hang-up is on its way.
    waiting: Vec<oneshot::Sender<Answer>>,
    /// What went wrong with the connection last.
    error: Option<String>,
    over: bool,
}

/// A line whose program fails leaves nothing behind that would keep the next call away.
impl Drop for Line {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.over {
            self.fall();
        }
    }
}

enum Happened {
    Wish(Wish),
    Read(Result<usize, SocketError>),
    Written(Result<(), SocketError>),
    Told(Happening),
    Timer,
}

impl Line {
    /// Of several things at one instant: wishes, then writing, reading, what is to be said, deadlines.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        if let Poll::Ready(wish) = self.inbox.poll_next(cx) {
            return Poll::Ready(Happened::Wish(wish));
        }
        if let Poll::Ready(written) = self.outbox.poll_write(&self.stream, cx) {
            return Poll::Ready(Happened::Written(written));
        }
        if let Poll::Ready(read) = self.stream.poll_read(cx, &mut self.buffer) {
            return Poll::Ready(Happened::Read(read));
        }
        if let Some(speech) = &mut self.speech
            && let Poll::Ready(told) = speech.poll(cx)
        {
            return Poll::Ready(Happened::Told(told));
        }
        self.arm();
        if self.timer.poll_fired(cx).is_ready() {
            self.armed = None;
            return Poll::Ready(Happened::Timer);
        }
        Poll::Pending
    }

    fn arm(&mut self) {
        let wanted = [self.machine.deadline(), self.next_frame, self.hang_up_at];
        let wanted = wanted.into_iter().flatten().min();
        let later = matches!((self.armed, wanted), (Some(armed), Some(wanted)) if armed <= wanted);
        if !later && self.armed != wanted {
            self.armed = wanted;
            self.timer.set(wanted);
        }
    }

    fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Wish(Wish::Send(frame)) => self.send(frame),
            Happened::Wish(Wish::HangUp(asker, answer)) => {
                let sent = self.hanging_up && self.waiting.is_empty();
                self.waiting.extend(answer);
                if sent {
                    self.answer(&Answer::Sent);
                }
                self.tell(Input::HangUp(asker));
            }
            Happened::Written(Ok(())) => {
                self.answer(&Answer::Sent);
                self.tell(Input::Sent);
            }
            Happened::Read(Ok(0)) => self.tell(Input::Eof),
            Happened::Read(Ok(count)) => {
                let bytes = Bytes::copy_from_slice(&self.buffer[..count]);
                self.tell(Input::Bytes(bytes));
            }
            Happened::Read(Err(error)) | Happened::Written(Err(error)) => self.fail(error),
            Happened::Told(told) => self.listen(told),
            Happened::Timer => self.wake(),
        }
    }

    fn fail(&mut self, error: SocketError) {
        use SocketErrorKind::{BrokenPipe, ConnectionReset};
        self.error = Some(error.to_string());
        let failure = match error.kind {
            ConnectionReset | BrokenPipe => Failure::Reset,
            _ => Failure::Other,
        };
        self.tell(Input::Failed(failure));
    }

    fn wake(&mut self) {
        let now = self.service.host.now();
        if self.hang_up_at.is_some_and(|at| at <= now) {
            self.hang_up_at = None;
            self.tell(Input::HangUp(Asker::Flow));
        }
        if let Some(due) = self.next_frame.filter(|due| *due <= now) {
            // From what was due, not from now: a late wake-up must not make the sound slower.
            self.next_frame = Some(due + Rate::FRAME).filter(|_| self.has_more(due));
            if self.next_frame.is_some() {
                self.talk();
            }
        }
        self.tell(Input::Wake);
    }

    fn tell(&mut self, input: Input) {
        if self.over {
            return;
        }
        let by_request = matches!(input, Input::HangUp(Asker::Request));
        let mut outputs = Vec::new();
        let (service, leg) = (Rc::clone(&self.service), self.leg);
        let mut cx = session::Context {
            now: service.host.now(),
            is_free: &|call| service.is_free(call, leg),
            outputs: &mut outputs,
        };
        self.machine.handle(input, &mut cx);
        for output in outputs {
            self.do_it(output, by_request);
        }
    }

    fn do_it(&mut self, output: Output, by_request: bool) {
        match output {
            Output::Open(call) => self.open(call),
            Output::Media(frame) => self.hear(&frame),
            Output::HangUp => self.hang_up(by_request),
            Output::Silent => {
                reached!(self.service.host, "no frame came in time");
                let (call, leg) = (self.call_name(), self.leg.name());
                let peer = self.stream.peer_address();
                tracing::warn!(call, leg, %peer, "no frame in time: hanging up");
            }
            Output::Close(ending) => self.end(&ending),
            Output::Abort(ending) => {
                self.stream.abort_on_close();
                self.end(&ending);
            }
        }
    }

    fn call_name(&self) -> Option<String> {
        self.call.map(|(call, _)| call.to_string())
    }

    fn answer(&mut self, answer: &Answer) {
        for asker in self.waiting.drain(..) {
            // Who does not wait any more needs no answer.
            let _ = asker.send(answer.clone());
        }
    }
}
