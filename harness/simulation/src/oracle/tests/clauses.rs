//! Clauses of rules that no broken twin of a scenario breaks: each against the run of a scenario that was right and then
//! doctored. That the twins break the others is what the scenarios are run for.

use std::path::Path;

use linefault_network::Instant;

use super::*;

/// The first combination of one of the repository's scenarios, with other words in it.
fn scenario(name: &str, changes: &[(&str, &str)]) -> Simulation {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let text = changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "`{old}` is not in {name}");
        text.replace(old, new)
    });
    let file = File::read(name, &text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let scenario = file.resolve(&file.combinations()[0], &[]).unwrap();
    let run = simulate(&scenario, Setup::default());
    assert_eq!(findings(&run), [], "{name} is right before");
    run
}

/// Turns `old` into `new`, of the same length, in all that `host` says over TCP.
fn reworded(run: Simulation, host: &str, old: &str, new: &str) -> Simulation {
    assert_eq!(old.len(), new.len(), "the sequence numbers stay");
    let sender = run.trace.hosts().iter().find(|it| it.name == host);
    let sender = sender.map(|it| it.id);
    doctored(run, |record, _| {
        if let Some(packet) = packet(&mut record.event)
            && packet.sender == sender
            && let Payload::Tcp(segment) = &mut packet.payload
            && let Ok(text) = std::str::from_utf8(&segment.data)
        {
            segment.data = Bytes::from(text.replacen(old, new, 1));
        }
    })
}

/// Has `host` send the messages of that kind at another moment; when they arrive stays.
fn sent_at(
    run: Simulation,
    host: &str,
    summary: &str,
    moment: impl Fn(Instant) -> Instant,
) -> Simulation {
    doctored(run, |record, name| {
        let sent = matches!(record.event, Event::Network(N::Sent { .. }));
        if sent && name == host && packet(&mut record.event).is_some_and(|it| says(it, summary)) {
            record.at = moment(record.at);
        }
    })
}

/// That oracle objects, with those words.
fn objects(run: &Simulation, oracle: &str, words: &str) {
    let found = findings(run);
    let right = found
        .iter()
        .any(|(name, finding)| *name == oracle && finding.text.contains(words));
    assert!(right, "{found:#?}");
}

// The twin is of who made the Call-ID; here it is the other end, and the steps of its window.
#[test]
fn a_second_try_after_a_491_is_a_multiple_of_10_ms_away() {
    let run = scenario("oracle/glare-waits.toml", &[]);
    let again = Instant::from_micros(5_020_000);
    let uneven = sent_at(run, "bob", "INVITE", |at| match at > again {
        true => Instant::from_micros(at.as_micros() + 1000),
        false => at,
    });
    objects(&uneven, "glare-waits", "who did not make the Call-ID");
}

#[test]
fn a_6xx_goes_before_all_other_failures() {
    let run = scenario("trap/fork-refused-for-all.toml", &[]);
    let other = rewritten(run, "proxy", "600 INVITE", "600", "486");
    let words = "486 INVITE went up although a 6xx had come";
    objects(&other, "global-failure-ends-search", words);
}

#[test]
fn a_6xx_opens_no_branch() {
    let run = scenario("trap/fork-refused-for-all.toml", &[]);
    let began = Instant::from_micros(1_005_000);
    let mut branches = 0;
    // Of the two branches the one to the phone, which has no answer when the tablet refuses.
    let late = doctored(run, |record, host| {
        let invites = packet(&mut record.event).is_some_and(|it| says(it, "INVITE"));
        let sent = matches!(record.event, Event::Network(N::Sent { .. }));
        if sent && invites && host == "proxy" && record.at == began {
            branches += 1;
            if branches == 1 {
                record.at = Instant::from_micros(3_000_000);
            }
        }
    });
    let words = "a branch was opened after a 6xx had been heard";
    objects(&late, "global-failure-ends-search", words);
}

// RFC 3262 §3: the answer that carried the offer's answer must be known to have arrived.
#[test]
fn a_2xx_waits_for_the_prack_of_a_session_description() {
    let soon = ("pick_up = \"1s\"", "pick_up = \"200ms\"");
    let run = scenario("prack/acknowledged.toml", &[soon]);
    let unheard = doctored(run, |record, host| {
        let prack = packet(&mut record.event).is_some_and(|it| says(it, "PRACK"));
        if prack && host == "bob" {
            record.event = Event::Settled;
        }
    });
    let words = "a 2xx overtook a 183 INVITE without its PRACK";
    objects(&unheard, "reliable-provisionals", words);
}

#[test]
fn the_api_knows_a_leg_that_is_there_and_no_other_codes() {
    for (code, words) in [
        ("404 OK", "answered 404 for a leg that is there"),
        ("302 OK", "answered a hang-up with 302"),
    ] {
        let run = scenario("audio/api.toml", &[]);
        let run = reworded(
            run,
            "service",
            "HTTP/1.1 200 OK",
            &format!("HTTP/1.1 {code}"),
        );
        objects(&run, "api-answer", words);
    }
}

#[test]
fn the_api_says_what_is_wrong_in_json() {
    let run = scenario("oracle/api-answer.toml", &[]);
    let run = reworded(
        run,
        "service",
        "{\"status\":\"error\"",
        "{\"status\":\"wrong\"",
    );
    objects(&run, "api-answer", "the body of its 404 is not");
}

#[test]
fn an_error_event_is_of_its_own_request_and_owns_up() {
    for (old, new, words) in [
        ("\"client-1\"", "\"client-7\"", "named request client-7"),
        (
            "\"recoverable\":false",
            "\"recoverable\":true ",
            "called a failure of its own recoverable",
        ),
    ] {
        let run = reworded(
            scenario("stream/program-fails.toml", &[]),
            "service",
            old,
            new,
        );
        objects(&run, "stream-errors", words);
    }
}

#[test]
fn the_metrics_count_every_stream_that_ended() {
    let run = scenario("stream/source-fails.toml", &[]);
    let name = "stream_duration_seconds_count";
    let run = reworded(run, "service", &format!("{name} 2"), &format!("{name} 3"));
    objects(
        &run,
        "stream-metrics",
        "counts 3 streams that ended, and ended 2",
    );
}
