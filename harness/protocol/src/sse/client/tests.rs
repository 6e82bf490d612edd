use std::fmt::Write as _;
use std::time::Duration;

use super::super::FailureKind;
use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1000)
}

struct Bench {
    client: Client,
    now: u64,
}

impl Bench {
    fn asked(rules: Rules) -> Self {
        let mut bench = Self {
            client: Client::new(rules),
            now: 0,
        };
        bench.tell(Input::Ask);
        bench
    }

    fn tell(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.client
            .handle(at(self.now), input, &mut effects)
            .unwrap();
        effects
    }

    fn hear(&mut self, heard: Heard) -> Vec<Effect> {
        let connection = Connection(self.client.connections);
        self.tell(Input::From(connection, heard))
    }

    fn event(&mut self, name: &str, data: &str, id: &str) -> Vec<Effect> {
        self.hear(Heard::Item(Item::Event(Event {
            name: name.to_owned(),
            data: data.to_owned(),
            last_id: id.to_owned(),
        })))
    }

    /// Loses the connection; how long the client waits then, in milliseconds, and connects after.
    fn lose(&mut self) -> Option<u64> {
        self.hear(Heard::Lost);
        let due = (self.client.phase() == Phase::Waiting).then(|| self.client.deadline())??;
        let waited = due.as_micros() / 1000 - self.now;
        self.now += waited;
        self.tell(Input::Due);
        Some(waited)
    }

    fn started(&mut self) {
        self.hear(Heard::Stream);
        self.event("init", "{}", "");
    }
}

/// Every pair is rendered: what the table allows and what it calls impossible is reviewed as text.
#[test]
fn the_whole_table() {
    let mut text = String::new();
    for phase in Phase::ALL {
        let _ = writeln!(text, "{}", phase.name());
        for on in On::ALL {
            let row = match step(phase, on) {
                Ok(row) => format!("{:<10} {:?}", row.next.name(), row.acts),
                Err(_) => "impossible".to_owned(),
            };
            let _ = writeln!(text, "  {:<20} {row}", on.name());
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn five_attempts_doubling_from_one_second_then_a_fatal_end() {
    let mut bench = Bench::asked(Rules::default());
    let waits: Vec<_> = std::iter::from_fn(|| bench.lose()).collect();
    assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000]);
    assert_eq!(bench.client.phase(), Phase::GivenUp);
}

#[test]
fn the_base_is_the_last_retry_received_and_the_ceiling_thirty_seconds() {
    let mut bench = Bench::asked(Rules::default());
    bench.hear(Heard::Stream);
    bench.hear(Heard::Item(Item::Retry(5000)));
    let waits: Vec<_> = std::iter::from_fn(|| bench.lose()).collect();
    assert_eq!(waits, [5000, 10_000, 20_000, 30_000, 30_000]);
}

#[test]
fn an_init_alone_does_not_reset_the_counter_and_a_new_token_does() {
    let mut bench = Bench::asked(Rules::default());
    bench.lose();
    bench.started();
    assert_eq!(bench.lose(), Some(2000), "an init is not enough");
    bench.started();
    bench.event("message", "a", "s-1");
    assert_eq!(bench.lose(), Some(1000), "a new token is");
    bench.started();
    // The token that the stream was resumed after is not new.
    bench.event("message", "a", "s-1");
    assert_eq!(bench.lose(), Some(2000));
}

#[test]
fn it_resumes_after_the_last_complete_event() {
    let mut bench = Bench::asked(Rules::default());
    bench.started();
    bench.event("message", "a", "s-1");
    bench.hear(Heard::Lost);
    bench.now += 1000;
    let effects = bench.tell(Input::Due);
    let connect = Effect::Connect {
        connection: Connection(2),
        last_id: "s-1".to_owned(),
    };
    assert!(effects.contains(&connect), "{effects:?}");
}

fn failure(recoverable: bool, severity: Severity) -> String {
    let failure = Failure {
        kind: FailureKind::Business,
        severity,
        message: "no".to_owned(),
        code: None,
        recoverable,
        request_id: "r".to_owned(),
        traceback: None,
    };
    failure.to_json()
}

#[test]
fn what_an_error_event_says_decides_what_becomes_of_the_text() {
    // Columns: recoverable; severity; where it leads to; what is shown then.
    let rows = [
        (true, Severity::Warning, Phase::Flowing, "a"),
        (false, Severity::Warning, Phase::Flowing, "a"),
        (true, Severity::Error, Phase::Waiting, "a"),
        (false, Severity::Fatal, Phase::GivenUp, ""),
    ];
    for (recoverable, severity, phase, text) in rows {
        let mut bench = Bench::asked(Rules::default());
        bench.started();
        bench.event("message", "a", "s-1");
        bench.event("error", &failure(recoverable, severity), "s-1");
        assert_eq!((bench.client.phase(), bench.client.text()), (phase, text));
    }
}

#[test]
fn thirty_seconds_without_an_event_end_it_and_every_event_puts_that_off() {
    let mut bench = Bench::asked(Rules::default());
    bench.now = 29_000;
    bench.started();
    assert_eq!(bench.client.deadline(), Some(at(59_000)));
    bench.now = 59_000;
    let effects = bench.tell(Input::Due);
    assert!(effects.contains(&Effect::Ended(Ending::GaveUp(Reason::Idle))));
    assert!(effects.contains(&Effect::Close(Connection(1))));
}

#[test]
fn a_second_try_by_hand_never_makes_a_second_connection() {
    let mut bench = Bench::asked(Rules::default());
    assert_eq!(bench.tell(Input::Retry), [], "one is there");
    bench.hear(Heard::Lost);
    let connects = |effects: &[Effect]| {
        let connects = effects
            .iter()
            .filter(|it| matches!(it, Effect::Connect { .. }));
        connects.count()
    };
    assert_eq!(
        connects(&bench.tell(Input::Retry)),
        1,
        "the wait is cut short"
    );
    bench.now += 1000;
    assert_eq!(
        connects(&bench.tell(Input::Due)),
        0,
        "and does not end a second time"
    );
    // The connection before is nobody's any more.
    assert_eq!(bench.tell(Input::From(Connection(1), Heard::Lost)), []);
}

#[test]
fn only_a_done_or_a_json_answer_makes_it_complete() {
    let mut bench = Bench::asked(Rules::default());
    bench.started();
    bench.event("message", "a", "s-1");
    let ended = bench.event("done", "{}", "s-2");
    assert!(ended.contains(&Effect::Ended(Ending::Complete)));
    assert_eq!(bench.client.deadline(), None);

    let mut bench = Bench::asked(Rules::default());
    bench.hear(Heard::Json);
    let ended = bench.hear(Heard::Whole("all".to_owned()));
    assert!(ended.contains(&Effect::Ended(Ending::Complete)));
    assert_eq!(bench.client.text(), "all");
}

#[test]
fn a_text_without_end_is_given_up() {
    let mut bench = Bench::asked(Rules::default());
    bench.started();
    let piece = "x".repeat(TEXT_MAX / 4);
    for _ in 0..5 {
        bench.event("message", &piece, "");
    }
    assert_eq!(bench.client.phase(), Phase::GivenUp);
    assert!(bench.client.text().len() <= TEXT_MAX);
}

#[test]
fn another_question_starts_from_nothing() {
    let mut bench = Bench::asked(Rules::default());
    bench.started();
    bench.hear(Heard::Item(Item::Retry(9)));
    bench.event("message", "a", "s-1");
    bench.event("done", "{}", "s-2");
    let effects = bench.tell(Input::Ask);
    let fresh = Effect::Connect {
        connection: Connection(2),
        last_id: String::new(),
    };
    assert!(effects.contains(&fresh));
    assert_eq!(bench.client.text(), "");
    assert_eq!(
        bench.lose(),
        Some(1000),
        "the old service's retry is forgotten"
    );
    assert_eq!(bench.client.rules.idle, Some(Duration::from_secs(30)));
}
