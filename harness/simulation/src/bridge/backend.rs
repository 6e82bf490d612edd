//! The actors' machine, served by turmoil.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use linefault_actors::catalogue::Command;
use linefault_actors::{
    Backend, Instant, LocalFuture, Report, SocketError, TcpListenerBackend, TcpStreamBackend,
    TimerBackend, TimerClass, UdpBackend,
};
use linefault_network::Key;

use super::mailbox::{Act, Mailbox};
use super::recording::Recording;
use super::tcp;
use super::udp::Udp;
use super::watched::{Watch, Watched};
use super::{Actor, error};

/// One life of an actor's host.
pub(super) struct TurmoilHost {
    name: Rc<str>,
    address: SocketAddr,
    /// What every draw of this host descends from.
    key: Key,
    draws: Rc<RefCell<BTreeMap<&'static str, u64>>>,
    mailbox: Rc<RefCell<Mailbox>>,
    next_act: RefCell<Option<Pin<Box<tokio::time::Sleep>>>>,
    sockets: Rc<RefCell<Vec<Weak<Udp>>>>,
    recording: Option<Recording>,
    watch: Option<Rc<Watch>>,
}

impl TurmoilHost {
    pub(super) fn new(actor: &Actor) -> Self {
        // As the simulated network keys its hosts, so that a host has the same luck on both.
        let root = Key::new(actor.seed);
        let site = root.with_text("host").with_text(&actor.name).bits();
        Self {
            name: Rc::clone(&actor.name),
            address: actor.address,
            key: root.with(site),
            draws: Rc::clone(&actor.draws),
            mailbox: Rc::clone(&actor.mailbox),
            next_act: RefCell::default(),
            sockets: Rc::default(),
            recording: actor.recording.clone(),
            watch: actor.watch(),
        }
    }

    /// What may be bound on this host: turmoil takes the unspecified address only, and no other host's may be meant.
    fn local(&self, wanted: SocketAddr) -> Result<SocketAddr, SocketError> {
        if wanted.ip().is_unspecified() || wanted.ip() == self.address.ip() {
            Ok(unspecified(self.address, wanted.port()))
        } else {
            Err(error::NOT_AVAILABLE)
        }
    }

    fn send_raw(&self, to: SocketAddr, raw: &bytes::Bytes) {
        let socket = self.sockets.borrow().iter().find_map(Weak::upgrade);
        if let Some(socket) = socket {
            // A failure is recorded like one of the actor's own; nobody is there to be told.
            let _ = socket.send(raw, to);
        }
    }
}

fn unspecified(like: SocketAddr, port: u16) -> SocketAddr {
    if like.is_ipv4() {
        ([0, 0, 0, 0], port).into()
    } else {
        ([0u16; 8], port).into()
    }
}

impl Backend for TurmoilHost {
    fn name(&self) -> &str {
        &self.name
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn now(&self) -> Instant {
        Instant::from_micros(now().as_micros())
    }

    fn bind_udp(&self, local: SocketAddr) -> LocalFuture<Result<Rc<dyn UdpBackend>, SocketError>> {
        let (bound, ip) = (self.local(local), self.address.ip());
        let (sockets, recording) = (Rc::clone(&self.sockets), self.recording.clone());
        Box::pin(async move {
            let socket = Rc::new(Udp::bind(bound?, ip, recording).await?);
            sockets.borrow_mut().push(Rc::downgrade(&socket));
            Ok(socket as Rc<dyn UdpBackend>)
        })
    }

    fn listen_tcp(
        &self,
        local: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpListenerBackend>, SocketError>> {
        let (bound, ip) = (self.local(local), self.address.ip());
        let recording = self.recording.clone();
        Box::pin(async move {
            let listener = tcp::Listener::bind(bound?, ip, recording).await?;
            Ok(Rc::new(listener) as Rc<dyn TcpListenerBackend>)
        })
    }

    fn connect_tcp(
        &self,
        to: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        let recording = self.recording.clone();
        Box::pin(async move {
            let stream = tcp::Stream::connect(to, recording).await?;
            Ok(Rc::new(stream) as Rc<dyn TcpStreamBackend>)
        })
    }

    fn spawn(&self, task: LocalFuture<()>) {
        tokio::task::spawn_local(Watched::new(task, self.watch.clone()));
    }

    fn timer(&self, _: TimerClass) -> Box<dyn TimerBackend> {
        Box::new(Timer { set: None })
    }

    fn draw(&self, purpose: &'static str) -> u64 {
        let mut draws = self.draws.borrow_mut();
        let index = draws.entry(purpose).or_insert(0);
        *index += 1;
        self.key.with_text(purpose).with(*index).bits()
    }

    fn report(&self, report: Report) {
        if let Some(recording) = &self.recording {
            recording.reported(self.address, report);
        }
    }

    fn poll_command(&self, cx: &mut Context<'_>) -> Poll<Command> {
        let mut mailbox = self.mailbox.borrow_mut();
        loop {
            if let Some(command) = mailbox.take_told(cx) {
                return Poll::Ready(command);
            }
            let Some(at) = mailbox.next() else {
                return Poll::Pending;
            };
            let mut next = self.next_act.borrow_mut();
            let sleep = next.get_or_insert_with(|| wait(at.saturating_sub(elapsed())));
            ready!(sleep.as_mut().poll(cx));
            *next = None;
            match mailbox.take_planned() {
                Some(Act::Command(command)) => return Poll::Ready(command),
                Some(Act::Send { to, raw }) => self.send_raw(to, &raw),
                None => {}
            }
        }
    }
}

struct Timer {
    set: Option<(Instant, Pin<Box<tokio::time::Sleep>>)>,
}

impl TimerBackend for Timer {
    fn set(&mut self, at: Option<Instant>) {
        if self.set.as_ref().map(|(set, _)| *set) != at {
            let now = Instant::from_micros(now().as_micros());
            self.set = at.map(|at| (at, wait(at.since(now))));
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, sleep)) = &mut self.set else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(cx));
        self.set = None;
        Poll::Ready(())
    }
}

#[expect(clippy::disallowed_methods, reason = "on turmoil the clock is tokio's")]
fn wait(length: Duration) -> Pin<Box<tokio::time::Sleep>> {
    Box::pin(tokio::time::sleep(length))
}

/// How long the `Sim` has been running; nothing outside of its hosts.
pub(super) fn elapsed() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

/// The present moment on the recording's clock.
pub(super) fn now() -> linefault_network::Instant {
    let micros = u64::try_from(elapsed().as_micros()).unwrap_or(u64::MAX);
    linefault_network::Instant::from_micros(micros)
}
