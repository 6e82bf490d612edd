//! Actors that do no input or output themselves: told what happened, they say what to do.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use linefault_protocol::Instant;
use linefault_protocol::sip::Transport;

use crate::SocketError;
use crate::catalogue::Command;
use crate::host::LocalFuture;

/// How an actor runs.
pub enum Behaviour {
    /// A state machine without input or output of its own, run by [`crate::drive`].
    Machine(Box<dyn Machine>),
    /// An async function over the host.
    Task(LocalFuture<()>),
}

/// A state machine without input or output: one UDP socket, TCP connections, two deadlines, some commands.
///
/// SIP alone runs over these connections: whoever runs the machine cuts them into messages, so that a machine is told of
/// and says whole messages over either transport.
///
/// Log lines go through `tracing` while it handles an input.
///
/// A test can be its world: it tells it what happened, and when.
///
/// ```
/// use std::collections::VecDeque;
/// use std::net::SocketAddr;
///
/// use linefault_actors::{Context, Deadlines, Input, Instant, Machine, Output, Transport};
///
/// /// Sends back what it gets, with a number that nobody can guess.
/// struct Echo;
///
/// impl Machine for Echo {
///     fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
///         if let Input::Datagram { from, transport, bytes } = input {
///             let text = format!("{} {}", String::from_utf8_lossy(&bytes), cx.draw("number"));
///             cx.send(from, transport, text.into(), None);
///         }
///     }
///
///     fn deadlines(&self) -> Deadlines {
///         Deadlines::default()
///     }
/// }
///
/// let mut outputs = VecDeque::new();
/// let mut chance = |_: &'static str| 7;
/// let mut cx = Context::new(Instant::START, &mut chance, &mut outputs);
/// let peer = SocketAddr::from(([10, 0, 0, 3], 5060));
/// let (transport, bytes) = (Transport::Udp, "ping".into());
/// Echo.handle(Input::Datagram { from: peer, transport, bytes }, &mut cx);
///
/// let Some(Output::Send { to, bytes, .. }) = outputs.pop_front() else { panic!("it answers") };
/// assert_eq!((to, &bytes[..]), (peer, &b"ping 7"[..]));
/// assert!(outputs.is_empty());
/// ```
pub trait Machine {
    /// Takes one input and leaves what is to be done in the context.
    fn handle(&mut self, input: Input, cx: &mut Context<'_>);

    /// When it wants to be woken.
    fn deadlines(&self) -> Deadlines;

    /// What its user is told to do by something that runs beside the machine in the same program. Whoever runs the machine
    /// asks again and again, and is woken when there is something.
    fn poll_beside(&mut self, _cx: &mut TaskContext<'_>) -> Poll<Command> {
        Poll::Pending
    }

    /// Whether peers may connect to it. What it sends over TCP needs no permission.
    fn accepts_connections(&self) -> bool {
        false
    }
}

/// What can happen to a machine.
#[derive(Clone, Debug)]
pub enum Input {
    /// The first input of every life: the socket is open.
    Start {
        /// Where it is bound to.
        local: SocketAddr,
    },
    /// A datagram arrived, or what stands for one over TCP: a message, two line breaks that ask for one, or one.
    Datagram {
        /// Its source; over TCP the other end of the connection.
        from: SocketAddr,
        /// What carried it.
        transport: Transport,
        /// Its payload. Over TCP it may also be the beginning of a message that cannot be framed; that connection ends
        /// once it was answered.
        bytes: Bytes,
    },
    /// A datagram could not be sent; it did not leave. Over TCP: the connection could not be made, or has failed, and
    /// the message was among the latest on it, so that it may have left and even arrived.
    SendFailed {
        /// The ticket that was given with it.
        ticket: Option<u64>,
        /// Where it should have gone.
        to: SocketAddr,
        /// Why it did not.
        error: SocketError,
    },
    /// Somebody has connected.
    Opened {
        /// The other end.
        peer: SocketAddr,
    },
    /// A connection has ended. What it took along is told next, with [`Input::SendFailed`].
    Closed {
        /// The other end.
        peer: SocketAddr,
        /// Why, unless the peer has closed it.
        error: Option<SocketError>,
    },
    /// Receiving failed with an error that an earlier datagram left behind; nobody can say which.
    ReceiveFailed {
        /// The error.
        error: SocketError,
    },
    /// Somebody wants something done.
    Command(Command),
    /// A deadline is there.
    Wake,
}

/// What a machine wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a datagram, or the same bytes over TCP.
    Send {
        /// Where to. Over TCP the connection to that address is taken, whoever made it; without one, one is made.
        to: SocketAddr,
        /// What is to carry it.
        transport: Transport,
        /// Its payload.
        bytes: Bytes,
        /// Comes back with [`Input::SendFailed`].
        ticket: Option<u64>,
    },
    /// Close the connection to a peer, if there is one. Nothing more is heard of it.
    Close {
        /// The other end.
        peer: SocketAddr,
    },
    /// Note something for whoever watches.
    Report(Report),
}

/// What an actor notes for whoever watches: it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// Something exists that must be closed again.
    Opened {
        /// What it is: "transaction", "dialog", "call", "binding".
        kind: &'static str,
        /// Unique among the actor's things of that kind.
        id: u64,
        /// What a reader recognises it by.
        label: String,
        /// The address that it leads to, for a binding: whoever watches can then tell a dead one.
        target: Option<SocketAddr>,
    },
    /// It exists no more.
    Closed {
        /// As in [`Report::Opened`].
        kind: &'static str,
        /// As in [`Report::Opened`].
        id: u64,
    },
    /// A state machine took a step.
    State {
        /// Which machine, "INVITE client".
        machine: &'static str,
        /// As in [`Report::Opened`].
        id: u64,
        /// The state it left.
        from: &'static str,
        /// The state it entered.
        to: &'static str,
        /// What made it move.
        on: &'static str,
    },
    /// A protocol timer.
    Timer {
        /// Its name, "B".
        timer: &'static str,
        /// The thing that it belongs to.
        id: u64,
        /// What became of it.
        change: TimerChange,
    },
    /// The program came by a point that is listed.
    Checkpoint {
        /// Its place in [`crate::checkpoint::all`].
        place: u16,
        /// Whether the condition there held; of a point without one, yes.
        holds: bool,
    },
}

/// What became of a protocol timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerChange {
    /// It will fire at that moment.
    Set(Instant),
    /// It fired.
    Fired,
    /// It will not fire.
    Cancelled,
}

/// When a machine wants to be woken; the class says whether the wait is work in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// The next retransmission, time-out or planned act.
    pub foreground: Option<Instant>,
    /// The next refresh, health check or expiry, or the end of a wait that only serves to recognise repeats.
    pub background: Option<Instant>,
}

/// What a machine is given while it handles an input: the time, chance, and a place for its outputs.
pub struct Context<'a> {
    now: Instant,
    surroundings: &'a mut dyn Surroundings,
    outputs: &'a mut VecDeque<Output>,
}

/// What a machine may ask of whoever runs it. A closure that draws is enough.
pub trait Surroundings {
    /// The next number of the sequence for `purpose`.
    fn draw(&mut self, purpose: &'static str) -> u64;

    /// Comes by a point at which a test may want the program to fail.
    ///
    /// # Errors
    /// It does; a real machine never does.
    fn at_point(&mut self, _point: &'static str) -> Result<(), Injected> {
        Ok(())
    }
}

impl<F: FnMut(&'static str) -> u64> Surroundings for F {
    fn draw(&mut self, purpose: &'static str) -> u64 {
        self(purpose)
    }
}

/// An error of the program's own that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected;

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("injected error")
    }
}

impl std::error::Error for Injected {}

impl<'a> Context<'a> {
    /// A context for one input. Outputs are appended.
    pub fn new(
        now: Instant,
        surroundings: &'a mut dyn Surroundings,
        outputs: &'a mut VecDeque<Output>,
    ) -> Self {
        Self {
            now,
            surroundings,
            outputs,
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The next number of the sequence for `purpose`.
    pub fn draw(&mut self, purpose: &'static str) -> u64 {
        self.surroundings.draw(purpose)
    }

    /// Comes by a point of the catalogue's, at which the program may be wanted to fail.
    ///
    /// # Errors
    /// It is; whoever runs the machine may also let it panic here.
    pub fn at_point(&mut self, point: &'static str) -> Result<(), Injected> {
        self.surroundings.at_point(point)
    }

    /// Wants that done.
    pub fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Sends a datagram, or the same bytes over TCP.
    pub fn send(
        &mut self,
        to: SocketAddr,
        transport: Transport,
        bytes: Bytes,
        ticket: Option<u64>,
    ) {
        self.output(Output::Send {
            to,
            transport,
            bytes,
            ticket,
        });
    }

    /// Notes something.
    pub fn report(&mut self, report: Report) {
        self.output(Output::Report(report));
    }
}

/// What runs inside another machine asks whoever runs that one.
impl Surroundings for Context<'_> {
    fn draw(&mut self, purpose: &'static str) -> u64 {
        self.surroundings.draw(purpose)
    }

    fn at_point(&mut self, point: &'static str) -> Result<(), Injected> {
        self.surroundings.at_point(point)
    }
}
