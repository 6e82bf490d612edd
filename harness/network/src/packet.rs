//! What travels: packets, and what ICMP says about them.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::HostId;

/// One packet on the wire or on a host's loopback.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Packet {
    /// Counts packets from 1 as they are sent; a duplicate gets its own.
    pub id: u64,
    /// Source; port 0 for ICMP.
    pub from: SocketAddr,
    /// Destination; port 0 for ICMP.
    pub to: SocketAddr,
    /// Who sent it; `None` for a router.
    pub sender: Option<HostId>,
    /// Who holds the destination address, or is behind the NAT that does; `None` if nobody.
    pub receiver: Option<HostId>,
    /// What it carries.
    pub payload: Payload,
    /// Whether a router must answer instead of fragmenting it (IPv4's DF; always so in IPv6 up to the path MTU).
    pub dont_fragment: bool,
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// A datagram.
    Udp(Bytes),
    /// An error about a packet sent earlier.
    Icmp(Icmp),
}

/// An ICMP error and the packet it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// What it says.
    pub kind: IcmpKind,
    /// Source of the quoted packet: the socket that hears of it.
    pub quoted_from: SocketAddr,
    /// Destination of the quoted packet.
    pub quoted_to: SocketAddr,
}

/// ICMP errors, by IPv4 type and code (RFC 792, RFC 1812 §5.2.7.1); in IPv6 the message that stands for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IcmpKind {
    /// 3/0.
    NetUnreachable,
    /// 3/1.
    HostUnreachable,
    /// 3/2.
    ProtocolUnreachable,
    /// 3/3.
    PortUnreachable,
    /// 3/4, ICMPv6 type 2.
    FragmentationNeeded {
        /// The next hop's MTU in bytes.
        mtu: u16,
    },
    /// 3/9.
    NetProhibited,
    /// 3/10.
    HostProhibited,
    /// 3/13.
    CommunicationProhibited,
    /// 11/0.
    TtlExceeded,
}

impl Packet {
    /// Bytes on the wire with IP and transport headers, which is what an MTU limits.
    #[must_use]
    pub fn length(&self) -> usize {
        let network = if self.to.is_ipv4() { 20 } else { 40 };
        match &self.payload {
            Payload::Udp(data) => network + 8 + data.len(),
            // RFC 792, RFC 4443 §3.1: eight bytes of ICMP, then the quoted IP header and eight bytes.
            Payload::Icmp(_) => network + 8 + network + 8,
        }
    }

    /// The datagram's bytes; `None` for ICMP.
    #[must_use]
    pub fn datagram(&self) -> Option<&Bytes> {
        match &self.payload {
            Payload::Udp(data) => Some(data),
            Payload::Icmp(_) => None,
        }
    }
}
