//! rsip reads what we read.
//!
//! Inside its grammar both readers must agree. Where rsip 0.4 cannot follow, the row below says how: a new release of it
//! shows as a changed row.

use std::fmt::Write as _;

use proptest::prelude::*;
use rsip::message::HeadersExt as _;
use rsip::prelude::{HasHeaders as _, ToTypedHeader as _, UntypedHeader as _};

use super::generate::{Style, message};
use super::*;
use crate::sip::Uri;

/// What both readers are asked for.
#[derive(Debug, PartialEq)]
struct Reading {
    /// Method and Request-URI, or status and reason phrase.
    start: String,
    /// User and host of the Request-URI.
    target: Option<(String, String)>,
    call_id: String,
    cseq: (u32, String),
    /// Of From and To.
    tags: [Option<String>; 2],
    /// Of the topmost Via.
    branch: Option<String>,
    /// How many Via values there are.
    vias: usize,
    body: Vec<u8>,
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let absent = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let target = self.target.as_ref().map_or(String::new(), |(user, host)| {
            format!(" | user {user} host {host}")
        });
        write!(
            f,
            "{}{target} | {} | {} {}",
            self.start, self.call_id, self.cseq.0, self.cseq.1
        )?;
        write!(
            f,
            " | from {} to {}",
            absent(&self.tags[0]),
            absent(&self.tags[1])
        )?;
        write!(
            f,
            " | {} of {} | body {}",
            absent(&self.branch),
            self.vias,
            self.body.escape_ascii()
        )
    }
}

fn ours(bytes: &[u8]) -> Option<Reading> {
    let Verdict::Accept(message) = parse(bytes, &Limits::default()) else {
        return None;
    };
    let uri = message
        .request_uri()
        .map(|uri| Uri::parse(uri).expect("accepted"));
    let start = match (&uri, message.status()) {
        (Some(uri), _) => format!("{} {uri}", message.method()),
        (None, status) => format!("{} {:?}", status?, message.reason()?),
    };
    let cseq = message.cseq().expect("accepted");
    let text = |text: Option<&str>| text.map(str::to_owned);
    Some(Reading {
        start,
        target: uri.map(|uri| (uri.user().unwrap_or("-").to_owned(), uri.host().to_owned())),
        call_id: message.call_id().expect("accepted").to_owned(),
        cseq: (cseq.number, cseq.method.to_string()),
        tags: [
            text(message.from().expect("accepted").tag()),
            text(message.to().expect("accepted").tag()),
        ],
        branch: text(message.top_via().expect("accepted").branch()),
        vias: message.values("Via").count(),
        body: message.body().to_vec(),
    })
}

/// The error is the first line of what rsip says: the rest repeats the message.
fn theirs(bytes: &[u8]) -> Result<Reading, String> {
    // A panic of rsip's is a finding too, not a failure of this test.
    let read =
        std::panic::catch_unwind(|| read_with_rsip(bytes).map_err(|error| error.to_string()));
    let read = read.unwrap_or_else(|_| Err("panics".to_owned()));
    read.map_err(|error| error.lines().next().unwrap_or_default().trim().to_owned())
}

fn read_with_rsip(bytes: &[u8]) -> Result<Reading, rsip::Error> {
    let message = rsip::SipMessage::try_from(bytes)?;
    let (start, target) = match &message {
        rsip::SipMessage::Request(request) => {
            let (user, host) = (
                request.uri.user().unwrap_or("-"),
                request.uri.host().to_string(),
            );
            (
                format!("{} {}", request.method, request.uri),
                Some((user.to_owned(), host)),
            )
        }
        rsip::SipMessage::Response(response) => {
            let text = response.status_code.to_string();
            let (code, reason) = text.split_once(' ').unwrap_or((&text, ""));
            (format!("{code} {reason:?}"), None)
        }
    };
    let cseq = message.cseq_header()?.typed()?;
    let via = message.via_header()?.typed()?;
    let tag = |tag: Option<&rsip::param::Tag>| tag.map(|tag| tag.value().to_owned());
    Ok(Reading {
        start,
        target,
        call_id: message.call_id_header()?.value().to_owned(),
        cseq: (cseq.seq, cseq.method.to_string()),
        tags: [
            tag(message.from_header()?.typed()?.tag()),
            tag(message.to_header()?.typed()?.tag()),
        ],
        branch: via.branch().map(|branch| branch.value().to_owned()),
        vias: message
            .headers()
            .iter()
            .filter(|header| matches!(header, rsip::Header::Via(_)))
            .count(),
        body: message.body().clone(),
    })
}

const PLAIN: &str = "OPTIONS sip:bob@sim.test SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
    From: <sip:alice@sim.test>;tag=a\r\n\
    To: <sip:bob@sim.test>;tag=b\r\n\
    Call-ID: 1@192.0.2.1\r\n\
    CSeq: 1 OPTIONS\r\n\
    Content-Length: 4\r\n\
    \r\nv=0\n";

/// Departures from the plain message: what is different, and how.
fn departures() -> Vec<(&'static str, Vec<u8>)> {
    let with = |from: &str, to: &str| PLAIN.replace(from, to).into_bytes();
    let response = |line: &str| with("OPTIONS sip:bob@sim.test SIP/2.0", line);
    vec![
        ("nothing", PLAIN.as_bytes().to_vec()),
        (
            "IPv6 in the Request-URI",
            with("sip:bob@sim.test SIP", "sip:bob@[2001:db8::1] SIP"),
        ),
        (
            "IPv6 in the Via",
            with("192.0.2.1:5060", "[2001:db8::1]:5060"),
        ),
        (
            "IPv6 in the From",
            with("alice@sim.test", "alice@[2001:db8::1]"),
        ),
        (
            "a dotted user",
            with("sip:bob@sim.test SIP", "sip:john.doe@sim.test SIP"),
        ),
        (
            "a tel URI",
            with("sip:bob@sim.test SIP", "tel:+4930123 SIP"),
        ),
        (
            "an unknown URI scheme",
            with("sip:bob@sim.test SIP", "soap.beep://192.0.2.103:3002 SIP"),
        ),
        (
            "URI headers",
            with("sip:bob@sim.test SIP", "sip:bob@sim.test?Subject=x SIP"),
        ),
        ("an unknown method", with("OPTIONS", "PING")),
        ("a method in lower case", with("OPTIONS", "options")),
        ("an unknown transport", with("SIP/2.0/UDP", "SIP/2.0/DCCP")),
        (
            "compact names",
            PLAIN
                .replace("Via:", "v:")
                .replace("From:", "f:")
                .replace("Call-ID:", "i:")
                .into_bytes(),
        ),
        (
            "names in lower case",
            PLAIN
                .replace("Via:", "via:")
                .replace("Call-ID:", "call-id:")
                .into_bytes(),
        ),
        ("white space before the colon", with("To:", "To :")),
        (
            "a folded field",
            with("<sip:bob@sim.test>;tag=b", "<sip:bob@sim.test>\r\n ;tag=b"),
        ),
        (
            "two Vias in one line",
            with(
                "branch=z9hG4bK1",
                "branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK0",
            ),
        ),
        (
            "two Via lines",
            with(
                "From:",
                "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK0\r\nFrom:",
            ),
        ),
        (
            "white space in the Via",
            with(
                "SIP/2.0/UDP 192.0.2.1:5060;",
                "SIP / 2.0 / UDP 192.0.2.1:5060 ; ",
            ),
        ),
        ("an empty rport", with("5060;branch", "5060;rport;branch")),
        (
            "a quoted display name",
            with("<sip:alice", "\"A, <B>; \\\"C\\\"\" <sip:alice"),
        ),
        (
            "no brackets",
            with("<sip:alice@sim.test>;tag=a", "sip:alice@sim.test;tag=a"),
        ),
        (
            "a binary body",
            [
                &PLAIN.as_bytes()[..PLAIN.len() - 4],
                &b"\x00\xff\xfe\x01"[..],
            ]
            .concat(),
        ),
        (
            "a body beyond Content-Length",
            with("Length: 4", "Length: 2"),
        ),
        (
            "a Content-Length beyond the datagram",
            with("Length: 4", "Length: 9"),
        ),
        ("a second Call-ID", with("CSeq", "Call-ID: 2\r\nCSeq")),
        ("a CSeq of 2³¹", with("1 OPTIONS", "2147483648 OPTIONS")),
        ("another CSeq method", with("1 OPTIONS", "1 INVITE")),
        (
            "line breaks before",
            [b"\r\n\r\n", PLAIN.as_bytes()].concat(),
        ),
        (
            "a field that is not UTF-8",
            [
                PLAIN.as_bytes()[..34].to_vec(),
                b"Subject: \xe9\r\n".to_vec(),
                PLAIN.as_bytes()[34..].to_vec(),
            ]
            .concat(),
        ),
        (
            "another SIP version",
            with("sim.test SIP/2.0", "sim.test SIP/7.0"),
        ),
        ("the registered reason phrase", response("SIP/2.0 200 OK")),
        (
            "another reason phrase",
            response("SIP/2.0 488 No codec in common"),
        ),
        ("an empty reason phrase", response("SIP/2.0 200 ")),
        ("no reason phrase", response("SIP/2.0 200")),
        (
            "a reason phrase in Cyrillic",
            response("SIP/2.0 200 хорошо"),
        ),
        ("an unregistered status", response("SIP/2.0 499 Odd")),
    ]
}

/// The list of what rsip reads otherwise or not at all. Our own reading stands beside it, to be checked by hand.
#[test]
fn departures_are_pinned() {
    let mut text = String::new();
    for (what, bytes) in departures() {
        let (ours, theirs) = (ours(&bytes), theirs(&bytes));
        let theirs = match theirs {
            Ok(reading) if Some(&reading) == ours.as_ref() => "the same".to_owned(),
            Ok(reading) => reading.to_string(),
            Err(error) => format!("refused: {error}"),
        };
        let ours = ours.map_or("refused".to_owned(), |reading| reading.to_string());
        writeln!(text, "{what}\n  we    {ours}\n  rsip  {theirs}\n")
            .expect("a String takes everything");
    }
    insta::assert_snapshot!(text);
}

/// What rsip writes of what it read: a proxy on it would send this.
#[test]
fn what_rsip_would_forward_is_pinned() {
    let mut changed = String::new();
    for (what, bytes) in departures() {
        let Ok(message) = rsip::SipMessage::try_from(bytes.as_slice()) else {
            continue;
        };
        let written = message.to_string().into_bytes();
        let place = written
            .iter()
            .zip(&bytes)
            .position(|(one, other)| one != other);
        if written != bytes {
            let from = place.unwrap_or(written.len().min(bytes.len()));
            let piece = |bytes: &[u8]| {
                bytes[from..bytes.len().min(from + 24)]
                    .escape_ascii()
                    .to_string()
            };
            writeln!(
                changed,
                "{what}: {} becomes {}",
                piece(&bytes),
                piece(&written)
            )
            .expect("a String takes everything");
        }
    }
    insta::assert_snapshot!(changed);
}

/// Why rsip cannot decide what a server accepts: it takes most messages that lost their end.
#[test]
fn truncations_that_rsip_accepts_are_counted() {
    let accepts = |end: usize| rsip::SipMessage::try_from(&PLAIN.as_bytes()[..end]).is_ok();
    let rsip = (0..PLAIN.len()).filter(|end| accepts(*end)).count();
    let we = (0..PLAIN.len())
        .filter(|end| ours(&PLAIN.as_bytes()[..*end]).is_some())
        .count();
    insta::assert_snapshot!(format!(
        "of {} truncations of the plain message we accept {we}, rsip {rsip}",
        PLAIN.len()
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two parsers with no line in common would hardly share a mistake. Reason phrases are left out: rsip writes its own.
    #[test]
    fn both_readers_agree_on_plain_messages(sample in message(Style::Plain)) {
        let code_only = |reading: Reading| match reading.start.split_once(" \"") {
            Some((code, _)) => Reading { start: code.to_owned(), ..reading },
            None => reading,
        };
        prop_assert_eq!(theirs(&sample.bytes).map(code_only), ours(&sample.bytes).map(code_only).ok_or_else(String::new));
    }
}
