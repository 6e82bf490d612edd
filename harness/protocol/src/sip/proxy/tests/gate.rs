//! Who is let through, how much, and redirections that the proxy follows itself.

use std::collections::BTreeMap;

use super::*;
use crate::sip::digest::{Account, Algorithm, Keyring, Policy};
use crate::sip::proxy::Rules;

fn guarded(barred: bool) -> Rules {
    let account = |barred| Account {
        password: Some("secret".to_owned()),
        barred,
    };
    let accounts = [("1001", account(barred)), ("1002", account(false))];
    Rules {
        authentication: Some(Policy {
            realm: "sim.test".to_owned(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            nonce_lifetime: Duration::from_secs(60),
            accounts: accounts
                .map(|(user, account)| (user.to_owned(), account))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        }),
        challenges_registrations: true,
        challenges_requests: true,
        ..Rules::default()
    }
}

fn bench(rules: Rules) -> Bench {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.proxy = bench.proxy.clone().with_rules(rules);
    bench
}

/// The request once more with what answers the challenge in the last response.
fn signed(bench: &Bench, keys: &mut Keyring, request: &Message, branch: &str) -> Message {
    assert!(keys.take(request, bench.last()));
    let mut again = request.clone();
    keys.sign(&mut again, || "c".to_owned());
    again.set(
        "Via",
        &format!("SIP/2.0/UDP {ALICE};branch=z9hG4bK{branch}"),
    );
    again
}

#[test]
fn a_call_passes_once_its_credentials_are_right_and_a_replay_does_not() {
    let mut bench = bench(guarded(false));
    let mut keys = Keyring::new("1001", "secret");
    assert_eq!(
        bench.receive(ALICE, invite("")),
        [format!("407 INVITE to {ALICE}")]
    );
    let offers = bench.last().fields_of("Proxy-Authenticate").count();
    assert_eq!(offers, 2, "one for each algorithm");
    let again = signed(&bench, &mut keys, &invite(""), "two");
    assert_eq!(
        bench.receive(ALICE, again.clone()),
        [format!("100 INVITE to {ALICE}"), format!("INVITE to {BOB}")]
    );
    let mut replay = again;
    replay.set("Via", &format!("SIP/2.0/UDP {ALICE};branch=z9hG4bKthree"));
    assert_eq!(
        bench.receive(ALICE, replay),
        [format!("407 INVITE to {ALICE}")]
    );
    assert!(
        bench
            .last()
            .header("Proxy-Authenticate")
            .is_some_and(|it| it.contains("stale=true"))
    );
}

#[test]
fn ack_cancel_and_strangers_are_not_challenged() {
    let mut bench = bench(guarded(false));
    let cancel = message("CANCEL sip:1002@sim.test", "CANCEL", "");
    assert_eq!(
        bench.receive(ALICE, cancel),
        [format!("481 CANCEL to {ALICE}")]
    );
    let ack = message("ACK sip:1002@192.0.2.2", "ACK", "");
    assert_eq!(bench.receive(ALICE, ack), [format!("ACK to {BOB}")]);
    let mut stranger = invite("");
    stranger.set("From", "<sip:x@elsewhere.test>;tag=a");
    assert_eq!(
        bench.receive(ALICE, stranger).last(),
        Some(&format!("INVITE to {BOB}"))
    );
}

// RFC 3261 §10.3 steps 3 and 4: first who it is, then whether that one may.
#[test]
fn nobody_registers_for_somebody_else_or_while_barred() {
    for (user, barred) in [("1001", false), ("1001", true)] {
        let mut bench = bench(guarded(barred));
        let mut keys = Keyring::new(user, "secret");
        // To says 1002.
        let mut register = message("REGISTER sip:sim.test", "REGISTER", "");
        if barred {
            register.set("To", "<sip:1001@sim.test>");
        }
        assert_eq!(
            bench.receive(ALICE, register.clone()),
            [format!("401 REGISTER to {ALICE}")]
        );
        let again = signed(&bench, &mut keys, &register, "two");
        assert_eq!(
            bench.receive(ALICE, again),
            [format!("403 REGISTER to {ALICE}")]
        );
    }
}

#[test]
fn without_challenges_a_barred_user_is_known_by_name() {
    let rules = Rules {
        challenges_requests: false,
        ..guarded(true)
    };
    let mut bench = bench(rules);
    assert_eq!(
        bench.receive(ALICE, invite("")),
        [format!("403 INVITE to {ALICE}")]
    );
}

#[test]
fn what_is_too_much_is_refused_and_what_is_under_way_goes_on() {
    let mut bench = bench(Rules {
        max_requests: Some(1),
        retry_after: Duration::from_secs(7),
        ..Rules::default()
    });
    bench.receive(ALICE, invite(""));
    let mut second = invite("");
    second.set("Via", &format!("SIP/2.0/UDP {ALICE};branch=z9hG4bKtwo"));
    assert_eq!(
        bench.receive(ALICE, second),
        [format!("503 INVITE to {ALICE}")]
    );
    assert_eq!(bench.last().header("Retry-After"), Some("7"));
    let mut bye = message("BYE sip:1002@192.0.2.2", "BYE", "");
    bye.set("To", "<sip:1002@sim.test>;tag=b");
    assert_eq!(bench.receive(ALICE, bye), [format!("BYE to {BOB}")]);
}

// Each line differs from the one before in one thing only: what is held, or how large the body is. RFC 3261 §21.4.11:
// Retry-After only where asking again can help.
#[test]
fn a_body_waits_for_room_only_if_there_can_be_any() {
    let rules = Rules {
        body_room: Some(100),
        retry_after: Duration::from_secs(7),
        ..Rules::default()
    };
    let mut bench = bench(rules);
    let text = |size: usize, bench: &mut Bench| {
        let mut text = message("MESSAGE sip:1002@sim.test", "MESSAGE", "");
        text.set(
            "Via",
            &format!("SIP/2.0/UDP {ALICE};branch=z9hG4bK{}", bench.draws),
        );
        text.set_body("text/plain", "x".repeat(size));
        let sent = bench.receive(ALICE, text);
        let waits = bench.last().header("Retry-After").map(str::to_owned);
        (sent.concat(), waits)
    };
    let too_large = format!("413 MESSAGE to {ALICE}");
    let for_now = || (too_large.clone(), Some("7".to_owned()));
    let passes = (format!("MESSAGE to {BOB}"), None);
    assert_eq!(text(101, &mut bench), (too_large.clone(), None));
    let mut offer = invite("");
    offer.set_body("application/sdp", "v".repeat(60));
    bench.receive(ALICE, offer);
    let copy = bench.last().clone();
    assert_eq!(text(101, &mut bench), (too_large.clone(), None));
    assert_eq!(text(41, &mut bench), for_now());
    assert_eq!(text(40, &mut bench), passes);
    assert_eq!(text(1, &mut bench), for_now());
    assert_eq!(text(0, &mut bench), passes);
    bench.receive(BOB, answer(&copy, 200));
    assert_eq!(text(60, &mut bench), passes);
}

// RFC 3261 §16.7 step 4
#[test]
fn a_recursing_proxy_tries_each_contact_once() {
    let mut bench = bench(Rules {
        recurses: true,
        ..Rules::default()
    });
    bench.receive(ALICE, invite(""));
    let forwarded = bench.last().clone();
    let mut moved = answer(&forwarded, 302);
    moved.append(
        "Contact",
        "<sip:a@192.0.2.3>, <sip:1002@192.0.2.2>, <sip:1002@sim.test>",
    );
    assert_eq!(
        bench.receive(BOB, moved.clone()),
        [
            format!("ACK to {BOB}"),
            "INVITE to 192.0.2.3:5060".to_owned()
        ]
    );
    let second = bench.last().clone();
    let mut back = answer(&second, 302);
    back.append("Contact", "<sip:a@192.0.2.3>");
    assert_eq!(
        bench.receive("192.0.2.3:5060", back),
        [
            "ACK to 192.0.2.3:5060".to_owned(),
            format!("302 INVITE to {ALICE}")
        ],
        "nowhere new: it goes up"
    );
}

// RFC 3261 §21.5.5 by one policy, §16.8 by the other.
#[test]
fn an_outside_server_that_is_silent_is_504_or_408_by_policy() {
    for (statuses, code) in [(Statuses::INCIDENT, 504), (Statuses::RFC3261, 408)] {
        let mut bench = Bench::new(statuses);
        bench.receive(ALICE, message("INVITE sip:x@192.0.2.77", "INVITE", ""));
        let words = bench.wait(Duration::from_secs(33));
        assert!(
            words.contains(&format!("{code} INVITE to {ALICE}")),
            "{words:?}"
        );
    }
}

// RFC 3261 §20.19: Timer C lasts no longer than the invitation, however often the callee says that it rings.
#[test]
fn an_invitation_that_is_over_is_cancelled_or_408() {
    for rings in [false, true] {
        let mut bench = bench(Rules::default());
        bench.receive(ALICE, invite("Expires: 10\r\n"));
        let forwarded = bench.last().clone();
        bench.wait(Duration::from_secs(5));
        if rings {
            bench.receive(BOB, answer(&forwarded, 180));
        }
        let words = bench.wait(Duration::from_secs(5));
        let expected = if rings {
            format!("CANCEL to {BOB}")
        } else {
            format!("408 INVITE to {ALICE}")
        };
        assert!(words.contains(&expected), "{words:?}");
    }
}
