//! The system calls of UDP sockets: bind, connect, send, receive.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::{Pending, Place, Received, Udp};
use crate::HostId;
use crate::event::{Event, SocketCall, SocketId};
use crate::fault::Phase;
use crate::packet::{Packet, Payload, Transport};
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::state::State;
use crate::topology::Route;

use SocketErrorKind as Kind;

impl Udp {
    /// The address as the packet carries it.
    fn wire(&self, address: SocketAddr) -> Result<SocketAddr, Kind> {
        let ip = match address.ip() {
            // Linux sends to the unspecified address as to the loopback.
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            other => other.to_canonical(),
        };
        let takes_v4 = self.local.ip().is_unspecified() || self.local.ip().to_canonical().is_ipv4();
        match (self.local.ip(), ip) {
            (IpAddr::V4(_), _) if address.is_ipv6() => Err(Kind::FamilyNotSupported),
            (IpAddr::V6(_), IpAddr::V4(_)) if self.v6_only || !takes_v4 => {
                Err(Kind::NetUnreachable)
            }
            _ => Ok(SocketAddr::new(ip, address.port())),
        }
    }

    /// The address as the program sees it: an IPv6 socket sees IPv4 peers as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
    pub(super) fn shown(&self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(v4) if self.local.is_ipv6() => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), address.port())
            }
            _ => address,
        }
    }

    fn take_pending(&mut self) -> Option<Pending> {
        self.errors.pop_front()
    }
}

impl State {
    pub(crate) fn bind_udp(
        &mut self,
        host: HostId,
        address: SocketAddr,
    ) -> Result<Place, SocketError> {
        let id = SocketId(self.last_socket + 1);
        let ip = address.ip();
        let own = ip.is_unspecified() || ip.is_loopback() || self.topology.holder(ip) == Some(host);
        let bound = match own {
            true => self.machine_mut(host).sockets.bind(id, address),
            false => Err(Kind::AddressNotAvailable),
        };
        let failed = |kind| self.call_failed(host, None, SocketCall::Bind, Some(address), kind);
        let (slot, local) = bound.map_err(failed)?;
        self.last_socket += 1;
        self.record(Some(host), Event::SocketOpened { socket: id, local });
        Ok(Place { host, slot, id })
    }

    fn socket(&mut self, place: Place) -> Result<&mut Udp, Kind> {
        let sockets = &mut self.machine_mut(place.host).sockets;
        sockets.get(place.slot, place.id).ok_or(Kind::BadDescriptor)
    }

    pub(super) fn connect(&mut self, place: Place, address: SocketAddr) -> Result<(), SocketError> {
        let connected = self.try_connect(place, address);
        connected.map_err(|kind| {
            self.call_failed(
                place.host,
                Some(place.id),
                SocketCall::Connect,
                Some(address),
                kind,
            )
        })
    }

    fn try_connect(&mut self, place: Place, address: SocketAddr) -> Result<(), Kind> {
        let (packet, route) = self.candidate(place, Bytes::new(), address)?;
        if let Some(kind) = self.refusal(Phase::Route, route, &packet) {
            return Err(kind);
        }
        let socket = self.socket(place)?;
        socket.peer = Some(packet.to);
        if socket.local.ip().is_unspecified() {
            socket.local = socket.shown(packet.from);
        }
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        place: Place,
        data: Bytes,
        address: Option<SocketAddr>,
    ) -> Result<usize, Kind> {
        let platform = self.machine(place.host).platform;
        let socket = self.socket(place)?;
        let to = match (address, socket.peer) {
            (Some(_), Some(_)) if platform == Platform::Macos => {
                return Err(Kind::AlreadyConnected);
            }
            (Some(address), _) => address,
            (None, peer) => peer
                .map(|peer| socket.shown(peer))
                .ok_or(Kind::DestinationRequired)?,
        };
        let length = data.len();
        let (packet, route) = self.candidate(place, data, to)?;
        // RFC 768 and RFC 791 §3.1: 65,535 bytes less 28 of headers; IPv6 does not count its own header (RFC 8200 §3).
        if length > if packet.to.is_ipv4() { 65_507 } else { 65_527 } {
            return Err(Kind::MessageTooLong);
        }
        if to.port() == 0 {
            return Err(Kind::InvalidArgument);
        }
        self.check_send(place, route, &packet)?;
        self.transmit(place.host, route, packet);
        Ok(length)
    }

    /// What stands between a valid send and the wire, in Linux's order: the route lookup, the pending error, the
    /// firewall.
    fn check_send(&mut self, place: Place, route: Route, packet: &Packet) -> Result<(), Kind> {
        if let Some(kind) = self.refusal(Phase::Route, route, packet) {
            return Err(kind);
        }
        if route == Route::Broadcast {
            return Err(Kind::PermissionDenied);
        }
        let platform = self.machine(place.host).platform;
        let socket = self.socket(place)?;
        if platform != Platform::Windows
            && let Some(pending) = socket.take_pending()
        {
            self.cause = Some(pending.cause);
            return Err(pending.kind);
        }
        // macOS remembers for a while that ARP gave up, and refuses at once (EHOSTUNREACH, 65).
        let silent_since = self.silent_since(place.host, route, packet.to.ip());
        if platform == Platform::Macos
            && route != Route::Loopback
            && silent_since.is_some_and(|since| self.now - since >= self.neighbour_timeout)
        {
            return Err(Kind::HostUnreachable);
        }
        self.refusal(Phase::Output, route, packet)
            .map_or(Ok(()), Err)
    }

    /// The packet that a send would put on the wire, and which way.
    fn candidate(
        &mut self,
        place: Place,
        data: Bytes,
        address: SocketAddr,
    ) -> Result<(Packet, Route), Kind> {
        let host = place.host;
        let socket = self.socket(place)?;
        let (to, local) = (socket.wire(address)?, socket.local);
        let route = self.topology.route(host, to.ip());
        let source = match local.ip() {
            bound if bound.is_unspecified() => self
                .topology
                .source(host, to.ip())
                .ok_or(Kind::NetUnreachable)?,
            bound => bound.to_canonical(),
        };
        // A loopback source cannot leave the host (`ip_route_output_key_hash`).
        if source.is_loopback() && route != Route::Loopback {
            return Err(Kind::InvalidArgument);
        }
        let packet = Packet {
            id: self.last_packet + 1,
            from: SocketAddr::new(source, local.port()),
            to,
            sender: Some(host),
            receiver: if route == Route::Loopback {
                Some(host)
            } else {
                self.addressee(route, Transport::Udp, to)
            },
            payload: Payload::Udp(data),
            dont_fragment: false,
        };
        let dont_fragment = self.fits_path(host, to, packet.length());
        Ok((
            Packet {
                dont_fragment,
                ..packet
            },
            route,
        ))
    }

    pub(super) fn receive(
        &mut self,
        place: Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>> {
        let Ok(socket) = self.socket(place) else {
            return Poll::Pending;
        };
        if let Some(pending) = socket.take_pending() {
            self.cause = Some(pending.cause);
            return Poll::Ready(Err(self.call_failed(
                place.host,
                Some(place.id),
                SocketCall::Receive,
                None,
                pending.kind,
            )));
        }
        if let Some(Received {
            data,
            from,
            packet,
            cause,
        }) = socket.take()
        {
            let from = socket.shown(from);
            self.cause = Some(cause);
            self.record(
                Some(place.host),
                Event::Received {
                    packet,
                    socket: place.id,
                },
            );
            return Poll::Ready(Ok((data, from)));
        }
        if !socket
            .readers
            .iter()
            .any(|reader| reader.will_wake(cx.waker()))
        {
            socket.readers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
