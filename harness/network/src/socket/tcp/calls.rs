//! The system calls of TCP sockets: listen, accept, read, write, shut down.

use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use super::connection::{Connection, Owner};
use super::table::Listener;
use super::{ConnectionState, Failure};
use crate::HostId;
use crate::event::{Event, SocketCall};
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::socket::Place;
use crate::state::State;

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

    pub(super) fn connection(&mut self, place: Place) -> Option<&mut Connection> {
        let found = self.machines[place.host.index()]
            .tcp
            .connections
            .get_mut(place.slot);
        found
            .map(Box::as_mut)
            .filter(|connection| connection.id == place.id)
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
                connection.cause = cause;
                let opened = connection.has_opened_window();
                let ends = connection.ends;
                self.cause = cause;
                if !peek {
                    let event = Event::Read {
                        socket: place.id,
                        local: ends.local,
                        remote: ends.remote,
                        length,
                    };
                    self.record(Some(place.host), event);
                }
                if opened {
                    self.with_connection(place.host, place.slot, |connection, _, out| {
                        connection.acknowledge(out);
                    });
                }
                Poll::Ready(Ok(length))
            }
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
    pub(super) fn tcp_failed(
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
