//! What travels: packets, and what ICMP says about them.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::HostId;
use crate::segment::Segment;

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
    /// A segment.
    Tcp(Segment),
    /// An error about a packet sent earlier.
    Icmp(Icmp),
}

/// An ICMP error and the packet it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// What it says.
    pub kind: IcmpKind,
    /// What the quoted packet carried.
    pub quoted: Transport,
    /// Source of the quoted packet: the socket that hears of it.
    pub quoted_from: SocketAddr,
    /// Destination of the quoted packet.
    pub quoted_to: SocketAddr,
}

/// What carries a program's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the protocols'")]
pub enum Transport {
    Udp,
    Tcp,
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
            Payload::Tcp(segment) => network + segment.length(),
            // RFC 792, RFC 4443 §3.1: eight bytes of ICMP, then the quoted IP header and eight bytes.
            Payload::Icmp(_) => network + 8 + network + 8,
        }
    }

    /// What carries its data; of an ICMP error, what carried that of the packet it is about.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match &self.payload {
            Payload::Udp(_) => Transport::Udp,
            Payload::Tcp(_) => Transport::Tcp,
            Payload::Icmp(icmp) => icmp.quoted,
        }
    }

    /// The datagram's bytes; `None` for TCP and ICMP.
    #[must_use]
    pub const fn datagram(&self) -> Option<&Bytes> {
        match &self.payload {
            Payload::Udp(data) => Some(data),
            Payload::Tcp(_) | Payload::Icmp(_) => None,
        }
    }

    /// The TCP segment; `None` for UDP and ICMP.
    #[must_use]
    pub const fn segment(&self) -> Option<&Segment> {
        match &self.payload {
            Payload::Tcp(segment) => Some(segment),
            Payload::Udp(_) | Payload::Icmp(_) => None,
        }
    }

    /// The bytes that a program sent in it; `None` for ICMP.
    #[must_use]
    pub const fn data(&self) -> Option<&Bytes> {
        match &self.payload {
            Payload::Udp(data) | Payload::Tcp(Segment { data, .. }) => Some(data),
            Payload::Icmp(_) => None,
        }
    }
}

impl Payload {
    /// Puts other data in its place. A datagram's checksum is made to fit, as if it were off; a segment's does not fit.
    pub(crate) fn replace(&mut self, bytes: Bytes) {
        match self {
            Self::Udp(data) => *data = bytes,
            Self::Tcp(segment) => (segment.data, segment.intact) = (bytes, false),
            Self::Icmp(_) => {}
        }
    }
}
