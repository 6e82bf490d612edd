use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const OK: &str = "SIP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc";
const BYE: &str = "BYE sip:x@y SIP/2.0\r\nl:\r\n 0\r\n\r\n";

fn frames(limits: Limits, pieces: &[&[u8]]) -> Vec<Frame> {
    let mut framer = Framer::new(limits);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.feed(piece);
        while let Some(frame) = framer.next_frame() {
            frames.push(frame);
        }
    }
    frames
}

fn message(text: &str) -> Frame {
    Frame::Message(Bytes::copy_from_slice(text.as_bytes()))
}

fn last(frames: &[Frame]) -> Option<Fault> {
    match frames.last() {
        Some(Frame::Last(_, fault)) => Some(*fault),
        _ => None,
    }
}

// Two in one piece come out as two, because Content-Length ends the first (RFC 3261 §18.3), in compact form and folded
// as well.
#[test]
fn messages_in_one_piece_are_told_apart() {
    let stream = format!("{OK}{BYE}{OK}");
    assert_eq!(
        frames(Limits::default(), &[stream.as_bytes()]),
        [message(OK), message(BYE), message(OK)]
    );
}

// RFC 5626 §4.4.1: the second of two line breaks asks; one alone answers. Three are a ping and an answer.
#[test]
fn line_breaks_between_messages_are_pings_and_answers() {
    use Frame::{LineBreak, Ping};
    let stream = format!("\r\n\r\n{OK}\r\n{BYE}\r\n\r\n\r\n");
    assert_eq!(
        frames(Limits::default(), &[stream.as_bytes()]),
        [
            LineBreak,
            Ping,
            message(OK),
            LineBreak,
            message(BYE),
            LineBreak,
            Ping,
            LineBreak
        ]
    );
}

// RFC 5626 §4.4.1: two answers in a row are no ping, or else both sides would answer each other for ever.
#[test]
fn answers_to_pings_are_not_answered() {
    let mut framer = Framer::of_answers(Limits::default());
    framer.feed(b"\r\n\r\n");
    let frames = [framer.next_frame(), framer.next_frame()];
    assert_eq!(frames, [Some(Frame::LineBreak), Some(Frame::LineBreak)]);
}

// Where the next message begins cannot be known after any of these, so that nothing may come out behind them.
#[test]
fn what_cannot_be_framed_is_the_last_frame() {
    let cases = [
        ("BYE sip:x SIP/2.0\r\nVia: x\r\n\r\n", Fault::NoLength),
        (
            "BYE sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n",
            Fault::MalformedLength,
        ),
        (
            "BYE sip:x SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n",
            Fault::MalformedLength,
        ),
        (
            "BYE sip:x SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n",
            Fault::TooLarge,
        ),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Fault::NotSip),
    ];
    for (text, fault) in cases {
        let got = frames(
            Limits::default(),
            &[OK.as_bytes(), text.as_bytes(), OK.as_bytes()],
        );
        assert_eq!((got.len(), last(&got)), (2, Some(fault)), "{text}");
    }
}

// The buffer is what could grow: it is dropped with the frame that ends the stream.
#[test]
fn no_more_is_kept_than_the_limit() {
    let limits = Limits {
        message: 100,
        ..Limits::default()
    };
    let mut framer = Framer::new(limits);
    for _ in 0..1000 {
        framer.feed(b"Subject: without end and without an empty line ever\r\n");
        if let Some(frame) = framer.next_frame() {
            assert!(matches!(frame, Frame::Last(bytes, Fault::TooLarge) if bytes.len() <= 100));
        }
        assert!(framer.buffer.len() < 100, "{}", framer.buffer.len());
    }
    let exact = format!("BYE sip:x SIP/2.0\r\nl: {}\r\n\r\n", 100 - 28);
    let whole = exact.clone() + &"x".repeat(100 - exact.len());
    assert_eq!(frames(limits, &[whole.as_bytes()]), [message(&whole)]);
}

// The answers of `parse_framed` to what ends a stream are those that the peer must hear.
#[test]
fn the_last_frame_is_rejected_for_what_ended_the_stream() {
    use crate::sip::{Verdict, parse_framed};
    let head = "BYE sip:x SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n\
                Call-ID: c\r\nCSeq: 1 BYE\r\n";
    for (rest, expected) in [
        ("\r\n", Some(400)),
        ("Content-Length: x\r\n\r\n", Some(400)),
        ("Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", Some(400)),
        ("Content-Length: 70000\r\n\r\nfirst bytes", Some(513)),
        ("Content-Length: 0\r\n\r\n", None),
    ] {
        let text = format!("{head}{rest}");
        let got = match parse_framed(text.as_bytes(), &Limits::default()) {
            Verdict::Reject(rejection) => Some(rejection.status.code()),
            Verdict::Accept(_) => None,
            Verdict::Drop(reason) => panic!("{reason}"),
        };
        assert_eq!(got, expected, "{rest:?}");
    }
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        vec(any::<u8>(), 0..200).prop_map(|body| {
            let head = format!(
                "MESSAGE sip:x@y SIP/2.0\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            [head.as_bytes(), &body].concat()
        }),
    ]
}

proptest! {
    // TCP knows no messages: the same stream must read the same whichever segments it came in.
    #[test]
    fn any_split_gives_the_same_frames(parts in vec(part(), 1..8), cuts in vec(any::<prop::sample::Index>(), 0..20)) {
        let stream = parts.concat();
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let pieces: Vec<_> = places.windows(2).map(|two| &stream[two[0]..two[1]]).collect();
        let whole = frames(Limits::default(), &[&stream]);
        let messages = whole.iter().filter(|frame| matches!(frame, Frame::Message(_))).count();
        prop_assert_eq!(messages, parts.iter().filter(|part| part.len() > 4).count());
        prop_assert_eq!(frames(Limits::default(), &pieces), whole);
    }

    // No bytes make it panic, hold more than it may, or fail to come to an end.
    #[test]
    fn any_bytes_end(pieces in vec(vec(any::<u8>(), 0..300), 0..20)) {
        let limits = Limits { message: 512, ..Limits::default() };
        let mut framer = Framer::new(limits);
        for piece in pieces {
            framer.feed(&piece);
            let mut count = 0;
            while framer.next_frame().is_some() {
                count += 1;
                prop_assert!(count <= piece.len() + 512);
            }
            prop_assert!(framer.buffer.len() <= limits.message);
        }
    }
}
