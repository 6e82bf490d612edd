//! Session timers, RFC 4028, from both sides.

use super::super::{Refresh, SessionTimer};
use super::*;
use crate::sip::Refresher;

const TIMER: SessionTimer = SessionTimer {
    expires: Duration::from_secs(120),
    least: Duration::from_secs(100),
    refresher: None,
    refresh: Refresh::Reinvite,
};

fn with(timer: SessionTimer) -> Bench {
    Bench::with(Extensions {
        timer: Some(timer),
        ..Extensions::default()
    })
}

/// An outgoing call whose 200 says that about its session.
fn granted(timer: SessionTimer, value: &str) -> Bench {
    let mut bench = with(timer);
    let invite = call(&mut bench);
    let mut ok = answer(&invite, 200, "x");
    ok.append("Session-Expires", value);
    assert_eq!(bench.receive(ok), ["ACK"]);
    bench
}

/// An incoming call that says that about its session, answered and acknowledged; returns its 200.
fn taken(bench: &mut Bench, fields: &str) -> Message {
    bench.receive(request("INVITE", "1", fields));
    bench.wait(Duration::from_secs(1));
    let ok = bench.last("200 INVITE");
    bench.receive(in_dialog("ACK", "ack", 1, &ok));
    ok
}

#[test]
fn the_caller_asks_and_refreshes_at_half_time_as_agreed() {
    for (refresh, method) in [(Refresh::Reinvite, "INVITE"), (Refresh::Update, "UPDATE")] {
        let mut bench = granted(SessionTimer { refresh, ..TIMER }, "120;refresher=uac");
        assert_eq!(
            bench.wait(Duration::from_micros(59_999_999)),
            Vec::<String>::new()
        );
        assert_eq!(bench.wait(Duration::from_micros(1)), [method]);
        let sent = bench.last(method);
        assert_eq!(sent.header("Session-Expires"), Some("120;refresher=uac"));
        assert_eq!(sent.supported(), ["timer"]);
        let mut ok = answer(&sent, 200, "x");
        ok.append("Session-Expires", "120;refresher=uac");
        bench.receive(ok);
        // From the answer on it is all new.
        assert_eq!(
            bench.wait(Duration::from_micros(59_999_999)),
            Vec::<String>::new()
        );
        assert_eq!(bench.wait(Duration::from_micros(1)), [method]);
    }
}

#[test]
fn who_waits_for_a_refresh_ends_the_call_32_s_or_a_third_before_its_end() {
    for (interval, ends) in [(120, 88), (90, 60)] {
        let mut bench = granted(TIMER, &format!("{interval};refresher=uas"));
        let waited = bench.wait(Duration::from_secs(ends) - Duration::from_micros(1));
        assert_eq!(waited, Vec::<String>::new());
        assert_eq!(bench.wait(Duration::from_micros(1)), ["BYE"]);
        let ended = |event: &Event| matches!(event, Event::CallEnded(1, _, Ending::Expired));
        assert!(bench.noted.iter().any(ended));
    }
}

#[test]
fn a_refresh_without_answer_ends_the_call() {
    let mut bench = granted(TIMER, "120;refresher=uac");
    bench.wait(Duration::from_secs(60));
    // The re-INVITE runs into Timer B only at 92 s.
    let waited = bench.wait(Duration::from_micros(27_999_999));
    assert!(!waited.contains(&"BYE".to_owned()), "{waited:?}");
    assert_eq!(bench.wait(Duration::from_micros(1)), ["BYE"]);
}

#[test]
fn an_answer_without_a_session_interval_means_that_there_is_none() {
    let mut bench = with(TIMER);
    let invite = call(&mut bench);
    bench.receive(answer(&invite, 200, "x"));
    assert_eq!(bench.agent.background_deadline(), None);
}

#[test]
fn the_callee_says_who_refreshes() {
    // RFC 4028 §9, Table 2; the interval never grows, nor falls below what the caller bears.
    let table = [
        ("", "120;refresher=uas", false),
        ("Supported: timer\r\n", "120;refresher=uac", true),
        (
            "Supported: timer\r\nSession-Expires: 1800\r\n",
            "120;refresher=uac",
            true,
        ),
        (
            "Supported: timer\r\nSession-Expires: 110\r\n",
            "110;refresher=uac",
            true,
        ),
        (
            "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\nMin-SE: 600\r\n",
            "600;refresher=uas",
            false,
        ),
        ("Session-Expires: 1800\r\n", "120;refresher=uas", false),
    ];
    for (fields, expected, requires) in table {
        let mut bench = with(TIMER);
        let ok = taken(&mut bench, fields);
        assert_eq!(ok.header("Session-Expires"), Some(expected), "{fields}");
        assert_eq!(ok.requires("timer"), requires, "{fields}");
    }
    let mut bench = with(SessionTimer {
        refresher: Some(Refresher::Uas),
        ..TIMER
    });
    let ok = taken(&mut bench, "Supported: timer\r\n");
    assert_eq!(ok.header("Session-Expires"), Some("120;refresher=uas"));
    assert_eq!(bench.wait(Duration::from_secs(60)), ["INVITE"]);
}

#[test]
fn a_refresh_from_the_peer_puts_the_end_off() {
    let mut bench = with(TIMER);
    let fields = "Supported: timer\r\nSession-Expires: 120;refresher=uac\r\n";
    let ok = taken(&mut bench, fields);
    bench.wait(Duration::from_secs(59));
    let mut update = in_dialog("UPDATE", "u", 2, &ok);
    update.append("Supported", "timer");
    update.append("Session-Expires", "120;refresher=uac");
    assert_eq!(bench.receive(update), ["200 UPDATE"]);
    let answer = bench.last("200 UPDATE");
    assert_eq!(answer.header("Session-Expires"), Some("120;refresher=uac"));
    assert_eq!(
        bench.wait(Duration::from_micros(87_999_999)),
        Vec::<String>::new()
    );
    assert_eq!(bench.wait(Duration::from_micros(1)), ["BYE"]);
}

#[test]
fn an_interval_that_is_too_small_is_422_and_asked_for_again() {
    let mut bench = with(TIMER);
    let fields = "Supported: timer\r\nSession-Expires: 90\r\n";
    assert_eq!(
        bench.receive(request("INVITE", "1", fields)),
        ["422 INVITE"]
    );
    assert_eq!(bench.last("422 INVITE").min_se(), Ok(Some(100)));
    let mut bench = with(TIMER);
    let first = call(&mut bench);
    let mut small = answer(&first, 422, "x");
    small.append("Min-SE", "300");
    assert_eq!(bench.receive(small), ["ACK", "INVITE"]);
    let second = bench.last("INVITE");
    assert_eq!(second.header("Session-Expires"), Some("300"));
    assert_eq!(second.min_se(), Ok(Some(300)));
    // RFC 4028 §7.3: the same Call-ID, a CSeq that rises.
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(second.cseq().map(|cseq| cseq.number), Ok(2));
    // Who keeps saying so is not asked without end.
    let mut again = answer(&second, 422, "x");
    again.append("Min-SE", "300");
    assert_eq!(bench.receive(again), ["ACK"]);
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
}

#[test]
fn a_refresh_that_is_too_short_is_asked_for_again() {
    for (refresh, method) in [(Refresh::Reinvite, "INVITE"), (Refresh::Update, "UPDATE")] {
        let mut bench = granted(SessionTimer { refresh, ..TIMER }, "120;refresher=uac");
        bench.wait(Duration::from_secs(60));
        let mut small = answer(&bench.last(method), 422, "x");
        small.append("Min-SE", "200");
        assert!(bench.receive(small).contains(&method.to_owned()));
        let again = bench.last(method);
        assert_eq!(again.header("Session-Expires"), Some("200;refresher=uac"));
    }
}

#[test]
fn a_refresh_waits_for_the_ack_of_the_peers_own_offer() {
    let mut bench = with(TIMER);
    let ok = taken(&mut bench, "");
    bench.wait(Duration::from_secs(58));
    bench.receive(in_dialog("INVITE", "2", 2, &ok));
    // That was a refresh as well: half time is 60 s from here.
    let waited = bench.wait(Duration::from_secs(30));
    assert!(!waited.contains(&"INVITE".to_owned()), "{waited:?}");
}

#[test]
fn a_session_interval_that_cannot_be_read_is_400_and_one_of_nothing_is_90_s() {
    let mut bench = with(TIMER);
    let sent = bench.receive(request("INVITE", "1", "Session-Expires: soon\r\n"));
    assert_eq!(sent, ["400 INVITE"]);
    let mut bench = granted(TIMER, "0;refresher=uas");
    assert_eq!(bench.wait(Duration::from_secs(59)), Vec::<String>::new());
    assert_eq!(bench.wait(Duration::from_secs(1)), ["BYE"]);
}
