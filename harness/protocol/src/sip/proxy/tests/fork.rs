//! Several contacts of one user: RFC 3261 §16.6 and §16.7.

use super::*;
use crate::sip::turn::cancel_of;

/// Bob's other phone. It registered last, so that its branch is the first.
const DESK: &str = "192.0.2.3:5060";

fn two_phones() -> Bench {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.register("sip:1002@sim.test", "<sip:1002@192.0.2.3>");
    bench
}

/// The copies of a request of alice's for the desk phone and for the other one.
fn forked(bench: &mut Bench, request: Message) -> (Message, Message) {
    bench.receive(ALICE, request);
    let copy = |to: &str| {
        let sent = bench.sent.iter().find(|(at, _)| *at == address(to));
        sent.expect("a copy").1.clone()
    };
    (copy(DESK), copy(BOB))
}

fn is_clean(bench: &Bench) -> bool {
    bench.proxy.contexts() == 0
        && bench.proxy.upstream.is_empty()
        && bench.proxy.cancels.is_empty()
        && bench.proxy.deadline().is_none()
        && bench.proxy.lingering_deadline().is_none()
        && bench.layer.is_empty()
}

#[test]
fn an_invite_goes_to_all_contacts_and_an_answer_cancels_the_losers() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    assert_ne!(
        desk.top_via().unwrap().branch(),
        bob.top_via().unwrap().branch()
    );
    bench.receive(DESK, answer(&desk, 180));
    bench.receive(BOB, answer(&bob, 180));
    assert_eq!(
        bench.receive(BOB, answer(&bob, 200)),
        ["200 INVITE to 192.0.2.1:5060", "CANCEL to 192.0.2.3:5060"]
    );
    // The loser's 487 ends at the proxy: its transaction acknowledges it, and nothing goes up after a 2xx.
    assert_eq!(
        bench.receive(DESK, answer(&desk, 487)),
        ["ACK to 192.0.2.3:5060"]
    );
    let cancel_ok = answer(&cancel_of(&desk), 200);
    assert_eq!(bench.receive(DESK, cancel_ok), Vec::<String>::new());
    bench.wait(Duration::from_secs(70));
    assert!(is_clean(&bench));
}

#[test]
fn every_2xx_goes_up_even_one_that_crosses_its_cancel() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    bench.receive(DESK, answer(&desk, 180));
    bench.receive(BOB, answer(&bob, 200));
    let mut late = answer(&desk, 200);
    late.set_to_tag("desk");
    // Once by the branch that was being cancelled, once more as its repetition.
    for _ in 0..2 {
        assert_eq!(
            bench.receive(DESK, late.clone()),
            ["200 INVITE to 192.0.2.1:5060"]
        );
        assert!(bench.last().to().is_ok_and(|to| to.tag() == Some("desk")));
    }
    bench.wait(Duration::from_secs(70));
    assert!(is_clean(&bench));
}

#[test]
fn a_loser_that_was_never_heard_is_cancelled_when_it_is() {
    // RFC 3261 §9.1: no CANCEL before a provisional response, here or after the answer.
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    assert_eq!(
        bench.receive(BOB, answer(&bob, 200)),
        ["200 INVITE to 192.0.2.1:5060"]
    );
    bench.wait(Duration::from_secs(20));
    assert_eq!(
        bench.receive(DESK, answer(&desk, 180)),
        ["CANCEL to 192.0.2.3:5060"]
    );
    // It never answers: 64·T1 after the CANCEL even this branch is given up, and nothing stays.
    bench.wait(Duration::from_secs(70));
    assert!(is_clean(&bench));
}

/// What goes up when the desk phone and the other one answer so, in this order.
#[test]
fn the_best_response_goes_up_once_all_branches_have_ended() {
    let table = [
        // RFC 3261 §16.7 step 6: the lowest class; of one class any, here the one of the first branch.
        (486, 302, "302"),
        (302, 486, "302"),
        (500, 486, "486"),
        (486, 404, "486"),
        (404, 486, "404"),
        // Rather one that helps to ask again.
        (486, 401, "401"),
        (404, 407, "407"),
        (486, 415, "415"),
        (486, 420, "420"),
        (486, 484, "484"),
        // A 6xx before everything else.
        (302, 600, "600"),
        (603, 604, "603"),
        // A 503 says nothing of this proxy.
        (503, 503, "500"),
        (503, 486, "486"),
    ];
    for (first, second, expected) in table {
        let mut bench = two_phones();
        let (desk, bob) = forked(&mut bench, invite(""));
        let held = bench.receive(DESK, answer(&desk, first));
        assert_eq!(held, ["ACK to 192.0.2.3:5060"], "{first} {second}");
        assert_eq!(
            bench.receive(BOB, answer(&bob, second)),
            [
                "ACK to 192.0.2.2:5060".to_owned(),
                format!("{expected} INVITE to 192.0.2.1:5060")
            ],
            "{first} {second}"
        );
        bench.wait(Duration::from_secs(70));
        assert!(is_clean(&bench));
    }
}

#[test]
fn a_challenge_takes_the_challenges_of_the_other_branches_along() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    let mut first = answer(&desk, 401);
    first.append("WWW-Authenticate", "Digest realm=\"desk\"");
    let mut second = answer(&bob, 407);
    second.append("Proxy-Authenticate", "Digest realm=\"other\"");
    bench.receive(DESK, first);
    bench.receive(BOB, second);
    let up = bench.last();
    assert_eq!(up.status().map(crate::sip::Status::code), Some(401));
    assert_eq!(
        (
            up.header("WWW-Authenticate"),
            up.header("Proxy-Authenticate")
        ),
        (
            Some("Digest realm=\"desk\""),
            Some("Digest realm=\"other\"")
        )
    );
}

#[test]
fn a_6xx_cancels_what_is_pending_and_goes_up_when_all_have_ended() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    bench.receive(BOB, answer(&bob, 180));
    assert_eq!(
        bench.receive(DESK, answer(&desk, 603)),
        ["ACK to 192.0.2.3:5060", "CANCEL to 192.0.2.2:5060"]
    );
    assert_eq!(
        bench.receive(BOB, answer(&bob, 487)),
        ["ACK to 192.0.2.2:5060", "603 INVITE to 192.0.2.1:5060"]
    );
}

#[test]
fn a_2xx_that_arrives_after_a_6xx_still_goes_up_and_the_6xx_does_not() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    bench.receive(BOB, answer(&bob, 180));
    bench.receive(DESK, answer(&desk, 603));
    assert_eq!(
        bench.receive(BOB, answer(&bob, 200)),
        ["200 INVITE to 192.0.2.1:5060"]
    );
    let rest = bench.wait(Duration::from_secs(70));
    assert!(!rest.iter().any(|word| word.contains("603")), "{rest:?}");
    assert!(is_clean(&bench));
}

#[test]
fn the_callers_cancel_reaches_every_branch_and_one_487_goes_up() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    bench.receive(DESK, answer(&desk, 180));
    bench.receive(BOB, answer(&bob, 180));
    let cancel = message("CANCEL sip:1002@sim.test", "CANCEL", "");
    let sent = bench.receive(ALICE, cancel.clone());
    assert_eq!(
        sent,
        [
            "200 CANCEL to 192.0.2.1:5060",
            "CANCEL to 192.0.2.3:5060",
            "CANCEL to 192.0.2.2:5060"
        ]
    );
    // A repeated CANCEL is answered by its transaction, and goes no further.
    assert_eq!(
        bench.receive(ALICE, cancel),
        ["200 CANCEL to 192.0.2.1:5060"]
    );
    bench.receive(DESK, answer(&desk, 487));
    assert_eq!(
        bench.receive(BOB, answer(&bob, 487)),
        ["ACK to 192.0.2.2:5060", "487 INVITE to 192.0.2.1:5060"]
    );
}

#[test]
fn a_branch_that_cannot_be_sent_leaves_the_others_alone() {
    let mut bench = two_phones();
    let (_, bob) = forked(&mut bench, invite(""));
    let desk_client = *bench.proxy.upstream.keys().next().unwrap();
    assert_eq!(
        bench.fail(desk_client, Failure::Unreachable),
        Vec::<String>::new()
    );
    // What somebody said (486) tells the caller more than what this proxy makes of silence (480).
    let sent = bench.receive(BOB, answer(&bob, 486));
    assert_eq!(sent[1], "486 INVITE to 192.0.2.1:5060");
    // With nobody left the failure is the answer.
    let mut bench = two_phones();
    forked(&mut bench, invite(""));
    let clients: Vec<_> = bench.proxy.upstream.keys().copied().collect();
    bench.fail(clients[0], Failure::Unreachable);
    assert_eq!(
        bench.fail(clients[1], Failure::Unreachable),
        ["480 INVITE to 192.0.2.1:5060"]
    );
}

#[test]
fn the_first_2xx_to_another_request_is_the_only_one_and_no_cancel_is_sent() {
    let mut bench = two_phones();
    let text = message("MESSAGE sip:1002@sim.test", "MESSAGE", "");
    let (desk, bob) = forked(&mut bench, text.clone());
    bench.receive(DESK, answer(&desk, 100));
    assert_eq!(
        bench.receive(BOB, answer(&bob, 200)),
        ["200 MESSAGE to 192.0.2.1:5060"]
    );
    assert_eq!(
        bench.receive(DESK, answer(&desk, 200)),
        Vec::<String>::new()
    );
    bench.wait(Duration::from_secs(70));
    assert!(is_clean(&bench));
    // RFC 3261 §9.1: only an INVITE can be cancelled, not even a 6xx changes that.
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, text);
    bench.receive(BOB, answer(&bob, 100));
    assert_eq!(
        bench.receive(DESK, answer(&desk, 603)),
        Vec::<String>::new()
    );
    assert_eq!(
        bench.receive(BOB, answer(&bob, 200)),
        ["200 MESSAGE to 192.0.2.1:5060"]
    );
}

#[test]
fn a_silent_branch_of_another_request_lets_no_late_answer_go_up() {
    // RFC 4320 §4.2: by the time that Timer F fires here, the client has given up.
    let mut bench = two_phones();
    let (desk, _) = forked(
        &mut bench,
        message("MESSAGE sip:1002@sim.test", "MESSAGE", ""),
    );
    bench.receive(DESK, answer(&desk, 404));
    let rest = bench.wait(Duration::from_secs(40));
    assert!(rest.iter().all(|word| word.starts_with("MESSAGE to")));
    assert!(is_clean(&bench));
}

#[test]
fn a_bye_is_not_forked_but_goes_to_one_contact_after_another() {
    let mut bench = two_phones();
    let bye = message("BYE sip:1002@192.0.2.2", "BYE", "");
    assert_eq!(bench.receive(ALICE, bye), ["BYE to 192.0.2.2:5060"]);
    let client = *bench.proxy.upstream.keys().next().unwrap();
    assert_eq!(
        bench.fail(client, Failure::Unreachable),
        ["BYE to 192.0.2.3:5060"]
    );
    let second = bench.last().clone();
    assert_eq!(second.request_uri(), Some("sip:1002@192.0.2.3"));
    // Another device knows nothing of the call; that is relayed.
    assert_eq!(
        bench.receive(DESK, answer(&second, 481)),
        ["481 BYE to 192.0.2.1:5060"]
    );
    // With no contact left, the failure is the answer.
    let mut bench = two_phones();
    bench.receive(ALICE, message("BYE sip:1002@192.0.2.2", "BYE", ""));
    for expected in ["BYE to 192.0.2.3:5060", "408 BYE to 192.0.2.1:5060"] {
        let client = *bench.proxy.upstream.keys().next_back().unwrap();
        assert_eq!(bench.fail(client, Failure::Unreachable), [expected]);
    }
    assert_eq!(bench.proxy.contexts(), 0);
}

#[test]
fn another_error_is_no_reason_to_try_the_next_contact() {
    let mut bench = two_phones();
    bench.receive(ALICE, message("BYE sip:1002@192.0.2.2", "BYE", ""));
    let client = *bench.proxy.upstream.keys().next().unwrap();
    assert_eq!(
        bench.fail(client, Failure::Network),
        ["503 BYE to 192.0.2.1:5060"]
    );
}

#[test]
fn timer_c_runs_on_every_branch_by_itself() {
    let mut bench = two_phones();
    let (desk, bob) = forked(&mut bench, invite(""));
    bench.receive(DESK, answer(&desk, 180));
    bench.wait(Duration::from_secs(10));
    bench.receive(BOB, answer(&bob, 180));
    assert_eq!(
        bench.wait(Duration::from_secs(171)),
        ["CANCEL to 192.0.2.3:5060"]
    );
    bench.receive(DESK, answer(&cancel_of(&desk), 200));
    bench.receive(DESK, answer(&desk, 487));
    assert_eq!(
        bench.wait(Duration::from_secs(10)),
        ["CANCEL to 192.0.2.2:5060"]
    );
    let sent = bench.receive(BOB, answer(&bob, 487));
    assert_eq!(sent[1], "487 INVITE to 192.0.2.1:5060");
}
