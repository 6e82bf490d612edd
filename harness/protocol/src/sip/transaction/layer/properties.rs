//! Whatever arrives in whatever order, the layer neither panics nor loops nor leaks.

use proptest::prelude::*;

use super::*;

/// One thing that happens to a layer.
#[derive(Clone, Debug)]
enum Happening {
    /// A request from the wire: method, branch, whether its Via has the cookie.
    Comes(usize, u8, bool),
    /// A response from the wire: method, branch, status.
    Answered(usize, u8, u16),
    /// A request of the transaction user: method, branch.
    Goes(usize, u8),
    /// A response of the transaction user: transaction, status.
    Answers(u64, u16),
    /// The driver could not send for a transaction.
    Fails(u64),
    /// The transaction user gives one up.
    GivesUp(u64),
    /// Milliseconds pass.
    Passes(u64),
}

const METHODS: [&str; 5] = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"];

fn happening() -> impl Strategy<Value = Happening> {
    let method = 0..METHODS.len();
    prop_oneof![
        (method.clone(), 0..4u8, any::<bool>())
            .prop_map(|(m, b, cookie)| Happening::Comes(m, b, cookie)),
        (method.clone(), 0..4u8, 100..700u16)
            .prop_map(|(m, b, code)| Happening::Answered(m, b, code)),
        (method, 0..4u8).prop_map(|(m, b)| Happening::Goes(m, b)),
        (1..12u64, 100..700u16).prop_map(|(id, code)| Happening::Answers(id, code)),
        (1..12u64).prop_map(Happening::Fails),
        (1..12u64).prop_map(Happening::GivesUp),
        (0..9_000u64).prop_map(Happening::Passes),
    ]
}

fn request(method: &str, branch: u8, cookie: bool, transport: &str) -> Message {
    let mut message = Message::request(Method::from(method), "sip:bob@sim.test");
    let start = if cookie { "z9hG4bK" } else { "" };
    message.append(
        "Via",
        &format!("SIP/2.0/{transport} 192.0.2.1;branch={start}{branch}"),
    );
    message.append("From", "<sip:alice@sim.test>;tag=a");
    message.append("To", "<sip:bob@sim.test>");
    message.append("Call-ID", "1");
    message.append("CSeq", &format!("1 {method}"));
    message
}

/// Lets one thing happen. Errors are legal answers; panics and failed assertions within are not.
fn happen(
    layer: &mut Layer,
    now: &mut Instant,
    transport: &str,
    what: &Happening,
    out: &mut Vec<Output>,
) {
    let peer = SocketAddr::from(([192, 0, 2, 1], 5060));
    let status = |code| Status::new(code).unwrap_or(Status::OK);
    match *what {
        Happening::Comes(method, branch, cookie) => {
            layer.receive(
                *now,
                peer,
                request(METHODS[method], branch, cookie, transport),
                out,
            );
        }
        Happening::Answered(method, branch, code) => {
            let request = request(METHODS[method], branch, true, transport);
            layer.receive(
                *now,
                peer,
                Message::response_to(&request, status(code), None),
                out,
            );
        }
        Happening::Goes(method, branch) => {
            let _id = layer.request(
                *now,
                peer,
                request(METHODS[method], branch, true, transport),
                out,
            );
        }
        Happening::Answers(id, code) => {
            let id = TransactionId(id);
            let request = layer
                .request_of(id)
                .cloned()
                .unwrap_or_else(|| request("BYE", 0, true, transport));
            let _legal = layer.respond(
                *now,
                id,
                Message::response_to(&request, status(code), None),
                out,
            );
        }
        Happening::Fails(id) => layer.transport_failed(*now, TransactionId(id), out),
        Happening::GivesUp(id) => layer.terminate(*now, TransactionId(id), out),
        Happening::Passes(millis) => {
            *now = *now + std::time::Duration::from_millis(millis);
            layer.expire(*now, out);
        }
    }
}

/// Opened and closed must balance, each transaction once and in that order.
fn assert_balanced(out: &[Output]) {
    let mut open = BTreeSet::new();
    for output in out {
        match output {
            Output::Report(Report::Opened { transaction, .. }) => {
                assert!(open.insert(*transaction));
            }
            Output::Report(Report::Closed { transaction }) => assert!(open.remove(transaction)),
            _ => {}
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_ends_in_an_empty_layer(
        transport in prop_oneof![Just("UDP"), Just("TCP")],
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let (mut layer, mut now, mut out) = (Layer::new(Timers::default()), Instant::START, Vec::new());
        for what in &happenings {
            happen(&mut layer, &mut now, transport, what, &mut out);
            // Whatever was due has run out: else the loop that drives the layer would stand still.
            if matches!(what, Happening::Passes(_)) {
                prop_assert!(layer.deadline().is_none_or(|at| at > now));
            }
        }
        // What the transaction user never ended has no timer: a server waits for its answer, an INVITE client in
        // Proceeding for a final response (RFC 3261 §17.1.1.2).
        for id in 1..=layer.last {
            layer.terminate(now, TransactionId(id), &mut out);
        }
        prop_assert!(layer.is_empty() && layer.keys.is_empty() && layer.deadline().is_none());
        assert_balanced(&out);
    }

    /// The same without help: transactions whose user has done its part end by themselves within 64·T1 of silence, twice.
    #[test]
    fn what_was_answered_ends_by_itself(happenings in prop::collection::vec(happening(), 0..60)) {
        let (mut layer, mut now, mut out) = (Layer::new(Timers::default()), Instant::START, Vec::new());
        for what in &happenings {
            happen(&mut layer, &mut now, "UDP", what, &mut out);
        }
        for id in (1..=layer.last).map(TransactionId) {
            if matches!(layer.state(id), Some((Kind::InviteClient, State::Proceeding))) {
                layer.terminate(now, id, &mut out);
            } else if let Some(request) = layer.request_of(id).cloned() {
                let _already = layer.respond(now, id, Message::response_to(&request, Status::OK, None), &mut out);
            }
        }
        let last = now + Timers::default().patience() * 2;
        let mut steps = 0;
        while let Some(next) = layer.deadline() {
            prop_assert!(next > now && next <= last, "{next:?} after {now:?}");
            now = next;
            layer.expire(now, &mut out);
            steps += 1;
            prop_assert!(steps < 2_000);
        }
        prop_assert!(layer.is_empty());
        assert_balanced(&out);
    }

    /// The machines alone, as an oracle replays them: an illegal event is named and changes nothing.
    #[test]
    fn any_event_sequence_is_survived_by_any_machine(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        reliable in any::<bool>(),
        events in prop::collection::vec((prop::sample::select(Event::ALL.to_vec()), 0..40_000u64), 0..40),
    ) {
        let mut machine = Machine::new(kind, Timers::default(), reliable);
        let (mut now, mut effects) = (Instant::START, Vec::new());
        for (event, millis) in events {
            now = now + std::time::Duration::from_millis(millis);
            machine.expire(now, &mut effects);
            prop_assert!(machine.deadline().is_none_or(|at| at > now));
            let before = (machine.state(), machine.deadline());
            if let Err(illegal) = machine.apply(now, event, &mut effects) {
                prop_assert_eq!(illegal, Illegal { kind, state: before.0, event });
                prop_assert_eq!((machine.state(), machine.deadline()), before);
            }
            prop_assert!(machine.state() != State::Terminated || machine.deadline().is_none());
        }
    }
}
