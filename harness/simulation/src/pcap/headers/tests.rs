//! Read back with etherparse's slices, which check lengths, and with checksums added up by hand.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use proptest::prelude::*;

use super::*;

/// RFC 1071: the sum over everything that a right checksum covers, itself included, is all ones.
fn adds_up(parts: &[&[u8]]) -> bool {
    let words = parts.iter().flat_map(|part| {
        part.chunks(2)
            .map(|two| u32::from(two[0]) << 8 | u32::from(*two.get(1).unwrap_or(&0)))
    });
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (folded & 0xffff) + (folded >> 16) == 0xffff
}

/// RFC 9293 §3.1, RFC 8200 §8.1: addresses, length and protocol, which a transport's checksum covers too.
fn pseudo_header(bytes: &[u8], protocol: u8) -> Vec<u8> {
    let (addresses, header) = if bytes[0] >> 4 == 4 {
        (&bytes[12..20], 20)
    } else {
        (&bytes[8..40], 40)
    };
    let length = u32::try_from(bytes.len() - header).expect("packets are short");
    [
        addresses,
        &length.to_be_bytes(),
        &u32::from(protocol).to_be_bytes(),
    ]
    .concat()
}

fn addresses() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let v4 = any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    let v6 = any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    (prop_oneof![v4, v6], any::<(u16, u16)>()).prop_map(|((from, to), (here, there))| {
        (SocketAddr::new(from, here), SocketAddr::new(to, there))
    })
}

fn segment() -> impl Strategy<Value = Segment> {
    let flags = prop::sample::select(vec![
        Flags::SYN,
        Flags::SYN | Flags::ACK,
        Flags::ACK,
        Flags::ACK | Flags::PSH,
        Flags::FIN | Flags::ACK,
        Flags::RST,
    ]);
    let data = prop::collection::vec(any::<u8>(), 0..1460);
    let numbers = any::<(u32, u32, u16, Option<u16>)>();
    (flags, data, numbers).prop_map(|(flags, data, (sequence, acknowledgement, window, mss))| {
        Segment {
            sequence,
            acknowledgement,
            flags,
            window,
            mss,
            data: data.into(),
            intact: true,
        }
    })
}

fn packet((from, to): (SocketAddr, SocketAddr), payload: Payload) -> Packet {
    Packet {
        id: 70_000,
        dont_fragment: true,
        payload,
        ..unknown(Transport::Udp, from, to)
    }
}

fn udp() -> impl Strategy<Value = Packet> {
    let data = prop::collection::vec(any::<u8>(), 0..2000);
    (addresses(), data).prop_map(|(ends, data)| packet(ends, Payload::Udp(data.into())))
}

fn tcp() -> impl Strategy<Value = Packet> {
    (addresses(), segment()).prop_map(|(ends, segment)| packet(ends, Payload::Tcp(segment)))
}

const KINDS: [IcmpKind; 9] = [
    IcmpKind::NetUnreachable,
    IcmpKind::HostUnreachable,
    IcmpKind::ProtocolUnreachable,
    IcmpKind::PortUnreachable,
    IcmpKind::FragmentationNeeded { mtu: 1280 },
    IcmpKind::NetProhibited,
    IcmpKind::HostProhibited,
    IcmpKind::CommunicationProhibited,
    IcmpKind::TtlExceeded,
];

fn error_about(about: &Packet, kind: IcmpKind) -> Packet {
    let icmp = Icmp {
        kind,
        quoted: about.transport(),
        quoted_from: about.from,
        quoted_to: about.to,
    };
    let ends = (
        SocketAddr::new(about.to.ip(), 0),
        SocketAddr::new(about.from.ip(), 0),
    );
    packet(ends, Payload::Icmp(icmp))
}

proptest! {
    // An independent reader finds every field that the packet has, and both checksums add up.
    #[test]
    fn a_packet_reads_back_as_what_it_was(packet in prop_oneof![udp(), tcp()]) {
        let bytes = bytes(&packet, None).expect("it is short enough");
        prop_assert_eq!(bytes.len(), packet.length());
        let read = SlicedPacket::from_ip(&bytes).expect("it can be read");
        match read.net.expect("it is IP") {
            NetSlice::Ipv4(ip) => {
                prop_assert_eq!(IpAddr::V4(ip.header().source_addr()), packet.from.ip());
                prop_assert_eq!(IpAddr::V4(ip.header().destination_addr()), packet.to.ip());
                prop_assert_eq!(u64::from(ip.header().identification()), packet.id & 0xffff);
                prop_assert!(adds_up(&[&bytes[..20]]));
            }
            NetSlice::Ipv6(ip) => {
                prop_assert_eq!(IpAddr::V6(ip.header().source_addr()), packet.from.ip());
                prop_assert_eq!(IpAddr::V6(ip.header().destination_addr()), packet.to.ip());
            }
            NetSlice::Arp(_) => prop_assert!(false, "no packet is ARP"),
        }
        let rest = &bytes[ip_length(&packet)..];
        match (read.transport.expect("it has one"), &packet.payload) {
            (TransportSlice::Udp(header), Payload::Udp(data)) => {
                prop_assert_eq!((header.source_port(), header.destination_port()), (packet.from.port(), packet.to.port()));
                prop_assert_eq!(header.payload(), &data[..]);
                prop_assert!(adds_up(&[&pseudo_header(&bytes, 17), rest]));
            }
            (TransportSlice::Tcp(header), Payload::Tcp(segment)) => {
                prop_assert_eq!((header.source_port(), header.destination_port()), (packet.from.port(), packet.to.port()));
                prop_assert_eq!(header.sequence_number(), segment.sequence);
                prop_assert_eq!(header.acknowledgment_number(), segment.acknowledgement);
                prop_assert_eq!(header.window_size(), segment.window);
                prop_assert_eq!(rest[13], segment.flags.bits());
                prop_assert_eq!(header.payload(), &segment.data[..]);
                let options: Vec<_> = header.options_iterator().filter_map(Result::ok).collect();
                let mss: Vec<_> = segment.mss.map(TcpOptionElement::MaximumSegmentSize).into_iter().collect();
                prop_assert_eq!(options, mss);
                prop_assert!(adds_up(&[&pseudo_header(&bytes, 6), rest]));
            }
            _ => prop_assert!(false, "another transport"),
        }
    }

    // A receiver drops a damaged segment because of its checksum: a capture must give it the same reason.
    #[test]
    fn a_damaged_segment_has_a_wrong_checksum(packet in tcp()) {
        let mut packet = packet;
        if let Payload::Tcp(segment) = &mut packet.payload {
            segment.intact = false;
        }
        let bytes = bytes(&packet, None).expect("it is short enough");
        let rest = &bytes[ip_length(&packet)..];
        prop_assert!(!adds_up(&[&pseudo_header(&bytes, 6), rest]));
    }

    // What an error quotes is what its receiver sent, byte by byte, so that a capture's reader can tell which packet.
    #[test]
    fn an_error_quotes_the_packet_that_it_is_about(about in prop_oneof![udp(), tcp()], kind in prop::sample::select(KINDS.to_vec())) {
        let error = error_about(&about, kind);
        let bytes = bytes(&error, Some(&about)).expect("it is short enough");
        prop_assert_eq!(bytes.len(), error.length());
        let (header, sent) = (ip_length(&error), super::bytes(&about, None).expect("it is short enough"));
        prop_assert_eq!(&bytes[header + 8..], &sent[..header + QUOTED]);
        if error.from.is_ipv4() {
            prop_assert!(adds_up(&[&bytes[header..]]));
        } else {
            prop_assert!(adds_up(&[&pseudo_header(&bytes, 58), &bytes[header..]]));
        }
    }
}

// The numbers of RFC 792, RFC 1812 §5.2.7.1 and RFC 4443 §3, which etherparse must not be trusted to have named right.
#[test]
fn an_error_has_the_type_and_code_that_the_clauses_give() {
    let of = |version: IpAddr| {
        let about = unknown(
            Transport::Udp,
            SocketAddr::new(version, 1),
            SocketAddr::new(version, 2),
        );
        KINDS.map(|kind| {
            let error = error_about(&about, kind);
            let bytes = bytes(&error, Some(&about)).expect("it is short enough");
            let icmp = &bytes[ip_length(&error)..];
            (icmp[0], icmp[1])
        })
    };
    let version_4 = [
        (3, 0),
        (3, 1),
        (3, 2),
        (3, 3),
        (3, 4),
        (3, 9),
        (3, 10),
        (3, 13),
        (11, 0),
    ];
    assert_eq!(of(IpAddr::from([10, 0, 0, 1])), version_4);
    let version_6 = [
        (1, 0),
        (1, 3),
        (4, 1),
        (1, 4),
        (2, 0),
        (1, 1),
        (1, 1),
        (1, 1),
        (3, 0),
    ];
    assert_eq!(of(IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1])), version_6);
}

// No socket sends as much, so it is a fault of ours: said, and not a panic or a frame that lies about its length.
#[test]
fn what_ip_cannot_carry_is_an_error() {
    let ends = (([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 2).into());
    let long = packet(ends, Payload::Udp(vec![0; 65_508].into()));
    assert!(matches!(
        bytes(&long, None),
        Err(CaptureError::TooLong { packet: 70_000, .. })
    ));
}
