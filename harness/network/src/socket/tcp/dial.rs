//! Connecting: what fails at once, and what comes of a SYN.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Poll, Waker};

use super::ConnectionState as Is;
use super::calls::register;
use super::connection::{Ends, Owner};
use crate::event::{Event, SocketCall};
use crate::fault::Phase;
use crate::packet::{Packet, Payload, Transport};
use crate::platform::{Platform, SocketError, SocketErrorKind as Kind};
use crate::segment::{Flags, Segment};
use crate::socket::Place;
use crate::state::State;
use crate::topology::Route;
use crate::{HostId, SocketId};

impl State {
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
        let id = SocketId(self.last_socket);
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
}
