use std::net::SocketAddr;

use bytes::Bytes;
use linefault_network::{Flags, Payload, Segment};
use linefault_protocol::audiosocket::{Rate, Uuid};

use super::*;

/// A client that sends these segments, by their place in the stream.
struct Sender {
    talk: Talk,
    packets: u64,
}

impl Sender {
    fn connected() -> Self {
        let mut sender = Self {
            talk: Talk::default(),
            packets: 0,
        };
        sender.segment(Flags::SYN, u32::MAX, &[]);
        sender
    }

    /// Which utterances end in that segment.
    fn says(&mut self, place: u32, data: &[u8]) -> Vec<usize> {
        self.segment(Flags::ACK, place, data)
    }

    fn segment(&mut self, flags: Flags, place: u32, data: &[u8]) -> Vec<usize> {
        self.packets += 1;
        let network = linefault_network::Network::new(1, crate::trace::Trace::shared());
        let lan = network.add_lan("office", &["10.0.0.0/24".parse().expect("a subnet")]);
        let host = network.add_host(linefault_network::HostOptions {
            name: "client".to_owned(),
            lan: lan.expect("the first"),
            addresses: vec![[10, 0, 0, 1].into()],
            platform: linefault_network::Platform::Linux,
        });
        self.talk.carried(&Packet {
            id: self.packets,
            from: SocketAddr::from(([10, 0, 0, 1], 40_000)),
            to: SocketAddr::from(([10, 0, 0, 2], 9092)),
            sender: host.ok(),
            receiver: None,
            payload: Payload::Tcp(Segment {
                sequence: place.wrapping_add(1),
                acknowledgement: 0,
                flags,
                window: 1000,
                mss: None,
                data: Bytes::copy_from_slice(data),
                intact: true,
            }),
            dont_fragment: true,
        })
    }
}

// A fault that is to hit a frame must hit the segment that completes it, the first time and each time it is sent again.
#[test]
fn a_frame_is_carried_by_the_segment_with_its_last_byte() {
    let uuid = Frame::Uuid(Uuid([3; 16])).encode();
    let hang_up = Frame::HangUp.encode();
    let mut sender = Sender::connected();
    assert_eq!(sender.says(0, &uuid[..10]), [0_usize; 0]);
    let rest = [&uuid[10..], &hang_up[..2]].concat();
    assert_eq!(sender.says(10, &rest), [0]);
    assert_eq!(sender.says(10, &rest), [0], "sent again");
    assert_eq!(sender.says(21, &hang_up[2..]), [1]);
    let said: Vec<_> = sender
        .talk
        .utterances
        .iter()
        .map(Utterance::frame)
        .collect();
    assert_eq!(
        said,
        [Some(&Frame::Uuid(Uuid([3; 16]))), Some(&Frame::HangUp)]
    );
}

#[test]
fn what_cannot_be_a_frame_is_said_once_and_ends_the_reading() {
    let mut sender = Sender::connected();
    assert_eq!(sender.says(0, &[0x01, 0, 15]), [0]);
    assert_eq!(sender.says(3, &Rate::Khz8.silence()), [0_usize; 0]);
    assert!(matches!(sender.talk.utterances[0].what, What::NoFrame(_)));
}

#[test]
fn protocols_are_told_apart_by_how_the_client_begins() {
    let begins = |bytes: &[u8]| {
        let mut sender = Sender::connected();
        sender.says(0, bytes);
        let said = sender.talk.utterances.first();
        said.map(|said| std::mem::discriminant(&said.what))
    };
    let http = begins(b"GET / HTTP/1.1\r\n\r\n");
    assert!(http.is_some());
    assert_ne!(http, begins(&Frame::HangUp.encode()));
    assert_eq!(
        begins(b"HELP\r\n"),
        Some(std::mem::discriminant(&What::Bytes))
    );
    assert_eq!(begins(b"BYE sip:a SIP/2.0\r\n\r\n"), None);
}
