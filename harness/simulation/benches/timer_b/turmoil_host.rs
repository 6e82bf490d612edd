//! The actors' host interface over `turmoil`, as far as proxies and phones need it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use linefault_actors::catalogue::{self, Command, Directory, Listing, Settings, Value};
use linefault_actors::{
    Backend, Behaviour, Host, Instant, LocalFuture, Report, SocketError, SocketErrorKind,
    TimerBackend, TimerClass, UdpBackend, drive,
};
use linefault_network::Key;
use turmoil::net::UdpSocket;

const PROXY: &str = "192.168.8.1:5060";
const ALICE: &str = "192.168.8.129:57446";
const BOB: &str = "192.168.8.120:41303";

/// Alice calls bob, whom nothing reaches from the proxy, and hears 408 when the proxy's Timer B fires.
pub(crate) fn timer_b(until: Duration) {
    let mut sim = turmoil::Builder::new()
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(until + Duration::from_secs(1))
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .build();
    let directory = directory();
    for (name, address, call) in [
        ("proxy", PROXY, None),
        ("bob", BOB, None),
        ("alice", ALICE, Some("bob")),
    ] {
        let address: SocketAddr = address.parse().expect("a socket address");
        let directory = directory.clone();
        sim.client(address.ip(), async move {
            let host = TurmoilHost::new(name, address, commands(name, call));
            let listing = directory.find(name).expect("listed");
            let actor = if name == "proxy" { "proxy" } else { "phone" };
            let entry = catalogue::find(actor).expect("in the catalogue");
            let actor = (entry.build)(&listing.settings, &directory);
            let host = Host::new(Rc::new(host));
            let Behaviour::Machine(machine) = actor.start(&host) else {
                return Ok(());
            };
            tokio::select! {
                biased;
                ended = drive(host, machine) => panic!("the socket cannot be opened: {ended:?}"),
                () = wait(until) => Ok(()),
            }
        });
    }
    sim.client("partition", async {
        wait(Duration::from_millis(500)).await;
        turmoil::partition_oneway(ip(PROXY), ip(BOB));
        Ok(())
    });
    sim.run().expect("nobody fails");
}

fn ip(address: &str) -> std::net::IpAddr {
    address
        .parse::<SocketAddr>()
        .expect("a socket address")
        .ip()
}

#[expect(clippy::disallowed_methods, reason = "on turmoil the clock is tokio's")]
async fn wait(length: Duration) {
    tokio::time::sleep(length).await;
}

fn directory() -> Directory {
    let settings = |pairs: &[(&'static str, &str)]| {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.insert(name, Value::Text((*value).to_owned()));
        }
        settings
    };
    let listing = |name: &str, address: &str, settings| {
        (
            name.to_owned(),
            Listing {
                address: address.parse().expect("a socket address"),
                settings,
            },
        )
    };
    Directory::new(BTreeMap::from([
        listing("proxy", PROXY, settings(&[("domain", "sim.test")])),
        listing(
            "alice",
            ALICE,
            settings(&[("user", "1001"), ("registrar", "proxy")]),
        ),
        listing(
            "bob",
            BOB,
            settings(&[("user", "1002"), ("registrar", "proxy")]),
        ),
    ]))
}

fn commands(name: &str, call: Option<&str>) -> VecDeque<(Duration, Command)> {
    let mut commands = VecDeque::new();
    if name != "proxy" {
        commands.push_back((
            Duration::ZERO,
            Command {
                name: "register",
                arguments: Settings::default(),
            },
        ));
    }
    if let Some(to) = call {
        let mut arguments = Settings::default();
        arguments.insert("to", Value::Text(to.to_owned()));
        commands.push_back((
            Duration::from_secs(1),
            Command {
                name: "call",
                arguments,
            },
        ));
    }
    commands
}

struct TurmoilHost {
    name: &'static str,
    address: SocketAddr,
    draws: RefCell<BTreeMap<&'static str, u64>>,
    commands: RefCell<VecDeque<(Duration, Command)>>,
    next_command: RefCell<Option<LocalFuture<()>>>,
}

impl TurmoilHost {
    fn new(
        name: &'static str,
        address: SocketAddr,
        commands: VecDeque<(Duration, Command)>,
    ) -> Self {
        Self {
            name,
            address,
            draws: RefCell::default(),
            commands: RefCell::new(commands),
            next_command: RefCell::default(),
        }
    }
}

impl Backend for TurmoilHost {
    fn name(&self) -> &str {
        self.name
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn now(&self) -> Instant {
        now()
    }

    fn bind_udp(&self, local: SocketAddr) -> LocalFuture<Result<Rc<dyn UdpBackend>, SocketError>> {
        Box::pin(async move {
            let any: SocketAddr = ([0, 0, 0, 0], local.port()).into();
            let socket = UdpSocket::bind(any).await.map_err(|_| other())?;
            let socket = Udp {
                socket: Rc::new(socket),
                local,
                receiving: RefCell::default(),
            };
            Ok(Rc::new(socket) as Rc<dyn UdpBackend>)
        })
    }

    fn spawn(&self, task: LocalFuture<()>) {
        tokio::task::spawn_local(task);
    }

    fn timer(&self, _: TimerClass) -> Box<dyn TimerBackend> {
        Box::new(Timer { set: None })
    }

    fn draw(&self, purpose: &'static str) -> u64 {
        let mut draws = self.draws.borrow_mut();
        let index = draws.entry(purpose).or_insert(0);
        *index += 1;
        Key::new(1)
            .with_text(self.name)
            .with_text(purpose)
            .with(*index)
            .bits()
    }

    fn report(&self, _: Report) {}

    fn poll_command(&self, cx: &mut Context<'_>) -> Poll<Command> {
        let mut commands = self.commands.borrow_mut();
        let Some((at, _)) = commands.front() else {
            return Poll::Pending;
        };
        let mut next = self.next_command.borrow_mut();
        let left = at.saturating_sub(turmoil::elapsed());
        let waiting = next.get_or_insert_with(|| Box::pin(wait(left)));
        if waiting.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        *next = None;
        commands
            .pop_front()
            .map_or(Poll::Pending, |(_, command)| Poll::Ready(command))
    }
}

fn now() -> Instant {
    Instant::from_micros(u64::try_from(turmoil::elapsed().as_micros()).unwrap_or(u64::MAX))
}

fn other() -> SocketError {
    SocketError {
        kind: SocketErrorKind::Other,
        errno: 0,
    }
}

type Received = std::io::Result<(Bytes, SocketAddr)>;

struct Udp {
    socket: Rc<UdpSocket>,
    local: SocketAddr,
    receiving: RefCell<Option<LocalFuture<Received>>>,
}

impl UdpBackend for Udp {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn poll_send_to(
        &self,
        _: &mut Context<'_>,
        datagram: &Bytes,
        to: SocketAddr,
    ) -> Poll<Result<(), SocketError>> {
        Poll::Ready(
            self.socket
                .try_send_to(datagram, to)
                .map(|_| ())
                .map_err(|_| other()),
        )
    }

    fn poll_receive_from(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>> {
        let mut receiving = self.receiving.borrow_mut();
        let next = receiving.get_or_insert_with(|| {
            let socket = Rc::clone(&self.socket);
            Box::pin(async move {
                let mut buffer = vec![0; 65_535];
                let (length, from) = socket.recv_from(&mut buffer).await?;
                buffer.truncate(length);
                Ok((Bytes::from(buffer), from))
            })
        });
        let received = std::task::ready!(next.as_mut().poll(cx));
        *receiving = None;
        Poll::Ready(received.map_err(|_| other()))
    }
}

struct Timer {
    set: Option<(Instant, Pin<Box<tokio::time::Sleep>>)>,
}

impl TimerBackend for Timer {
    #[expect(clippy::disallowed_methods, reason = "on turmoil the clock is tokio's")]
    fn set(&mut self, at: Option<Instant>) {
        if self.set.as_ref().map(|(set, _)| *set) != at {
            self.set = at.map(|at| (at, Box::pin(tokio::time::sleep(at.since(now())))));
        }
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, sleep)) = &mut self.set else {
            return Poll::Pending;
        };
        std::task::ready!(sleep.as_mut().poll(cx));
        self.set = None;
        Poll::Ready(())
    }
}
