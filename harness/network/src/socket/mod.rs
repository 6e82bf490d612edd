//! A host's sockets as its kernel keeps them: who has which port, what is queued, which error is pending.

mod calls;
mod error;
mod table;
mod tcp;
mod udp;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Waker;

use bytes::Bytes;

pub(crate) use self::table::SocketTable;
use self::table::conflict;
pub(crate) use self::tcp::TcpTable;
pub use self::tcp::{
    ConnectionState, Keepalive, OwnedReadHalf, OwnedWriteHalf, TcpListener, TcpStream,
};
pub use self::udp::UdpSocket;
use crate::HostId;
use crate::event::{RecordId, SocketId};
use crate::platform::SocketErrorKind;

/// Where a socket is, and which one: a slot may be another socket's by now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) host: HostId,
    pub(crate) slot: usize,
    pub(crate) id: SocketId,
}

/// A datagram in a socket's queue.
pub(crate) struct Received {
    pub(crate) data: Bytes,
    pub(crate) from: SocketAddr,
    pub(crate) packet: u64,
    pub(crate) cause: RecordId,
}

/// An error that waits to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) kind: SocketErrorKind,
    pub(crate) cause: RecordId,
}

pub(crate) struct Udp {
    pub(crate) id: SocketId,
    pub(crate) local: SocketAddr,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) v6_only: bool,
    pub(crate) recverr: bool,
    pub(crate) errors: VecDeque<Pending>,
    pub(crate) queue: VecDeque<Received>,
    pub(crate) charged: usize,
    pub(crate) readers: Vec<Waker>,
}

impl Udp {
    fn score(&self, local: IpAddr, remote: SocketAddr) -> Option<u8> {
        let connected = match self.peer {
            Some(peer) if peer == remote => 4,
            Some(_) => return None,
            None => 0,
        };
        let address = address_score(self.local.ip(), self.v6_only, local)?;
        Some(connected + address)
    }

    /// Takes the oldest datagram.
    pub(crate) fn take(&mut self) -> Option<Received> {
        let received = self.queue.pop_front()?;
        self.charged -= charge(received.data.len());
        Some(received)
    }
}

/// How well an address that a socket is bound to fits the one that a packet is for: a specific one, a wildcard of the
/// same family, a wildcard of IPv6 for IPv4; `None` if not at all.
fn address_score(bound: IpAddr, v6_only: bool, local: IpAddr) -> Option<u8> {
    match bound.to_canonical() {
        bound if bound == local => Some(3),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) if local.is_ipv4() => Some(2),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) if local.is_ipv6() => Some(2),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) if !v6_only => Some(1),
        _ => None,
    }
}

/// What Linux charges a datagram to its buffer (`skb->truesize`): its data with 64 bytes of headroom and 320 of
/// `skb_shared_info`, rounded up by the allocator, and 256 bytes of `sk_buff`.
const fn charge(length: usize) -> usize {
    (length + 384).next_power_of_two() + 256
}

#[cfg(test)]
mod tests {
    use super::*;

    // 768 bytes is what Linux charges a small datagram, 2,304 a full Ethernet frame.
    #[test]
    fn charge_is_linuxs_truesize() {
        assert_eq!((charge(100), charge(1472)), (768, 2304));
    }
}
