use super::*;

/// A request that lacks nothing, with room for a field more and a body.
fn request(more: &str) -> String {
    format!(
        "OPTIONS sip:bob@sim.test SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
         From: <sip:alice@sim.test>;tag=a\r\n\
         To: <sip:bob@sim.test>\r\n\
         Call-ID: 1@192.0.2.1\r\n\
         CSeq: 1 OPTIONS\r\n{more}\r\n"
    )
}

fn read(bytes: impl AsRef<[u8]>) -> Verdict {
    parse(bytes.as_ref(), &Limits::default())
}

fn accepted(bytes: impl AsRef<[u8]>) -> Message {
    match read(bytes) {
        Verdict::Accept(message) => message,
        other => panic!("not accepted: {other:?}"),
    }
}

/// Status and reason of a rejection.
fn rejected(bytes: impl AsRef<[u8]>) -> (u16, String) {
    match read(bytes) {
        Verdict::Reject(rejection) => (rejection.status.code(), rejection.reason),
        other => panic!("not rejected: {other:?}"),
    }
}

/// In the manner of RFC 4475 §3.1.1.1: odd spacing, case, folds, compact forms, an escaped quote, an unknown field,
/// an empty one, and comma lists in several lines.
const ODD: &[u8] = b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n\
TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n\
from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n\
MaX-fOrWaRdS: 0068\r\n\
Call-ID: wsinv.ndaksdj@192.0.2.1\r\n\
Content-Length   : 5\r\n\
cseq: 0009\r\n  INVITE\r\n\
Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n\
s :\r\n\
NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n\
Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n\
v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\
m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\
\r\n\x00\xff\r\n\x01";

#[test]
fn an_odd_message_is_read_as_meant_and_kept_as_written() {
    let message = accepted(ODD);
    assert_eq!(message.to_bytes(), ODD);
    assert_eq!(message.method(), Method::Invite);
    assert_eq!(message.to().expect("a To").tag(), Some("1918181833n"));
    assert_eq!(
        message.from().expect("a From").display(),
        "J Rosenberg \\\""
    );
    assert_eq!(message.max_forwards(), Ok(Some(68)));
    assert_eq!(message.cseq().map(|cseq| cseq.number), Ok(9));
    let vias = message.vias().expect("three Vias");
    let branches: Vec<_> = vias.iter().map(Via::branch).collect();
    assert_eq!(
        branches,
        [
            Some("390skdjuw"),
            Some("z9hG4bK9ikj8"),
            Some("z9hG4bK30239")
        ]
    );
    assert_eq!(
        message.header("newfangledheader"),
        Some("newfangled value continued newfangled value")
    );
    assert_eq!(message.header("Subject"), Some(""));
    assert_eq!(
        message.header("UnknownHeaderWithUnusualValue"),
        Some(";;,,;;,;")
    );
    assert_eq!(message.body().as_ref(), b"\x00\xff\r\n\x01");
}

/// What RFC 4475 and RFC 5118 call valid, each with what must be read from it.
#[test]
fn valid_rarities_are_accepted_byte_for_byte() {
    let body = |text: &str| accepted(text).body().to_vec();
    // RFC 4475 §3.1.1.2: any token is a method.
    let method = request("").replace("OPTIONS", "!interesting-Method0123456789_*+`%indeed'~");
    assert_eq!(
        accepted(&method).method().as_str(),
        "!interesting-Method0123456789_*+`%indeed'~"
    );
    // §3.1.1.8: bytes beyond Content-Length are no part of the message.
    assert_eq!(
        body(&request("l: 2\r\n").replace("\r\n\r\n", "\r\n\r\nabcdef")),
        b"ab"
    );
    assert_eq!(
        accepted(request("l: 2\r\n") + "abcdef").to_bytes(),
        request("l: 2\r\n") + "abcdef"
    );
    // §18.3: without Content-Length the body ends with the datagram.
    assert_eq!(body(&(request("") + "v=0\r\n")), b"v=0\r\n");
    // §3.3.2 and 3.3.3: unknown schemes are the element's to refuse, with 416.
    for uri in [
        "nobodyKnowsThisScheme:totallyopaquecontent",
        "tel:+4930123",
        "soap.beep://192.0.2.103:3002",
    ] {
        let text = request("").replace("sip:bob@sim.test SIP", &format!("{uri} SIP"));
        assert_eq!(accepted(text).request_uri(), Some(uri));
    }
    // RFC 5118 §4.1: IPv6 references.
    let v6 = accepted(request("").replace("192.0.2.1:5060", "[2001:db8::9:1]:5070"));
    assert_eq!(v6.top_via().map(|via| via.sent_by().port), Ok(Some(5070)));
    // Line breaks before the start line, §7.5.
    let late = format!("\r\n\r\n{}", request(""));
    assert_eq!(accepted(&late).to_bytes(), late);
    // The version is compared without case, §7.1.
    assert_eq!(
        accepted(request("").replace("test SIP/2.0", "test sip/2.0")).method(),
        Method::Options
    );
}

#[test]
fn reason_phrases_of_responses_are_kept_whatever_they_hold() {
    let fields = request("")
        .split_once("\r\n")
        .map(|(_, fields)| fields.to_owned())
        .expect("a start line");
    for (line, phrase) in [
        (&b"SIP/2.0 200 OK"[..], "OK"),
        (b"SIP/2.0 200 ", ""),
        (b"SIP/2.0 200", ""),
        (b"sip/2.0 200 = 2**3 * 5**2", "= 2**3 * 5**2"),
        ("SIP/2.0 200 \u{43d}\u{43e}".as_bytes(), "\u{43d}\u{43e}"),
        (b"SIP/2.0 200 caf\xe9", "caf\u{fffd}"),
    ] {
        let bytes = [line, b"\r\n", fields.as_bytes()].concat();
        let message = accepted(&bytes);
        assert_eq!(message.reason().as_deref(), Some(phrase));
        assert_eq!(message.status(), Some(Status::OK));
        assert_eq!(message.to_bytes(), bytes);
    }
}

/// The reason phrase goes on the wire, so it must name the fault (RFC 3261 §21.4.1).
#[test]
fn requests_are_rejected_with_the_fault_by_name() {
    let without = |name: &str| {
        let lines: Vec<_> = request("")
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with(name))
            .map(str::to_owned)
            .collect();
        lines.concat()
    };
    let with = |from: &str, to: &str| request("").replace(from, to);
    for (text, status, reason) in [
        (without("Call-ID"), 400, "Missing Call-ID header field"),
        (without("CSeq"), 400, "Missing CSeq header field"),
        (without("From"), 400, "Missing From header field"),
        (without("To"), 400, "Missing To header field"),
        (
            with("Call-ID: 1@192.0.2.1", "Call-ID: "),
            400,
            "Malformed Call-ID header field",
        ),
        (
            with("1 OPTIONS", "36893488147419103232 OPTIONS"),
            400,
            "Malformed CSeq header field",
        ),
        (
            with("1 OPTIONS", "2147483648 OPTIONS"),
            400,
            "Malformed CSeq header field",
        ),
        (
            with("1 OPTIONS", "1OPTIONS"),
            400,
            "Malformed CSeq header field",
        ),
        (
            with("1 OPTIONS", "1 NEWMETHOD"),
            400,
            "CSeq method does not match",
        ),
        (
            with("<sip:alice@sim.test>", "\"open <sip:alice@sim.test>"),
            400,
            "Malformed From header field",
        ),
        (
            with("To: <sip:bob@sim.test>", "To: <sip:bob@sim.test"),
            400,
            "Malformed To header field",
        ),
        (
            with("branch=z9hG4bK1", "branch=z9hG4bK1, SIP/2.0/UDP"),
            400,
            "Malformed Via header field",
        ),
        // RFC 4475 §3.1.2.1: sent-by can be read, so it can be answered.
        (
            with(";branch=z9hG4bK1", ";;,;,,"),
            400,
            "Malformed Via header field",
        ),
        (
            request("Max-Forwards: 300\r\n"),
            400,
            "Malformed Max-Forwards header field",
        ),
        (
            request("CSeq: 1 OPTIONS\r\n"),
            400,
            "Repeated CSeq header field",
        ),
        (request("i: 2\r\n"), 400, "Repeated Call-ID header field"),
        (
            request("Content-Length: 9\r\n"),
            400,
            "Content-Length larger than the datagram",
        ),
        (
            request("Content-Length: 99999999999999999999\r\n"),
            400,
            "Content-Length larger than the datagram",
        ),
        (
            request("Content-Length: -9\r\n"),
            400,
            "Malformed Content-Length header field",
        ),
        (request("No colon here\r\n"), 400, "Malformed header field"),
        (request("Subject: a\nb\r\n"), 400, "Malformed header field"),
        (
            with("sip:bob@sim.test SIP/2.0", "<sip:bob@sim.test> SIP/2.0"),
            400,
            "Malformed Request-URI",
        ),
        (
            with("sip:bob@sim.test SIP/2.0", "sip:bob@sim.test; lr SIP/2.0"),
            400,
            "Malformed Request-URI",
        ),
        (
            with("sip:bob@sim.test SIP/2.0", " sip:bob@sim.test SIP/2.0"),
            400,
            "Malformed Request-URI",
        ),
        (
            with("sip:bob@sim.test SIP/2.0", "sip:bob@sim.test  SIP/2.0"),
            400,
            "Malformed Request-URI",
        ),
        (
            with("sip:bob@sim.test SIP/2.0", "sip:bob@sim.test SIP/2.0 "),
            400,
            "Malformed Request-Line",
        ),
        (
            with(
                "sip:bob@sim.test SIP/2.0",
                "sip:bob@sim.test SIP/2.0        ",
            ),
            400,
            "Malformed Request-Line",
        ),
        (
            with("OPTIONS sip:bob@sim.test", "OPTIONS"),
            400,
            "Malformed Request-Line",
        ),
        (
            with("OPTIONS sip:bob", "OPT(IONS sip:bob"),
            400,
            "Malformed Request-Line",
        ),
        (
            with("sim.test SIP/2.0", "sim.test SIP/7.0"),
            505,
            "Version Not Supported",
        ),
        (
            with(
                "bob@sim.test SIP",
                &format!("{}@sim.test SIP", "b".repeat(9_000)),
            ),
            414,
            "Request-URI Too Long",
        ),
        (
            request(&format!("Subject: {}\r\n", "x".repeat(9_000))),
            400,
            "Subject header field too long",
        ),
        (
            request(&format!("X-Evil: {}\r\n", "x".repeat(9_000))),
            400,
            "Header field too long",
        ),
        (
            request(&"X: y\r\n".repeat(252)),
            400,
            "Too many header fields",
        ),
        (request("") + &"x".repeat(70_000), 513, "Message Too Large"),
    ] {
        assert_eq!(rejected(&text), (status, reason.to_owned()), "{text}");
    }
    let end = request("").trim_end().to_owned() + "\r\n";
    assert_eq!(
        rejected(end).1,
        "Missing empty line after the header fields"
    );
}

/// Otherwise the answer to a rejected request could not be matched by its client.
#[test]
fn a_rejection_carries_what_its_answer_needs() {
    let Verdict::Reject(rejection) = read(request("Broken line\r\n")) else {
        panic!("a line without colon")
    };
    let answer = Message::response_to(
        &rejection.message,
        rejection.status,
        Some(&rejection.reason),
    );
    let text = String::from_utf8(answer.to_bytes().to_vec()).expect("UTF-8");
    let fields = request("").replace(
        "OPTIONS sip:bob@sim.test SIP/2.0",
        "SIP/2.0 400 Malformed header field",
    );
    assert_eq!(
        text,
        fields.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n")
    );
}

/// Answering any of these would be wrong, or impossible.
#[test]
fn what_cannot_be_answered_is_dropped() {
    let reason = |bytes: &str| match read(bytes) {
        Verdict::Drop(reason) => reason,
        other => panic!("not dropped: {other:?}"),
    };
    assert_eq!(reason(""), DropReason::KeepAlive);
    assert_eq!(reason("\r\n\r\n"), DropReason::KeepAlive);
    assert_eq!(reason("GET / HTTP/1.1\r\n\r\n"), DropReason::NotSip);
    assert_eq!(reason("no line break"), DropReason::NotSip);
    let missing = "Missing Call-ID header field".to_owned();
    let bad = |from: &str, to: &str| {
        request("")
            .replace("Call-ID: 1@192.0.2.1\r\n", "")
            .replace(from, to)
    };
    assert_eq!(
        reason(&bad("OPTIONS", "ACK")),
        DropReason::MalformedAck(missing.clone())
    );
    let response = bad("OPTIONS sip:bob@sim.test SIP/2.0", "SIP/2.0 200 OK");
    assert_eq!(
        reason(&response),
        DropReason::MalformedResponse(missing.clone())
    );
    assert_eq!(
        reason(&bad("SIP/2.0/UDP", "HTTP/1.1/UDP")),
        DropReason::Unanswerable(missing)
    );
    let short = request("Content-Length: 9\r\n")
        .replace("OPTIONS sip:bob@sim.test SIP/2.0", "SIP/2.0 200 OK");
    assert!(matches!(reason(&short), DropReason::MalformedResponse(_)));
    // RFC 4475 §3.1.2.19: a status code that overflows.
    for line in [
        "SIP/2.0 4294967301 better not break the receiver",
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0  200 OK",
        "SIP/3.0 200 OK",
    ] {
        assert_eq!(
            reason(&request("").replace("OPTIONS sip:bob@sim.test SIP/2.0", line)),
            DropReason::NotSip,
            "{line}"
        );
    }
}

/// A message that lost its end must not pass for a whole one: only the complete bytes are accepted.
#[test]
fn no_truncation_of_a_message_is_accepted() {
    let whole = request("Content-Length: 4\r\n") + "v=0\n";
    let accepted = (0..whole.len())
        .filter(|end| matches!(read(&whole[..*end]), Verdict::Accept(_)))
        .count();
    assert_eq!(accepted, 0);
}
