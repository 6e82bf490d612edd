//! Real messages, and what may happen to them on the way.

use std::net::SocketAddr;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use linefault_protocol::sip::sdp::Codec;
use linefault_protocol::sip::user_agent::Reliable;

use super::{ALICE, BOB, Pump};

/// A datagram with its sender and its receiver.
pub(crate) type Datagram = (SocketAddr, SocketAddr, Bytes);

/// One thing that happens to a message.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    /// A bit is flipped.
    Flip(Index, u8),
    /// The rest is cut off.
    Truncate(Index),
    /// So many bytes come as often again.
    Repeat(Index, usize, usize),
    /// Two lines change places.
    Swap(Index, Index),
    /// It grows by so many bytes there.
    Grow(Index, usize),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len())),
            Self::Repeat(at, length, times) => {
                let at = at.index(bytes.len());
                let end = (at + length).min(bytes.len());
                let more = bytes[at..end].repeat(*times);
                bytes.splice(at..at, more);
            }
            Self::Swap(one, other) => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
                *bytes = lines.concat();
            }
            Self::Grow(at, length) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, vec![b'x'; *length]);
            }
        }
    }
}

/// Some of a kind, most often one.
pub(crate) fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let index = any::<Index>;
    let one = prop_oneof![
        4 => (index(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => index().prop_map(Damage::Truncate),
        2 => (index(), 1..200usize, 1..4usize)
            .prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
        2 => (index(), index()).prop_map(|(one, other)| Damage::Swap(one, other)),
        1 => (index(), prop_oneof![Just(300), Just(9_000), Just(70_000)])
            .prop_map(|(at, length)| Damage::Grow(at, length)),
    ];
    vec(one, 1..4)
}

/// A message with all of that done to it.
pub(crate) fn damaged(bytes: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for damage in damages {
        damage.apply(&mut bytes);
    }
    bytes
}

/// Everything that goes over the wire while two phones do all that phones can do.
pub(crate) fn record() -> Vec<Datagram> {
    let mut pump = Pump::report_a(|config| {
        config.users.insert("1003".to_owned());
    });
    for name in ["alice", "bob"] {
        pump.tell(name, "register", None);
    }
    pump.run(1000);
    pump.tell("alice", "message", Some("bob"));
    pump.tell("alice", "options", Some("bob"));
    pump.tell("alice", "call", Some("bob"));
    pump.run(1500);
    pump.tell("alice", "hang-up", None);
    pump.run(2000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    for command in ["info", "update", "re-invite"] {
        pump.tell("alice", command, None);
    }
    pump.run(6000);
    pump.tell("bob", "exit", None);
    pump.run(7000);
    pump.tell("bob", "register", None);
    pump.run(7100);
    describe_sessions(&mut pump);
    extend(&mut pump);
    pump.captured
}

/// Where the target of the recorded transfer is.
pub(crate) const ERIN: &str = "192.168.8.140:5062";

/// Reliable provisional responses with their PRACKs (RFC 3262), then a transfer with its NOTIFYs (RFC 3515).
fn extend(pump: &mut Pump) {
    for (name, at, user) in [("alice", ALICE, "1001"), ("bob", BOB, "1002")] {
        pump.add_phone(name, at, user, |config| {
            config.extensions.reliable = Reliable::Supported;
        });
    }
    pump.add_phone("erin", ERIN, "1003", |_| {});
    for name in ["alice", "bob", "erin"] {
        pump.tell(name, "register", None);
    }
    pump.run(17_000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(20_000);
    pump.tell("alice", "transfer", Some("sip:1003@sim.test"));
    pump.run(24_000);
    pump.tell("bob", "hang-up", None);
    pump.run(25_000);
}

/// Session descriptions in every message that may carry one: an offer in the 2xx and its answer in the ACK, then a refusal
/// that says what is supported.
fn describe_sessions(pump: &mut Pump) {
    let table: [(u64, bool, &[&str]); 2] =
        [(8000, true, &["PCMU", "opus"]), (12_000, false, &["G729"])];
    for (at, delayed_offer, codecs) in table {
        pump.run(at);
        pump.add_phone("alice", ALICE, "1001", |config| {
            config.media.delayed_offer = delayed_offer;
            config.media.codecs = codecs.iter().filter_map(|name| Codec::find(name)).collect();
        });
        pump.tell("alice", "call", Some("bob"));
        pump.run(at + 2000);
        pump.tell("alice", "hang-up", None);
        pump.run(at + 3000);
    }
}

/// Puts damaged messages of a record on the wire, each so many milliseconds after the third second.
pub(crate) fn throw(pump: &mut Pump, record: &[Datagram], garbage: Vec<(Index, Vec<Damage>, u64)>) {
    let garbage = garbage.into_iter();
    let mut garbage: Vec<_> = garbage
        .map(|(which, damages, at)| (which.get(record), damages, at))
        .collect();
    garbage.sort_by_key(|(.., at)| *at);
    for ((from, to, bytes), damages, at) in garbage {
        pump.run(3000 + at);
        pump.inject(
            &from.to_string(),
            &to.to_string(),
            &damaged(bytes, &damages),
        );
    }
}

/// Variants of a message: cut off at every byte, each byte replaced by what has a meaning or has none, parts doubled.
pub(crate) fn mutations(valid: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in 0..valid.len() {
        all.push(valid[..at].to_vec());
        for byte in [0, b'\r', b'\n', b';', b'"', b'<', b',', 0xff] {
            let mut changed = valid.to_vec();
            changed[at] = byte;
            all.push(changed);
        }
        let mut doubled = valid[..at].to_vec();
        doubled.extend_from_slice(valid);
        all.push(doubled);
    }
    all
}

// What is not among the recorded messages is never damaged, and a test that damages them would not tell.
#[test]
fn the_record_has_every_method_that_phones_speak() {
    let recorded = record();
    let begins = |words: &str| {
        let mut messages = recorded.iter();
        messages.any(|(.., bytes)| bytes.starts_with(words.as_bytes()))
    };
    for method in [
        "REGISTER", "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "MESSAGE", "INFO", "UPDATE",
        "PRACK", "REFER", "NOTIFY",
    ] {
        assert!(begins(&format!("{method} ")), "{method}");
    }
    assert!(begins("SIP/2.0 202 "), "the answer to a REFER");
}
