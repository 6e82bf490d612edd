//! A packet as bytes from its IP header on, checksums included.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use etherparse::err::packet::BuildWriteError;
use etherparse::icmpv4::{DestUnreachableHeader, TimeExceededCode};
use etherparse::icmpv6::{self, DestUnreachableCode, ParameterProblemCode, ParameterProblemHeader};
use etherparse::{
    Icmpv4Type, Icmpv6Type, IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder,
    PacketBuilderStep, TcpHeader, TcpOptionElement,
};
use linefault_network::{Flags, Icmp, IcmpKind, Packet, Payload, Segment, Transport};

use super::CaptureError;

/// What Linux puts into packets that it sends.
const TIME_TO_LIVE: u8 = 64;

/// Where a TCP header has its checksum (RFC 9293 §3.1).
const TCP_CHECKSUM: usize = 16;

/// How much of a packet's payload an ICMP error quotes (RFC 792); the network counts its length so.
const QUOTED: usize = 8;

/// The packet from its IP header on; `about` is what an ICMP error is about.
pub(super) fn bytes(packet: &Packet, about: Option<&Packet>) -> Result<Vec<u8>, CaptureError> {
    let ip = PacketBuilder::ip(ip_header(packet));
    let mut out = Vec::with_capacity(packet.length());
    let written = match &packet.payload {
        Payload::Udp(data) => ip
            .udp(packet.from.port(), packet.to.port())
            .write(&mut out, data),
        Payload::Tcp(segment) => ip
            .tcp_header(tcp_header(packet, segment))
            .write(&mut out, &segment.data),
        Payload::Icmp(icmp) => {
            let quoted = quoted(icmp, about)?;
            return error(packet, icmp.kind, ip, &quoted);
        }
    };
    written.map_err(|error| blame(packet, error))?;
    if let Payload::Tcp(Segment { intact: false, .. }) = &packet.payload {
        let checksum = ip_length(packet) + TCP_CHECKSUM;
        out.iter_mut()
            .skip(checksum)
            .take(2)
            .for_each(|byte| *byte = !*byte);
    }
    Ok(out)
}

fn ip_length(packet: &Packet) -> usize {
    if is_v4(packet) {
        Ipv4Header::MIN_LEN
    } else {
        Ipv6Header::LEN
    }
}

fn is_v4(packet: &Packet) -> bool {
    packet.from.is_ipv4() && packet.to.is_ipv4()
}

/// Without lengths, protocol and checksum, which the builder fills in.
fn ip_header(packet: &Packet) -> IpHeaders {
    match (packet.from.ip(), packet.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => IpHeaders::Ipv4(
            Ipv4Header {
                // Packets are numbered from 1; the field has 16 bits and wraps.
                identification: (packet.id & 0xffff) as u16,
                dont_fragment: packet.dont_fragment,
                time_to_live: TIME_TO_LIVE,
                protocol: IpNumber::UDP,
                source: from.octets(),
                destination: to.octets(),
                ..Ipv4Header::default()
            },
            Default::default(),
        ),
        (from, to) => IpHeaders::Ipv6(
            Ipv6Header {
                hop_limit: TIME_TO_LIVE,
                source: v6(from).octets(),
                destination: v6(to).octets(),
                ..Ipv6Header::default()
            },
            Default::default(),
        ),
    }
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn tcp_header(packet: &Packet, segment: &Segment) -> TcpHeader {
    let mut header = TcpHeader::new(
        packet.from.port(),
        packet.to.port(),
        segment.sequence,
        segment.window,
    );
    header.acknowledgment_number = segment.acknowledgement;
    header.syn = segment.has(Flags::SYN);
    header.ack = segment.has(Flags::ACK);
    header.fin = segment.has(Flags::FIN);
    header.rst = segment.has(Flags::RST);
    header.psh = segment.has(Flags::PSH);
    if let Some(mss) = segment.mss {
        // One option of four bytes always fits into the forty that there are.
        let _ = header.set_options(&[TcpOptionElement::MaximumSegmentSize(mss)]);
    }
    header
}

/// The IP header of what an error is about and the first eight bytes behind it, under the addresses that the error names:
/// a NAT may have rewritten them.
fn quoted(icmp: &Icmp, about: Option<&Packet>) -> Result<Vec<u8>, CaptureError> {
    let known = match about {
        Some(about) => about.clone(),
        None => unknown(icmp.quoted, icmp.quoted_from, icmp.quoted_to),
    };
    let packet = Packet {
        from: icmp.quoted_from,
        to: icmp.quoted_to,
        ..known
    };
    let mut quoted = bytes(&packet, None)?;
    quoted.truncate(ip_length(&packet) + QUOTED);
    Ok(quoted)
}

/// Stands for a packet of which only the addresses are known.
fn unknown(transport: Transport, from: SocketAddr, to: SocketAddr) -> Packet {
    let payload = match transport {
        Transport::Udp => Payload::Udp(Default::default()),
        Transport::Tcp => Payload::Tcp(Segment {
            sequence: 0,
            acknowledgement: 0,
            flags: Flags::NONE,
            window: 0,
            mss: None,
            data: Default::default(),
            intact: true,
        }),
    };
    Packet {
        id: 0,
        from,
        to,
        sender: None,
        receiver: None,
        payload,
        dont_fragment: false,
    }
}

fn error(
    packet: &Packet,
    kind: IcmpKind,
    ip: PacketBuilderStep<IpHeaders>,
    quoted: &[u8],
) -> Result<Vec<u8>, CaptureError> {
    let mut out = Vec::with_capacity(packet.length());
    let written = if is_v4(packet) {
        ip.icmpv4(version_4(kind)).write(&mut out, quoted)
    } else {
        ip.icmpv6(version_6(kind)).write(&mut out, quoted)
    };
    written.map_err(|error| blame(packet, error))?;
    Ok(out)
}

fn version_4(kind: IcmpKind) -> Icmpv4Type {
    use DestUnreachableHeader as Unreachable;
    let what = match kind {
        IcmpKind::NetUnreachable => Unreachable::Network,
        IcmpKind::HostUnreachable => Unreachable::Host,
        IcmpKind::ProtocolUnreachable => Unreachable::Protocol,
        IcmpKind::PortUnreachable => Unreachable::Port,
        IcmpKind::FragmentationNeeded { mtu } => {
            Unreachable::FragmentationNeeded { next_hop_mtu: mtu }
        }
        IcmpKind::NetProhibited => Unreachable::NetworkProhibited,
        IcmpKind::HostProhibited => Unreachable::HostProhibited,
        IcmpKind::CommunicationProhibited => Unreachable::FilterProhibited,
        IcmpKind::TtlExceeded => {
            return Icmpv4Type::TimeExceeded(TimeExceededCode::TtlExceededInTransit);
        }
    };
    Icmpv4Type::DestinationUnreachable(what)
}

/// The message of RFC 4443 §3 that says the same.
fn version_6(kind: IcmpKind) -> Icmpv6Type {
    let code = match kind {
        IcmpKind::NetUnreachable => DestUnreachableCode::NoRoute,
        IcmpKind::HostUnreachable => DestUnreachableCode::Address,
        IcmpKind::PortUnreachable => DestUnreachableCode::Port,
        IcmpKind::NetProhibited | IcmpKind::HostProhibited | IcmpKind::CommunicationProhibited => {
            DestUnreachableCode::Prohibited
        }
        IcmpKind::FragmentationNeeded { mtu } => {
            return Icmpv6Type::PacketTooBig { mtu: mtu.into() };
        }
        IcmpKind::TtlExceeded => {
            return Icmpv6Type::TimeExceeded(icmpv6::TimeExceededCode::HopLimitExceeded);
        }
        // The next header field is the seventh byte of the header that it points into.
        IcmpKind::ProtocolUnreachable => {
            return Icmpv6Type::ParameterProblem(ParameterProblemHeader {
                code: ParameterProblemCode::UnrecognizedNextHeader,
                pointer: 6,
            });
        }
    };
    Icmpv6Type::DestinationUnreachable(code)
}

fn blame(packet: &Packet, error: BuildWriteError) -> CaptureError {
    match error {
        BuildWriteError::Io(error) => CaptureError::Unwritable(error),
        _ => CaptureError::TooLong {
            packet: packet.id,
            length: packet.length(),
        },
    }
}

#[cfg(test)]
mod tests;
