//! Each rule against calls that were right and then doctored, so that one thing at a time is wrong, and against faults
//! that no element is to blame for.

mod clauses;
mod extensions;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use linefault_actors::Report;
use linefault_network::{Event as N, Packet, Payload};
use tracing::Level;

use super::{CATALOGUE, Finding};
use crate::evidence::{Evidence, SipMessage};
use crate::run::{Setup, Simulation, simulate};
use crate::scenario::File;
use crate::suite::names;
use crate::trace::{Event, Record, Trace};

const CALL: &str = r#"title = "A call"

[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"
answer = { ring = "300ms", pick_up = "2s" }

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "8s", host = "alice", do = "hang-up" },
]
faults = [
]
"#;

const CANCELLED: &[(&str, &str)] = &[("at = \"8s\"", "at = \"2s\"")];
const BUSY: &[(&str, &str)] = &[("pick_up = \"2s\"", "pick_up = \"2s\", status = 486")];

/// The call with other words in it, as it went.
fn run(changes: &[(&str, &str)]) -> Simulation {
    let text = changes.iter().fold(CALL.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "`{old}` is not in the scenario");
        text.replace(old, new)
    });
    let file =
        File::read("call.toml", &text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let scenario = file.resolve(&file.combinations()[0], &[]).unwrap();
    simulate(&scenario, Setup::default())
}

/// The same run with another trace; the edit gets every record and may change it.
fn doctored(mut run: Simulation, mut edit: impl FnMut(&mut Record, &str)) -> Simulation {
    let mut trace = Trace::default();
    trace.set_hosts(run.trace.hosts().to_vec());
    let mut edits = 0;
    for record in run.trace.records() {
        let mut record = record.clone();
        let before = format!("{record:?}");
        let host = record.host.map_or("", |host| run.trace.host_name(host));
        edit(&mut record, host);
        edits += usize::from(format!("{record:?}") != before);
        trace.push(record.at, record.host, record.cause, record.event);
    }
    assert_ne!(edits, 0, "the edit met nothing");
    run.trace = trace;
    run
}

/// Turns `old` into `new` in every message of that kind that `host` sends, wherever it is seen.
fn rewritten(run: Simulation, host: &str, summary: &str, old: &str, new: &str) -> Simulation {
    let sender = run
        .trace
        .hosts()
        .iter()
        .find(|it| it.name == host)
        .map(|it| it.id);
    doctored(run, |record, _| {
        let Some(packet) = packet(&mut record.event) else {
            return;
        };
        let wanted = packet.sender == sender && says(packet, summary);
        if let Payload::Udp(bytes) = &mut packet.payload
            && wanted
        {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            *bytes = Bytes::from(text.replacen(old, new, 1));
        }
    })
}

/// Forgets that `host` sent messages of that kind; that they arrived stays.
fn unsent(run: Simulation, host: &str, summary: &str) -> Simulation {
    doctored(run, |record, name| {
        let sent = matches!(record.event, Event::Network(N::Sent { .. }));
        let wanted = packet(&mut record.event).is_some_and(|packet| says(packet, summary));
        if sent && wanted && name == host {
            record.event = Event::Settled;
        }
    })
}

fn packet(event: &mut Event) -> Option<&mut Packet> {
    match event {
        Event::Network(N::Sent { packet } | N::Delivered { packet } | N::Lost { packet, .. }) => {
            Some(Arc::make_mut(packet))
        }
        _ => None,
    }
}

fn says(packet: &Packet, summary: &str) -> bool {
    packet
        .datagram()
        .and_then(|datagram| SipMessage::read(datagram))
        .is_some_and(|message| message.summary() == summary)
}

fn findings(run: &Simulation) -> Vec<(&'static str, Finding)> {
    let evidence = Evidence::new(run);
    let all = CATALOGUE.iter().flat_map(|oracle| {
        let found = (oracle.judge)(&evidence);
        found.into_iter().map(|finding| (oracle.name, finding))
    });
    all.collect()
}

fn objectors(run: &Simulation) -> BTreeSet<&'static str> {
    findings(run).into_iter().map(|(name, _)| name).collect()
}

/// Nobody but that oracle objects, and it blames that host.
fn caught(run: &Simulation, oracle: &'static str, host: &str) {
    let found = findings(run);
    assert!(!found.is_empty(), "nobody objects");
    for (name, finding) in found {
        let blamed = finding.host.map_or("", |id| run.trace.host_name(id));
        assert_eq!((name, blamed), (oracle, host), "{}", finding.text);
    }
}

// What is doctored below is right before: otherwise its tests would prove nothing.
#[test]
fn right_calls_meet_no_objection() {
    for changes in [&[][..], CANCELLED, BUSY] {
        assert_eq!(findings(&run(changes)), [], "{changes:?}");
    }
}

#[test]
fn an_answer_that_is_changed_in_kind_is_a_second_answer() {
    let twice = doctored(run(&[]), |record, host| {
        // The request's own copy of an answer to it: two distinct finals on one branch.
        if let Event::Network(N::Sent { packet }) = &mut record.event
            && host == "bob"
            && says(packet, "180 INVITE")
            && let Payload::Udp(bytes) = &mut Arc::make_mut(packet).payload
        {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            *bytes = Bytes::from(text.replacen("180 Ringing", "486 Busy Here", 1));
        }
    });
    assert!(objectors(&twice).contains("one-final-answer"));
}

#[test]
fn an_unacknowledged_failure_is_blamed_on_each_hop_by_itself() {
    caught(
        &unsent(run(BUSY), "alice", "ACK"),
        "finals-acknowledged",
        "alice",
    );
    caught(
        &unsent(run(BUSY), "proxy", "ACK"),
        "finals-acknowledged",
        "proxy",
    );
}

// The proxy only passes the ACK for a 2xx on: that none is made is the caller's fault.
#[test]
fn an_unacknowledged_success_is_the_callers_fault() {
    caught(
        &unsent(run(&[]), "alice", "ACK"),
        "finals-acknowledged",
        "alice",
    );
}

#[test]
fn a_cancel_is_answered_200_if_it_matches() {
    let wrong = rewritten(run(CANCELLED), "bob", "200 CANCEL", "200 OK", "481 No");
    caught(&wrong, "cancel-honoured", "bob");
}

#[test]
fn a_cancelled_invite_ends_in_487() {
    let wrong = rewritten(run(CANCELLED), "bob", "487 INVITE", "487", "486");
    assert_eq!(objectors(&wrong), BTreeSet::from(["cancel-honoured"]));
    let blamed = findings(&wrong).remove(0).1;
    assert!(blamed.text.contains("486"), "{}", blamed.text);
}

// Without provisional answers the CANCEL came too early, whatever else is then wrong.
#[test]
fn a_cancel_before_any_provisional_answer_is_too_early() {
    let early = doctored(run(CANCELLED), |record, host| {
        let provisional = packet(&mut record.event)
            .is_some_and(|packet| says(packet, "100 INVITE") || says(packet, "180 INVITE"));
        if provisional && host == "alice" {
            record.event = Event::Settled;
        }
    });
    let texts: Vec<_> = findings(&early)
        .into_iter()
        .filter(|(name, _)| *name == "cancel-honoured")
        .map(|(_, finding)| finding.text)
        .collect();
    assert_eq!(
        texts,
        ["CANCEL was sent before any provisional answer to its INVITE"]
    );
}

#[test]
fn max_forwards_goes_down_by_one() {
    for (summary, wrong) in [("INVITE", "70"), ("BYE", "68"), ("ACK", "70")] {
        let kept = rewritten(
            run(&[]),
            "proxy",
            summary,
            "Max-Forwards: 69",
            &format!("Max-Forwards: {wrong}"),
        );
        caught(&kept, "forwarding-rules", "proxy");
    }
}

// Bob rings after 300 ms and so says 100 first; that the proxy turns his 180 into one more 100 is as good as passing
// that on.
#[test]
fn a_proxy_keeps_a_100_to_itself() {
    let passed_on = rewritten(run(&[]), "proxy", "180 INVITE", "180 Ringing", "100 Trying");
    caught(&passed_on, "forwarding-rules", "proxy");
}

#[test]
fn identifiers_that_do_not_fit_are_blamed_on_who_made_them() {
    let cases = [
        ("bob", "200 BYE", "From: <sip:alice@", "From: <sip:mallory@"),
        ("bob", "200 BYE", "CSeq: 2", "CSeq: 3"),
        ("alice", "BYE", "CSeq: 2", "CSeq: 1"),
    ];
    for (host, summary, old, new) in cases {
        let wrong = rewritten(run(&[]), host, summary, old, new);
        let blamed = findings(&wrong).into_iter().any(|(name, finding)| {
            let by = finding.host.map(|id| wrong.trace.host_name(id));
            name == "identifiers-fit" && by == Some(host)
        });
        assert!(blamed, "{host} {summary}: {old} → {new}");
    }
}

#[test]
fn an_error_without_a_fault_of_ones_own_is_none() {
    let loud = doctored(run(&[]), |record, host| {
        if let Event::Log(line) = &mut record.event
            && host == "proxy"
        {
            line.level = Level::ERROR;
        }
    });
    caught(&loud, "log-levels", "proxy");
}

// Bob heard the BYE and keeps his dialog: the ends disagree, and something is left over.
#[test]
fn an_end_that_was_told_and_stays_up_disagrees() {
    let deaf = doctored(run(&[]), |record, host| {
        let closed = matches!(
            &record.event,
            Event::Report(Report::Closed { kind: "dialog", .. })
        );
        if closed && host == "bob" {
            record.event = Event::Settled;
        }
    });
    // A record that says "settled" makes the host's open things part of its start: only agreement is left to object.
    caught(&deaf, "ends-agree", "bob");
}

#[test]
fn a_healthy_binding_that_is_removed_is_missed() {
    let mut forgetful = run(&[]);
    let proxy = forgetful.trace.hosts()[0].id;
    let opened = forgetful
        .trace
        .records()
        .iter()
        .find_map(|record| match record.event {
            Event::Report(Report::Opened {
                kind: "binding",
                id,
                ..
            }) => Some(id),
            _ => None,
        });
    let closed = Report::Closed {
        kind: "binding",
        id: opened.unwrap(),
    };
    let at = forgetful.ended_at;
    forgetful
        .trace
        .push(at, Some(proxy), None, Event::Report(closed));
    caught(&forgetful, "bindings-kept", "proxy");
}

// The network, a kernel or the power is to blame for what these do, and no element.
#[test]
fn faults_that_no_element_is_to_blame_for_meet_no_objection() {
    let faults = [
        r#"{ at = "0s", fault = "reorder", from = "proxy", to = "bob", times = 3 }"#,
        r#"{ at = "0s", fault = "duplicate", from = "bob", to = "proxy", apart = "700ms" }"#,
        r#"{ at = "0s", fault = "duplicate", from = "proxy", to = "alice" }"#,
        r#"{ at = "500ms", for = "3s", fault = "partition", between = [["proxy"], ["bob"]] }"#,
        r#"{ at = "1500ms", for = "20s", fault = "partition", between = [["proxy"], ["alice"]] }"#,
        r#"{ at = "7s", for = "60s", fault = "partition", between = [["proxy"], ["bob"]] }"#,
        r#"{ at = "7s", fault = "drop", from = "bob", to = "proxy" }"#,
        r#"{ at = "2s", for = "1s", fault = "kill", host = "proxy" }"#,
        r#"{ at = "5s", for = "1s", fault = "kill", host = "proxy" }"#,
        r#"{ at = "2s", for = "1s", fault = "power-off", host = "bob" }"#,
        r#"{ at = "5s", for = "1s", fault = "kill", host = "alice" }"#,
        r#"{ at = "1400ms", for = "4s", fault = "route-lost", host = "proxy" }"#,
        r#"{ at = "3200ms", for = "1s", fault = "route-lost", host = "bob" }"#,
        r#"{ at = "3300ms", for = "2s", fault = "interface-down", host = "proxy" }"#,
        r#"{ at = "900ms", for = "9s", fault = "firewall-block", host = "proxy" }"#,
        r#"{ at = "1400ms", for = "10s", fault = "freeze", host = "bob" }"#,
        r#"{ at = "7s", for = "20s", fault = "freeze", host = "proxy" }"#,
        r#"{ at = "1500ms", for = "40s", fault = "freeze", host = "alice" }"#,
        r#"{ at = "2s", for = "5s", fault = "crash", host = "bob" }"#,
        r#"{ at = "0s", for = "30s", fault = "delay", from = "proxy", to = "bob", by = "600ms" }"#,
    ];
    for fault in faults {
        for pick_up in ["2s", "20s"] {
            let list = format!("faults = [\n  {fault},\n]\n#");
            let answer = format!("pick_up = \"{pick_up}\"");
            let run = run(&[("faults = [\n]\n", &list), ("pick_up = \"2s\"", &answer)]);
            let mut found = findings(&run);
            // A binding or a call of somebody who is gone may well be left.
            found.retain(|(name, _)| *name != "nothing-left-over");
            assert_eq!(found, [], "{fault} {pick_up}");
        }
    }
}

// Jitter beyond every timer: repeats cross answers, ACKs come late and out of order, transactions end too early.
#[test]
fn slow_and_jittery_networks_meet_no_objection() {
    for latency in ["200ms", "600ms", "100ms..1500ms", "1ms..12s"] {
        for seed in 1..=4 {
            for kind in [&[][..], CANCELLED, BUSY] {
                let head = format!(
                    "title = \"A call\"\n[run]\nseed = {seed}\n[network]\nlatency = \"{latency}\"\n"
                );
                let mut changes = vec![("title = \"A call\"", head.as_str())];
                changes.extend(kind);
                let mut found = findings(&run(&changes));
                found.retain(|(name, _)| *name != "nothing-left-over");
                assert_eq!(found, [], "{latency}, seed {seed}, {kind:?}");
            }
        }
    }
}
