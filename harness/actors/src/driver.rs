//! The one loop that runs every machine: waits, hands over, carries out.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};

use linefault_protocol::sip::Transport;

use crate::connections::Connections;
use crate::{
    Context, Host, Injected, Input, Machine, Output, SocketError, SocketErrorKind, Surroundings,
    TcpListener, Timer, TimerClass, UdpSocket,
};

/// Runs a machine on a host, for as long as the host lives.
///
/// A datagram that cannot be sent comes back as [`Input::SendFailed`] before anything else happens.
/// Of several things at one instant the order is: datagrams, connections, commands, deadlines.
///
/// # Errors
/// A socket cannot be opened on the host's address.
pub async fn drive(host: Host, mut machine: Box<dyn Machine>) -> Result<(), SocketError> {
    let socket = host.bind_udp(host.address()).await?;
    let listener = if machine.accepts_connections() {
        listen(&host).await?
    } else {
        None
    };
    let mut wires = Wires {
        connections: Connections::new(host.clone(), listener),
        foreground: host.timer(TimerClass::Foreground),
        background: host.timer(TimerClass::Background),
        outputs: VecDeque::new(),
        host,
        socket,
    };
    let mut input = Input::Start {
        local: wires.socket.local_address(),
    };
    loop {
        wires.hand_over(machine.as_mut(), input).await;
        let deadlines = machine.deadlines();
        wires.foreground.set(deadlines.foreground);
        wires.background.set(deadlines.background);
        input = poll_fn(|cx| wires.poll_input(machine.as_mut(), cx)).await;
    }
}

/// Listens where the machine's datagrams arrive; not at all on a host that has no TCP.
async fn listen(host: &Host) -> Result<Option<TcpListener>, SocketError> {
    match host.listen_tcp(host.address()).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind == SocketErrorKind::ProtocolNotSupported => Ok(None),
        Err(error) => Err(error),
    }
}

/// What stands between a machine and its host.
struct Wires {
    host: Host,
    socket: UdpSocket,
    connections: Connections,
    foreground: Timer,
    background: Timer,
    outputs: VecDeque<Output>,
}

impl Wires {
    async fn hand_over(&mut self, machine: &mut dyn Machine, input: Input) {
        self.handle(machine, input);
        while let Some(output) = self.outputs.pop_front() {
            match output {
                Output::Report(report) => self.host.report(report),
                Output::Send {
                    to,
                    transport: Transport::Udp,
                    bytes,
                    ticket,
                } => {
                    if let Err(error) = self.socket.send_to(&bytes, to).await {
                        self.handle(machine, Input::SendFailed { ticket, to, error });
                    }
                }
                Output::Send {
                    to, bytes, ticket, ..
                } => self.connections.send(to, &bytes, ticket),
                Output::Close { peer } => self.connections.close(peer),
            }
        }
        // Before anything else happens, so that what leaves has this input as its cause.
        poll_fn(|cx| {
            self.connections.flush(cx);
            Poll::Ready(())
        })
        .await;
    }

    fn handle(&mut self, machine: &mut dyn Machine, input: Input) {
        let host = &self.host;
        let mut surroundings = OfHost(host);
        let mut cx = Context::new(host.now(), &mut surroundings, &mut self.outputs);
        machine.handle(input, &mut cx);
    }

    fn poll_input(&mut self, machine: &mut dyn Machine, cx: &mut TaskContext<'_>) -> Poll<Input> {
        if let Some(news) = self.connections.take_news() {
            return Poll::Ready(news);
        }
        if let Poll::Ready(received) = self.socket.poll_receive_from(cx) {
            return Poll::Ready(match received {
                Ok((bytes, from)) => Input::Datagram {
                    from,
                    transport: Transport::Udp,
                    bytes,
                },
                Err(error) => Input::ReceiveFailed { error },
            });
        }
        if let Poll::Ready(news) = self.connections.poll(cx) {
            return Poll::Ready(news);
        }
        if let Poll::Ready(command) = self.host.poll_command(cx) {
            return Poll::Ready(Input::Command(command));
        }
        if let Poll::Ready(command) = machine.poll_beside(cx) {
            return Poll::Ready(Input::Command(command));
        }
        if self.foreground.poll_fired(cx).is_ready() || self.background.poll_fired(cx).is_ready() {
            return Poll::Ready(Input::Wake);
        }
        Poll::Pending
    }
}

struct OfHost<'a>(&'a Host);

impl Surroundings for OfHost<'_> {
    fn draw(&mut self, purpose: &'static str) -> u64 {
        self.0.draw(purpose)
    }

    fn at_point(&mut self, point: &'static str) -> Result<(), Injected> {
        self.0.at_point(point)
    }
}
