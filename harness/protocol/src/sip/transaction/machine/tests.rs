use super::*;

/// Runs a machine alone, with `events` at their milliseconds, until no timer runs. One line for each effect that is no
/// timer being set or stopped.
fn story(kind: Kind, reliable: bool, events: &[(u64, Event)]) -> String {
    let mut machine = Machine::new(kind, Timers::default(), reliable);
    let mut text = String::new();
    let mut events = events.iter().copied().peekable();
    loop {
        let next = events
            .peek()
            .map(|(millis, _)| Instant::from_micros(millis * 1000));
        let now = match (machine.deadline(), next) {
            (Some(timer), Some(event)) => timer.min(event),
            (timer, event) => match timer.or(event) {
                Some(at) => at,
                None => return text,
            },
        };
        let mut effects = Vec::new();
        if next == Some(now) {
            let (_, event) = events.next().expect("peeked");
            machine
                .apply(now, event, &mut effects)
                .expect("a legal event");
        } else {
            machine.expire(now, &mut effects);
        }
        for effect in effects {
            text += &match effect {
                Effect::Do(action) => format!("{now} {action}\n"),
                Effect::TimedOut(timer) => format!("{now} time-out {timer}\n"),
                Effect::Entered { to, .. } => format!("{now} {to}\n"),
                _ => continue,
            };
        }
    }
}

/// When `wanted` happens in a story.
fn times(story: &str, wanted: &str) -> Vec<String> {
    let lines = story.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter(|(_, what)| *what == wanted)
        .map(|(at, _)| at.to_owned())
        .collect()
}

/// RFC 3261 §17.1.1.2: seven INVITEs, the interval doubling without bound, and the end after 64·T1.
#[test]
fn an_unanswered_invite_is_sent_seven_times_in_32_seconds() {
    let story = story(Kind::InviteClient, false, &[(0, Event::Begin)]);
    assert_eq!(
        times(&story, "send"),
        [
            "0.000", "0.500", "1.500", "3.500", "7.500", "15.500", "31.500"
        ]
    );
    assert_eq!(times(&story, "time-out B"), ["32.000"]);
    assert_eq!(times(&story, "Terminated"), ["32.000"]);
}

/// RFC 3261 §17.1.2.2: intervals double up to T2, so there are eleven.
#[test]
fn an_unanswered_bye_is_sent_eleven_times_in_32_seconds() {
    let story = story(Kind::NonInviteClient, false, &[(0, Event::Begin)]);
    let expected = [
        "0.000", "0.500", "1.500", "3.500", "7.500", "11.500", "15.500", "19.500", "23.500",
        "27.500", "31.500",
    ];
    assert_eq!(times(&story, "send"), expected);
    assert_eq!(times(&story, "time-out F"), ["32.000"]);
}

/// RFC 3261 §17.1.2.2: the interval that runs when the 100 comes ends as it was set; from then on it is T2.
#[test]
fn a_provisional_response_slows_a_non_invite_down() {
    let story = story(
        Kind::NonInviteClient,
        false,
        &[
            (0, Event::Begin),
            (600, Event::Provisional),
            (9_000, Event::Success),
        ],
    );
    assert_eq!(times(&story, "send"), ["0.000", "0.500", "1.500", "5.500"]);
    assert_eq!(times(&story, "Terminated"), ["14.000"], "Timer K is T4");
}

/// RFC 3261 §17.2.1, and the eleven transmissions that an unacknowledged 488 makes.
#[test]
fn an_unacknowledged_failure_is_sent_eleven_times() {
    let story = story(
        Kind::InviteServer,
        false,
        &[(0, Event::Begin), (100, Event::Failure)],
    );
    assert_eq!(times(&story, "send").len(), 11);
    assert_eq!(
        times(&story, "send").last().map(String::as_str),
        Some("31.600")
    );
    assert_eq!(times(&story, "time-out H"), ["32.100"]);
    assert!(
        times(&story, "send 100").is_empty(),
        "answered within 200 ms"
    );
}

#[test]
fn a_silent_transaction_user_gets_its_100_sent() {
    let story = story(
        Kind::InviteServer,
        false,
        &[(0, Event::Begin), (1_000, Event::Success)],
    );
    assert_eq!(times(&story, "send 100"), ["0.200"]);
    assert_eq!(
        times(&story, "Terminated"),
        ["33.000"],
        "Timer L is 64·T1, RFC 6026 §8.7"
    );
}

/// RFC 3261 §17.1.1.2 and §17.2.2: what only catches repeats has no length where the transport repeats nothing.
#[test]
fn over_a_reliable_transport_nothing_is_repeated_or_waited_for() {
    for (kind, last) in [
        (Kind::InviteClient, Event::Failure),
        (Kind::NonInviteClient, Event::Success),
        (Kind::NonInviteServer, Event::Success),
    ] {
        let story = story(kind, true, &[(0, Event::Begin), (3_000, last)]);
        assert_eq!(times(&story, "Terminated"), ["3.000"], "{kind}");
        assert!(times(&story, "send").len() <= 1, "{kind}");
    }
    let story = story(
        Kind::InviteServer,
        true,
        &[(0, Event::Begin), (10, Event::Failure), (90, Event::Ack)],
    );
    assert_eq!(
        (times(&story, "send").len(), times(&story, "Terminated")),
        (1, vec!["0.090".to_owned()])
    );
}

#[test]
fn an_illegal_event_changes_nothing() {
    let mut machine = Machine::new(Kind::InviteClient, Timers::default(), false);
    let mut effects = Vec::new();
    let illegal = Illegal {
        kind: Kind::InviteClient,
        state: State::Initial,
        event: Event::Ack,
    };
    assert_eq!(
        machine.apply(Instant::START, Event::Ack, &mut effects),
        Err(illegal)
    );
    assert_eq!(
        (machine.state(), machine.deadline(), effects),
        (State::Initial, None, Vec::new())
    );
    assert_eq!(
        illegal.to_string(),
        "INVITE client transaction: ACK cannot happen in state Initial"
    );
}

/// A user may shrink the timers to nothing; the loop around `expire` must still end.
#[test]
fn timers_of_no_length_still_move_time_forward() {
    let timers = Timers {
        t1: Duration::ZERO,
        t2: Duration::ZERO,
        ..Timers::default()
    };
    let mut machine = Machine::new(Kind::NonInviteClient, timers, false);
    let mut effects = Vec::new();
    machine
        .apply(Instant::START, Event::Begin, &mut effects)
        .expect("legal");
    assert_eq!(
        machine.state(),
        State::Terminated,
        "64 times nothing is over at once"
    );
}
