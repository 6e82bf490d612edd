//! How calls end: RFC 3261 §9, §13.3.1.4 and §15.

use super::*;

#[test]
fn two_byes_that_cross_are_both_answered() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    assert_eq!(bench.act(|agent, turn| agent.hang_up(turn)), ["BYE"]);
    let ours = bench.last("BYE");
    assert_eq!(bench.receive(in_dialog("BYE", "bye", 2, &ok)), ["200 BYE"]);
    // The peer may have forgotten the dialog by the time that ours arrives.
    bench.receive(answer(&ours, 481, "x"));
    let endings: Vec<_> = bench
        .noted
        .iter()
        .filter(|event| matches!(event, Event::CallEnded(..) | Event::CallClosed(_)))
        .collect();
    assert_eq!(
        endings.len(),
        2,
        "it ends once and is closed once: {endings:?}"
    );
}

#[test]
fn a_callee_that_is_never_acknowledged_may_hang_up_after_64_t1() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", "1", ""));
    bench.wait(Duration::from_secs(1));
    bench.act(|agent, turn| agent.hang_up(turn));
    // RFC 3261 §15: the callee's BYE waits for the ACK or for the time-out of its transaction.
    let waited = bench.wait(Duration::from_micros(31_999_999));
    assert!(!waited.contains(&"BYE".to_owned()), "{waited:?}");
    assert_eq!(bench.wait(Duration::from_micros(1)), ["BYE"]);
}

#[test]
fn a_cancel_is_answered_200_however_often_it_comes_and_however_late() {
    // Repeated: by its transaction. Late: while the INVITE's transaction lives, even after its final response (§9.2).
    let mut bench = Bench::new();
    bench.receive(request("INVITE", "1", ""));
    let ringing = bench.last("180 INVITE");
    let cancel = request("CANCEL", "1", "");
    assert_eq!(bench.receive(cancel.clone()), ["200 CANCEL", "487 INVITE"]);
    assert_eq!(bench.receive(cancel), ["200 CANCEL"]);
    assert_eq!(bench.last("200 CANCEL").header("To"), ringing.header("To"));

    let mut bench = Bench::new();
    let ok = bench.answered_call();
    assert_eq!(
        bench.receive(request("CANCEL", "1", "")),
        ["200 CANCEL"],
        "the call stays"
    );
    assert_eq!(bench.last("200 CANCEL").header("To"), ok.header("To"));
    assert_eq!(bench.receive(in_dialog("BYE", "bye", 2, &ok)), ["200 BYE"]);
}

#[test]
fn a_copy_that_took_another_way_is_482_even_after_the_answer() {
    // RFC 3261 §8.2.2.2 asks for ongoing transactions, not for what the call is doing.
    let mut bench = Bench::new();
    bench.answered_call();
    assert_eq!(
        bench.receive(request("INVITE", "other-way", "")),
        ["482 INVITE"]
    );
    assert_eq!(bench.receive(request("MESSAGE", "m1", "")), ["200 MESSAGE"]);
    assert_eq!(bench.receive(request("MESSAGE", "m2", "")), ["482 MESSAGE"]);
    // Timer L is over: nothing is known of the INVITE any more, so that it is a new one.
    bench.wait(Duration::from_secs(33));
    assert_eq!(
        bench.receive(request("INVITE", "much-later", "")),
        ["486 INVITE"]
    );
}

#[test]
fn who_leaves_ends_the_call_and_the_registration() {
    let mut bench = Bench::new();
    bench.act(|agent, turn| agent.register(turn));
    let register = bench.last("REGISTER");
    bench.receive(answer(&register, 200, "r"));
    bench.answered_call();
    assert_eq!(
        bench.act(|agent, turn| agent.leave(turn)),
        ["BYE", "REGISTER"]
    );
    assert_eq!(bench.last("REGISTER").expires(), Ok(Some(0)));
}

#[test]
fn an_answer_that_comes_after_the_end_is_acknowledged_and_that_of_another_fork_ended() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    bench.receive(answer(&invite, 200, "one"));
    bench.act(|agent, turn| agent.hang_up(turn));
    let bye = bench.last("BYE");
    bench.receive(answer(&bye, 200, "one"));
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
    // RFC 3261 §13.2.2.4: each 2xx wants its ACK. The first dialog has been ended, the second one has not.
    assert_eq!(bench.receive(answer(&invite, 200, "one")), ["ACK"]);
    assert_eq!(bench.receive(answer(&invite, 200, "two")), ["ACK", "BYE"]);
    // Nothing of that is remembered for longer than the transaction: the next call's end sweeps it out.
    bench.wait(Duration::from_secs(70));
    let invite = call(&mut bench);
    bench.receive(answer(&invite, 486, "three"));
    assert!(bench.agent.clients.is_empty() && bench.agent.calls.is_empty());
}
