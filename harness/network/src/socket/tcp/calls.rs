//! The system calls of TCP sockets: listen, connect, accept, read, write, shut down, close.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll, Waker};

use super::connection::{Connection, Ends, Owner};
use super::table::Listener;
use super::{ConnectionState, Failure};
use crate::HostId;
use crate::event::{Event, RecordId, SocketCall};
use crate::fault::Phase;
use crate::packet::{Packet, Payload, Transport};
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::segment::{Flags, Segment};
use crate::socket::Place;
use crate::state::State;
use crate::topology::Route;

use ConnectionState as Is;
use SocketErrorKind as Kind;

/// What Windows calls a pipe that the peer broke (`WSAECONNABORTED`); one that its own program shut is 10058.
const WSAECONNABORTED: i32 = 10053;

impl State {
    pub(crate) fn listen_tcp(
        &mut self,
        host: HostId,
        address: SocketAddr,
        backlog: u32,
        reuse: bool,
    ) -> Result<Place, SocketError> {
        let id = crate::SocketId(self.last_socket + 1);
        let ip = address.ip();
        let own = ip.is_unspecified() || ip.is_loopback() || self.topology.holder(ip) == Some(host);
        let backlog = usize::try_from(backlog).unwrap_or(usize::MAX);
        let bound = match own {
            true => self
                .machine_mut(host)
                .tcp
                .listen(id, address, backlog, reuse),
            false => Err(Kind::AddressNotAvailable),
        };
        let failed = |kind| self.call_failed(host, None, SocketCall::Bind, Some(address), kind);
        let (slot, local) = bound.map_err(failed)?;
        self.last_socket += 1;
        self.record(Some(host), Event::SocketOpened { socket: id, local });
        Ok(Place { host, slot, id })
    }

    pub(super) fn listener(&mut self, place: Place) -> Option<&mut Listener> {
        let found = self
            .machine_mut(place.host)
            .tcp
            .listeners
            .get_mut(place.slot);
        found.filter(|listener| listener.id == place.id)
    }

    pub(super) fn accept(
        &mut self,
        place: Place,
        waker: &Waker,
    ) -> Poll<Result<Place, SocketError>> {
        let Some(listener) = self.listener(place) else {
            return Poll::Pending;
        };
        if listener.shut_down {
            let failed = self.call_failed(
                place.host,
                Some(place.id),
                SocketCall::Accept,
                None,
                Kind::InvalidArgument,
            );
            return Poll::Ready(Err(failed));
        }
        let Some(slot) = listener.queue.pop_front() else {
            register(&mut listener.acceptors, waker);
            return Poll::Pending;
        };
        let host = place.host;
        let found = self.machine_mut(host).tcp.connections.get_mut(slot);
        let Some(connection) = found else {
            return Poll::Pending;
        };
        connection.owner = Owner::Program;
        let (id, local, cause) = (connection.id, connection.ends.local, connection.cause);
        self.cause = cause;
        self.record(Some(host), Event::SocketOpened { socket: id, local });
        Poll::Ready(Ok(Place { host, slot, id }))
    }

    /// Stops listening: whoever waits to accept is told `EINVAL`.
    pub(super) fn shut_listener(&mut self, place: Place) {
        let Some(listener) = self.listener(place) else {
            return;
        };
        listener.shut_down = true;
        let acceptors = std::mem::take(&mut listener.acceptors);
        listener.queue.clear();
        self.wakes.extend(acceptors);
        self.end_unaccepted(place.host, place.slot);
    }

    /// Sends a SYN; what comes of it, [`Self::connected`] tells.
    pub(crate) fn connect_tcp(
        &mut self,
        host: HostId,
        address: SocketAddr,
    ) -> Result<Place, SocketError> {
        let begun = self.try_connect_tcp(host, address);
        begun.map_err(|kind| self.call_failed(host, None, SocketCall::Connect, Some(address), kind))
    }

    fn try_connect_tcp(&mut self, host: HostId, address: SocketAddr) -> Result<Place, Kind> {
        let ip = match address.ip() {
            // Linux connects to the unspecified address as to the loopback.
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            other => other.to_canonical(),
        };
        let remote = SocketAddr::new(ip, address.port());
        let source = self.topology.source(host, ip).ok_or(Kind::NetUnreachable)?;
        self.check_connect(host, SocketAddr::new(source, 0), remote)?;
        let port = self.machine_mut(host).tcp.port_towards(source, remote)?;
        let local = SocketAddr::new(source, port);
        let mapped = address.is_ipv6() && ip.is_ipv4();
        let slot = self.add_connection(
            host,
            Ends {
                local,
                remote,
                mapped,
            },
            Is::SynSent,
            Owner::Program,
        );
        let id = crate::SocketId(self.last_socket);
        self.record(Some(host), Event::SocketOpened { socket: id, local });
        let cause = self.cause;
        self.with_connection(host, slot, |connection, now, out| {
            connection.cause = cause;
            connection.open(now, out);
        });
        Ok(Place { host, slot, id })
    }

    /// What fails a connect at once: only what is local. A firewall does not, it is like a silent drop.
    fn check_connect(
        &mut self,
        host: HostId,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Result<(), Kind> {
        let route = self.topology.route(host, to.ip());
        let syn = Segment {
            sequence: 0,
            acknowledgement: 0,
            flags: Flags::SYN,
            window: u16::MAX,
            mss: None,
            data: bytes::Bytes::new(),
            intact: true,
        };
        let packet = Packet {
            id: self.last_packet + 1,
            from,
            to,
            sender: Some(host),
            receiver: self.addressee(route, Transport::Tcp, to),
            payload: Payload::Tcp(syn),
            dont_fragment: true,
        };
        if let Some(kind) = self.refusal(Phase::Route, route, &packet) {
            return Err(kind);
        }
        // `tcp_v4_connect`.
        if matches!(route, Route::Multicast | Route::Broadcast) {
            return Err(Kind::NetUnreachable);
        }
        // As for UDP: macOS remembers for a while that ARP gave up.
        let silent_since = self.silent_since(host, route, to.ip());
        let macos = self.machine(host).platform == Platform::Macos && route != Route::Loopback;
        match silent_since {
            Some(since) if macos && self.now - since >= self.neighbour_timeout => {
                Err(Kind::HostUnreachable)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn connection(&mut self, place: Place) -> Option<&mut Connection> {
        let found = self.machines[place.host.index()]
            .tcp
            .connections
            .get_mut(place.slot);
        found
            .map(Box::as_mut)
            .filter(|connection| connection.id == place.id)
    }

    /// What a connect came to.
    pub(super) fn connected(
        &mut self,
        place: Place,
        waker: &Waker,
    ) -> Poll<Result<(), SocketError>> {
        let Some(connection) = self.connection(place) else {
            return Poll::Pending;
        };
        if connection.state == Is::SynSent {
            register(&mut connection.writers, waker);
            return Poll::Pending;
        }
        let (failure, cause) = (connection.error.take(), connection.cause);
        let remote = connection.shown(connection.ends.remote);
        self.cause = cause;
        Poll::Ready(match failure {
            None => Ok(()),
            Some(failure) => {
                Err(self.tcp_failed(place, SocketCall::Connect, Some(remote), failure))
            }
        })
    }

    pub(super) fn read(
        &mut self,
        place: Place,
        buffer: &mut [u8],
        peek: bool,
        cx: &Context<'_>,
    ) -> Poll<Result<usize, SocketError>> {
        let stalled = self.machine(place.host).tcp.stalled > 0;
        let Some(connection) = self.connection(place) else {
            return Poll::Pending;
        };
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let read = if stalled {
            None
        } else {
            connection.read(buffer, peek)
        };
        match read {
            None => {
                register(&mut connection.readers, cx.waker());
                Poll::Pending
            }
            Some(Err(failure)) => Poll::Ready(Err(self.tcp_failed(
                place,
                SocketCall::Receive,
                None,
                failure,
            ))),
            Some(Ok((length, cause))) => {
                self.react(place, cause);
                if !peek && length > 0 {
                    self.with_connection(place.host, place.slot, |connection, _, out| {
                        connection.after_read(out);
                    });
                }
                Poll::Ready(Ok(length))
            }
        }
    }

    fn react(&mut self, place: Place, cause: Option<RecordId>) {
        self.cause = cause;
        if let Some(connection) = self.connection(place) {
            connection.cause = cause;
        }
    }

    pub(super) fn write(
        &mut self,
        place: Place,
        data: &[u8],
        cx: &Context<'_>,
    ) -> Poll<Result<usize, SocketError>> {
        let cause = self.cause;
        if self.connection(place).is_none() {
            return Poll::Ready(Err(SocketError::new(
                Kind::BadDescriptor,
                self.machine(place.host).platform,
            )));
        }
        let written = self.with_connection(place.host, place.slot, |connection, now, out| {
            connection.cause = cause;
            let written = connection.write(data, now, out);
            if written.is_none() {
                register(&mut connection.writers, cx.waker());
            }
            (written, connection.state)
        });
        match written {
            Some((Some(Ok(length)), _)) => Poll::Ready(Ok(length)),
            Some((Some(Err(Some(failure))), _)) => {
                Poll::Ready(Err(self.tcp_failed(place, SocketCall::Send, None, failure)))
            }
            Some((Some(Err(None)), state)) => Poll::Ready(Err(self.broken_pipe(place, state))),
            _ => Poll::Pending,
        }
    }

    fn broken_pipe(&mut self, place: Place, state: ConnectionState) -> SocketError {
        let failure = Failure {
            kind: Kind::BrokenPipe,
            cause: self.cause,
        };
        match (self.machine(place.host).platform, state) {
            (Platform::Windows, Is::Closed) => {
                let error = SocketError {
                    kind: Kind::BrokenPipe,
                    errno: WSAECONNABORTED,
                };
                let (socket, call) = (Some(place.id), SocketCall::Send);
                self.record(
                    Some(place.host),
                    Event::CallFailed {
                        socket,
                        call,
                        address: None,
                        error,
                    },
                );
                error
            }
            _ => self.tcp_failed(place, SocketCall::Send, None, failure),
        }
    }

    /// Sends FIN after everything that is queued.
    pub(super) fn shut_down(&mut self, place: Place) -> Result<(), SocketError> {
        let connected = self
            .connection(place)
            .map(|connection| connection.state != Is::Closed);
        match connected {
            Some(true) => {
                self.with_connection(place.host, place.slot, |connection, now, out| {
                    connection.shut_down(now, out);
                });
                Ok(())
            }
            Some(false) => {
                let (socket, call) = (Some(place.id), SocketCall::Shutdown);
                Err(self.call_failed(place.host, socket, call, None, Kind::NotConnected))
            }
            None => Err(SocketError::new(
                Kind::BadDescriptor,
                self.machine(place.host).platform,
            )),
        }
    }

    /// Records a failure, and makes it the cause of what follows.
    fn tcp_failed(
        &mut self,
        place: Place,
        call: SocketCall,
        address: Option<SocketAddr>,
        failure: Failure,
    ) -> SocketError {
        self.cause = failure.cause;
        self.call_failed(place.host, Some(place.id), call, address, failure.kind)
    }
}

/// Adds a waker, once.
pub(super) fn register(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|known| known.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}
