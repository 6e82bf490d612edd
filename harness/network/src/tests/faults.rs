//! Each fault takes effect: its report says so, what arrives shows it, and the run without it differs.

use std::fmt::Write;

use super::*;
use crate::fault::{self, ArgError, ArgProblem, ArgValue, Args, CATALOGUE, Fault};
use crate::{Alteration, FaultReport, Injection, PartsPerMillion, Scope, Stop};

/// Milliseconds and texts, as they were received.
pub(super) type Arrivals = Vec<(u64, String)>;

/// What Bob received of five datagrams that Alice sent 10 ms apart, and the report of the fault in place.
pub(super) fn five(
    fault: impl FnOnce(&World) -> Option<Injection>,
) -> (Arrivals, Option<FaultReport>) {
    let world = World::new(1, Platform::Linux);
    let receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let sender = Rc::new(bind(&world.idle(world.alice), "10.0.8.1:9"));
    let id = fault(&world).map(|injection| world.network.inject(injection));
    for number in 1..=5u64 {
        let sender = Rc::clone(&sender);
        world.network.schedule(at(number * 10), move |_| {
            let sent = sender.send_to(
                format!("number {number}"),
                "10.0.8.2:9".parse().expect("valid"),
            );
            assert_eq!(sent, Ok(8), "a remote fault fails no send");
        });
    }
    let mut received = Vec::new();
    while world.network.advance(at(10_000)) == Advance::Moved {
        while let Some(Ok(text)) = receive(&receiver) {
            received.push((world.network.now().as_micros() / 1000, text));
        }
    }
    (received, id.map(|id| world.network.fault_report(id)))
}

pub(super) fn from_alice(fault: Fault) -> impl FnOnce(&World) -> Option<Injection> {
    |world| {
        Some(Injection::new(
            fault,
            Scope::Link {
                from: world.alice,
                to: world.bob,
            },
        ))
    }
}

pub(super) fn arrivals(expected: &[(u64, u64)]) -> Arrivals {
    expected
        .iter()
        .map(|(at, number)| (*at, format!("number {number}")))
        .collect()
}

pub(super) fn counts(report: Option<FaultReport>) -> (u64, u64) {
    report
        .map(|report| (report.matched, report.applied))
        .expect("a fault was in place")
}

// What all others are compared with: five sends, five arrivals, one latency later.
#[test]
fn without_fault_everything_arrives() {
    let (received, report) = five(|_| None);
    assert_eq!(
        received,
        arrivals(&[(15, 1), (25, 2), (35, 3), (45, 4), (55, 5)])
    );
    assert_eq!(report, None);
}

#[test]
fn drop_loses_the_matches_asked_for() {
    let (received, report) = five(|world| Some(from_alice(fault::drop())(world)?.nth(2)));
    assert_eq!(received, arrivals(&[(15, 1), (35, 3), (45, 4), (55, 5)]));
    assert_eq!(
        counts(report),
        (2, 1),
        "after its one application it judges no more"
    );

    let third = |packet: &crate::Packet| packet.datagram().is_some_and(|data| data.ends_with(b"3"));
    let (received, report) = five(|world| Some(from_alice(fault::drop())(world)?.matching(third)));
    assert_eq!(received, arrivals(&[(15, 1), (25, 2), (45, 4), (55, 5)]));
    assert_eq!(counts(report), (1, 1));

    let (received, report) = five(|world| Some(from_alice(fault::drop())(world)?.times(2)));
    assert_eq!(received, arrivals(&[(35, 3), (45, 4), (55, 5)]));
    assert_eq!(
        (counts(report), report.and_then(|report| report.ended_at)),
        ((2, 2), Some(at(20)))
    );

    let (received, report) = five(|world| Some(from_alice(fault::drop())(world)?.lasts(ms(25))));
    assert_eq!(received, arrivals(&[(35, 3), (45, 4), (55, 5)]));
    assert_eq!(
        (counts(report), report.and_then(|report| report.ended_at)),
        ((2, 2), Some(at(25)))
    );
}

#[test]
fn delay_adds_to_the_latency() {
    let (received, report) = five(from_alice(fault::delay(ms(12), ms(0))));
    assert_eq!(
        received,
        arrivals(&[(27, 1), (37, 2), (47, 3), (57, 4), (67, 5)])
    );
    assert_eq!(counts(report), (5, 5));

    let (jittered, _) = five(from_alice(fault::delay(ms(0), ms(1000))));
    let late = jittered
        .iter()
        .filter(|(at, _)| (15..=1055).contains(at))
        .count();
    assert_eq!(late, 5, "within the bounds: {jittered:?}");
    assert_ne!(
        jittered
            .iter()
            .map(|(_, text)| text.as_str())
            .collect::<Vec<_>>()
            .concat(),
        "number 1number 2number 3number 4number 5"
    );
}

#[test]
fn duplicate_sends_copies_after_the_original() {
    let (received, report) =
        five(|world| Some(from_alice(fault::duplicate(2, ms(3)))(world)?.nth(5)));
    assert_eq!(received[4..], arrivals(&[(55, 5), (58, 5), (61, 5)]));
    assert_eq!((counts(report), received.len()), ((5, 1), 7));
}

// The second is held for the third, and arrives in the same instant just after it.
#[test]
fn reorder_lets_later_packets_overtake() {
    let (received, report) =
        five(|world| Some(from_alice(fault::reorder(1, ms(500)))(world)?.nth(2)));
    assert_eq!(
        received,
        arrivals(&[(15, 1), (35, 3), (35, 2), (45, 4), (55, 5)])
    );
    assert_eq!(counts(report), (2, 1));

    let (received, _) = five(|world| Some(from_alice(fault::reorder(1, ms(500)))(world)?.nth(5)));
    assert_eq!(
        received[4..],
        arrivals(&[(555, 5)]),
        "nothing overtakes the last: it waits as long as it may"
    );
}

#[test]
fn corrupt_flips_as_many_bits_as_asked() {
    for bits in [1, 3, 64] {
        let (received, report) = five(from_alice(fault::corrupt(bits)));
        let raw = corrupted_bits(bits);
        assert_eq!(raw, bits, "bits that differ");
        assert_eq!((counts(report), received.len()), ((5, 5), 5));
    }
}

/// How many bits of an eight-byte datagram differ after `corrupt`.
fn corrupted_bits(bits: u64) -> u64 {
    let world = World::new(1, Platform::Linux);
    let receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let sender = bind(&world.idle(world.alice), "10.0.8.1:9");
    world
        .network
        .inject(Injection::new(fault::corrupt(bits), Scope::Everywhere));
    sender
        .send_to(vec![0; 8], "10.0.8.2:9".parse().expect("valid"))
        .expect("sent");
    world.run_to(100);
    let Poll::Ready(Ok((data, _))) =
        receiver.poll_recv_from(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("it arrives");
    };
    data.iter().map(|byte| u64::from(byte.count_ones())).sum()
}

#[test]
fn truncate_cuts_the_end_off() {
    let (received, report) = five(from_alice(fault::truncate(3)));
    assert!(
        received.iter().all(|(_, text)| text == "num"),
        "{received:?}"
    );
    assert_eq!(counts(report), (5, 5));
    let (received, report) = five(from_alice(fault::truncate(8)));
    assert_eq!(
        (received, counts(report)),
        (five(|_| None).0, (5, 0)),
        "nothing to cut is no application"
    );
}

// 500 datagrams at 20 %: 100 expected, standard deviation 9.
#[test]
fn probability_thins_out() {
    let world = World::new(1, Platform::Linux);
    let _receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let sender = bind(&world.idle(world.alice), "10.0.8.1:9");
    let fifth = PartsPerMillion::new(200_000).expect("in range");
    let id = world
        .network
        .inject(Injection::new(fault::drop(), Scope::Everywhere).probability(fifth));
    (0..500).for_each(|_| assert_eq!(send(&sender, "10.0.8.2:9"), Ok(4)));
    let report = world.network.fault_report(id);
    assert_eq!(report.matched, 500);
    assert!((60..140).contains(&report.applied), "{report:?}");
}

#[test]
fn faults_act_in_the_order_of_arming() {
    let world = World::new(1, Platform::Linux);
    let receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let sender = bind(&world.idle(world.alice), "10.0.8.1:9");
    let inject = |fault| {
        world
            .network
            .inject(Injection::new(fault, Scope::Everywhere))
    };
    let (cut, twice) = (
        inject(fault::truncate(2)),
        inject(fault::duplicate(1, ms(1))),
    );
    let (lost, never) = (inject(fault::drop()), inject(fault::delay(ms(1), ms(0))));
    assert_eq!(send(&sender, "10.0.8.2:9"), Ok(4));
    world.run_to(100);
    assert_eq!(
        receive(&receiver),
        Some(Ok("pi".to_owned())),
        "the copy, made after the cut and before the loss"
    );
    assert_eq!(receive(&receiver), None);
    let applied = [cut, twice, lost, never].map(|id| world.network.fault_report(id).applied);
    assert_eq!(applied, [1, 1, 1, 0]);
    let copies = |event: &Event| {
        matches!(
            event,
            Event::Altered {
                how: Alteration::Duplicated { .. },
                ..
            }
        )
    };
    assert_eq!(world.count(copies), 1);
}

// The router's answer is a packet like any other: a later fault that drops everything drops it as well.
#[test]
fn icmp_errors_meet_faults_too() {
    let errors = |dropped: bool| {
        let world = World::new(1, Platform::Linux);
        let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
        socket.set_recverr(true);
        let unreachable = Scope::Link {
            from: world.alice,
            to: world.bob,
        };
        world
            .network
            .inject(Injection::new(fault::host_unreachable(), unreachable));
        if dropped {
            world
                .network
                .inject(Injection::new(fault::drop(), Scope::Everywhere));
        }
        assert_eq!(send(&socket, "10.0.8.2:9"), Ok(4));
        world.run_to(100);
        socket.take_error().map(|error| error.kind)
    };
    assert_eq!(
        (errors(false), errors(true)),
        (Some(SocketErrorKind::HostUnreachable), None)
    );
}

// Errors about datagrams have a checksum of their own that these faults leave right: they pass, matched but not applied.
#[test]
fn corruption_and_truncation_leave_icmp_alone() {
    for (peer, local) in [
        ("10.0.8.2:99", "10.0.8.1:9"),
        ("[fd00:8::2]:99", "[fd00:8::1]:9"),
    ] {
        for fault in [|| fault::corrupt(8), || fault::truncate(1)] {
            let world = World::new(1, Platform::Linux);
            let socket = bind(&world.idle(world.alice), local);
            socket
                .connect(peer.parse().expect("valid"))
                .expect("remote");
            let id = world
                .network
                .inject(Injection::new(fault(), Scope::Everywhere));
            assert_eq!(socket.send("ping"), Ok(4));
            world.run_to(100);
            assert_eq!(
                socket.take_error().map(|error| error.kind),
                Some(SocketErrorKind::ConnectionRefused),
                "{peer}"
            );
            assert_eq!(
                counts(Some(world.network.fault_report(id))),
                (2, 1),
                "{peer}"
            );
        }
    }
}

// One way, the ICMP error is on the silent side: the question arrives at a closed port and nobody hears of it.
#[test]
fn partition_one_way_silences_icmp_of_that_way() {
    let told = |from_bob| {
        let world = World::new(1, Platform::Linux);
        let socket = bind(&world.idle(world.alice), "[fd00:8::1]:9");
        socket
            .connect("[fd00:8::2]:99".parse().expect("valid"))
            .expect("remote");
        let (a, b) = if from_bob {
            (world.bob, world.alice)
        } else {
            (world.carol, world.alice)
        };
        let scope = Scope::Between {
            a: vec![a],
            b: vec![b],
            one_way: true,
        };
        world
            .network
            .inject(Injection::new(fault::partition(), scope));
        assert_eq!(socket.send("ping"), Ok(4));
        world.run_to(100);
        socket.take_error().map(|error| error.kind)
    };
    assert_eq!(
        (told(true), told(false)),
        (None, Some(SocketErrorKind::ConnectionRefused))
    );
}

/// Whether a question of Alice's to Bob is answered within a second.
fn answered(world: &World, socket: &UdpSocket) -> bool {
    assert_eq!(send(socket, "10.0.8.2:7"), Ok(4));
    let later = world.network.now() + ms(1000);
    world.run_to(later.as_micros() / 1000);
    std::iter::from_fn(|| receive(socket))
        .filter(|received| received.is_ok())
        .count()
        > 0
}

#[test]
fn partition_is_silence_until_healed() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    let groups = |one_way| Scope::Between {
        a: vec![world.bob],
        b: vec![world.alice],
        one_way,
    };
    assert!(answered(&world, &socket));
    let both = world
        .network
        .inject(Injection::new(fault::partition(), groups(false)));
    assert!(!answered(&world, &socket));
    assert_eq!(
        counts(Some(world.network.fault_report(both))),
        (1, 1),
        "the question"
    );
    let unrelated = Injection::new(fault::heal(), Scope::Host(world.carol));
    assert_eq!(
        counts(Some(
            world.network.fault_report(world.network.inject(unrelated))
        )),
        (0, 0)
    );
    assert!(
        !answered(&world, &socket),
        "healing elsewhere does not help"
    );
    let heal = world
        .network
        .inject(Injection::new(fault::heal(), Scope::Host(world.alice)));
    assert_eq!(counts(Some(world.network.fault_report(heal))), (1, 1));
    assert!(answered(&world, &socket));
    let one_way = world
        .network
        .inject(Injection::new(fault::partition(), groups(true)).lasts(ms(1000)));
    assert!(!answered(&world, &socket));
    assert_eq!(
        counts(Some(world.network.fault_report(one_way))),
        (1, 1),
        "the answer alone"
    );
    assert!(answered(&world, &socket), "it has run out");
}

#[test]
fn host_faults_silence_and_healing_restores() {
    type Case = (fn() -> Fault, &'static str);
    let cases: [Case; 6] = [
        (fault::power_off, "power-off"),
        (fault::kill, "kill"),
        (fault::crash, "crash"),
        (fault::freeze, "freeze"),
        (fault::neighbour_gone, "neighbour-gone"),
        (fault::interface_down, "interface-down"),
    ];
    for (fault, name) in cases {
        let world = World::new(1, Platform::Linux);
        world.network.start(world.bob, echo);
        let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
        assert!(answered(&world, &socket), "{name}");
        let id = world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.bob)));
        assert!(!answered(&world, &socket), "{name}");
        assert!(!answered(&world, &socket), "{name} lasts");
        world.network.heal(id);
        assert!(answered(&world, &socket), "{name} is healed");
        let report = world.network.fault_report(id);
        assert_eq!(
            (report.applied, report.armed_at, report.ended_at),
            (1, at(1000), Some(at(3000))),
            "{name}"
        );
    }
}

// A host that is off cannot be switched off again: the second fault says that it did nothing.
#[test]
fn host_fault_that_changes_nothing_says_so() {
    let world = World::new(1, Platform::Linux);
    world.idle(world.bob);
    let inject = |fault| {
        let id = world
            .network
            .inject(Injection::new(fault, Scope::Host(world.bob)));
        counts(Some(world.network.fault_report(id)))
    };
    assert_eq!(
        (
            inject(fault::power_off()),
            inject(fault::power_off()),
            inject(fault::kill())
        ),
        ((1, 1), (1, 0), (1, 0))
    );
    assert_eq!(inject(fault::restart()), (1, 1));
    let stops = |event: &Event| {
        matches!(
            event,
            Event::HostStopped {
                how: Stop::PowerOff,
                ..
            }
        )
    };
    assert_eq!(world.count(stops), 1);
}

// Packets that wait for a neighbour go once it answers: power is back after 1.5 s, the next request comes at 2 s.
#[test]
fn packets_wait_for_a_neighbour_that_comes_back() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    world
        .network
        .inject(Injection::new(fault::power_off(), Scope::Host(world.bob)).lasts(ms(1500)));
    assert_eq!(send(&socket, "10.0.8.2:7"), Ok(4));
    assert_eq!(
        world.network.packets_in_flight(),
        1,
        "a packet that waits is under way"
    );
    world.run_to(2009);
    assert_eq!(receive(&socket), None);
    world.run_to(2010);
    assert_eq!(receive(&socket), Some(Ok("ping".to_owned())));
    assert_eq!(world.network.packets_in_flight(), 0);
}

// The same wait, but the sender loses power meanwhile: what its kernel held is gone, although it boots again in time.
#[test]
fn packets_that_wait_are_lost_with_their_sender() {
    for (fault, arrives) in [
        (fault::power_off as fn() -> Fault, false),
        (fault::kill, true),
    ] {
        let world = World::new(1, Platform::Linux);
        let receiver = bind(&world.idle(world.carol), "10.0.9.3:9");
        let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
        let gone = Injection::new(fault::neighbour_gone(), Scope::Host(world.alice));
        world.network.inject(gone.lasts(ms(1500)));
        assert_eq!(send(&socket, "10.0.9.3:9"), Ok(4));
        world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.alice)).lasts(ms(500)));
        world.run_to(10_000);
        assert_eq!(
            receive(&receiver).is_some(),
            arrives,
            "a process that ends takes nothing from its kernel"
        );
        assert_eq!(world.network.packets_in_flight(), 0);
    }
}

// Detached while off, booted while detached, attached at last: each heal undoes its own fault and no more.
#[test]
fn host_faults_that_overlap_are_undone_each_for_itself() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    let inject = |fault| {
        world
            .network
            .inject(Injection::new(fault, Scope::Host(world.bob)))
    };
    let (off, gone) = (inject(fault::power_off()), inject(fault::neighbour_gone()));
    let again = inject(fault::neighbour_gone());
    world.network.heal(off);
    assert!(!answered(&world, &socket), "it runs, but off the LAN");
    world.network.heal(gone);
    assert!(!answered(&world, &socket), "the other fault lasts");
    world.network.heal(again);
    assert!(answered(&world, &socket));
}

/// Arguments that make every fault of the catalogue.
pub(super) fn some_args(entry: &fault::Entry) -> Args {
    let required = entry.params.iter().filter(|param| param.default.is_none());
    required.fold(Args::new(), |args, param| match param.kind {
        fault::ParamKind::Duration => args.with(param.name, ArgValue::Duration(ms(1))),
        fault::ParamKind::Count => args.with(param.name, ArgValue::Count(1)),
        fault::ParamKind::Choice(words) => {
            args.with(param.name, ArgValue::Choice(words[0].to_owned()))
        }
    })
}

// A front end knows only the catalogue: each entry must make a fault of its own name, and a default must be allowed.
#[test]
fn catalogue_describes_what_it_makes() {
    let mut names: Vec<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
    for entry in CATALOGUE {
        let made = entry.make(&some_args(entry)).map(|fault| fault.name());
        assert_eq!(made, Ok(entry.name));
        assert!(
            entry.doc.ends_with('.') && entry.params.iter().all(|param| param.doc.ends_with('.')),
            "{}",
            entry.name
        );
        for param in entry.params {
            if let (fault::ParamKind::Choice(words), Some(default)) = (param.kind, param.default) {
                assert!(words.contains(&default), "{} {}", entry.name, param.name);
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CATALOGUE.len(), "no two of one name");
}

// What front ends turn into keys, schema and manual: a change of this surface must be seen.
#[test]
fn catalogue_as_front_ends_see_it() {
    let mut text = String::new();
    for fault::Entry {
        name,
        doc,
        acts,
        params,
        ..
    } in CATALOGUE
    {
        writeln!(text, "{name} ({acts:?}): {doc}").expect("a string takes all");
        for fault::Param {
            name,
            kind,
            default,
            doc,
        } in *params
        {
            writeln!(text, "    {name}: {kind:?}, default {default:?}: {doc}")
                .expect("a string takes all");
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn wrong_arguments_are_named() {
    let make = |name: &str, args: Args| {
        let entry = fault::find(name).expect("in the catalogue");
        entry
            .make(&args)
            .err()
            .map(|error| (error.param, error.problem))
    };
    let count = |value| ArgValue::Count(value);
    assert_eq!(
        make("delay", Args::new()),
        Some(("by".to_owned(), ArgProblem::Missing))
    );
    assert_eq!(
        make("drop", Args::new().with("by", count(1))),
        Some(("by".to_owned(), ArgProblem::Unknown))
    );
    let wrong = make("delay", Args::new().with("by", count(1)));
    assert_eq!(
        wrong,
        Some((
            "by".to_owned(),
            ArgProblem::WrongKind(fault::ParamKind::Duration)
        ))
    );
    let range = ArgProblem::OutOfRange {
        least: 68,
        greatest: 65_535,
    };
    let small = make("fragmentation-needed", Args::new().with("mtu", count(67)));
    assert_eq!(small, Some(("mtu".to_owned(), range)));
    let Some((_, ArgProblem::NotAChoice(words))) = make(
        "route-lost",
        Args::new().with("kind", ArgValue::Choice("lost".to_owned())),
    ) else {
        panic!("an unknown word");
    };
    assert_eq!(words[0], "unreachable");
    assert_eq!(ArgError::missing("by").to_string(), "`by` must be given");
}
