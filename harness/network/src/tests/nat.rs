//! Through a NAT: the office, with Alice and Bob, is inside; Carol is outside.

use super::*;
use crate::fault::{self, Fault};
use crate::{Injection, LossReason, NatOptions, Scope, TopologyError};

const OUTSIDE: &str = "203.0.113.1";
const OFFICE: LanId = LanId(0);
const HOME: LanId = LanId(1);

fn world(seed: u64) -> World {
    let world = World::new(seed, Platform::Linux);
    let options = NatOptions::new(vec![OUTSIDE.parse().expect("valid")]);
    world.network.add_nat(OFFICE, options).expect("the first");
    world
}

/// Alice's socket has sent to Carol's; what Carol sees as its sender.
fn mapped(world: &World) -> (UdpSocket, UdpSocket, std::net::SocketAddr) {
    let carol = bind(&world.idle(world.carol), "10.0.9.3:9");
    let alice = bind(&world.idle(world.alice), "10.0.8.1:5060");
    assert_eq!(send(&alice, "10.0.9.3:9"), Ok(4));
    run_for(world, 100);
    let seen = sender(&carol).expect("it arrived");
    (alice, carol, seen)
}

fn run_for(world: &World, millis: u64) {
    world.run_to((world.network.now() + ms(millis)).as_micros() / 1000);
}

fn sender(socket: &UdpSocket) -> Option<std::net::SocketAddr> {
    match socket.poll_recv_from(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok((_, from))) => Some(from),
        _ => None,
    }
}

fn reaches(world: &World, from: &UdpSocket, to: std::net::SocketAddr, at: &UdpSocket) -> bool {
    from.send_to("ring", to).expect("sent");
    run_for(world, 100);
    receive(at).is_some_and(|received| received == Ok("ring".to_owned()))
}

fn lost(world: &World, wanted: LossReason) -> usize {
    world.count(|event| matches!(event, Event::Lost { reason, .. } if *reason == wanted))
}

// The same exchange without a NAT shows Alice's own address: the difference is the translation.
#[test]
fn outside_sees_the_nats_address_and_answers_through_it() {
    let plain = mapped(&World::new(1, Platform::Linux)).2;
    assert_eq!(plain.to_string(), "10.0.8.1:5060");
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    assert_eq!(seen.ip().to_string(), OUTSIDE);
    assert!(reaches(&world, &carol, seen, &alice));
    let rewritten: Vec<_> = world
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Translated { packet, from, to } => Some([*from, *to, packet.from, packet.to]),
            _ => None,
        })
        .collect();
    let [inside, peer] = ["10.0.8.1:5060", "10.0.9.3:9"].map(|text| text.parse().expect("valid"));
    assert_eq!(
        rewritten,
        [[inside, peer, seen, peer], [peer, seen, peer, inside]],
        "both addresses, before and after, each way"
    );
}

// Sent, translated, delivered: a reader of the trace follows one packet by its causes and its number.
#[test]
fn translation_is_a_link_in_the_chain_of_causes() {
    let world = world(1);
    mapped(&world);
    let records = world.records();
    let delivered = records
        .iter()
        .find(|record| matches!(record.event, Event::Delivered { .. }))
        .expect("it arrived");
    let cause = |record: &Record| records[record.cause.expect("caused").0 as usize].clone();
    let translated = cause(delivered);
    let sent = cause(&translated);
    let id = |record: &Record| match &record.event {
        Event::Sent { packet } | Event::Translated { packet, .. } | Event::Delivered { packet } => {
            packet.id
        }
        other => panic!("{other:?}"),
    };
    assert!(matches!(sent.event, Event::Sent { .. }));
    assert!(matches!(translated.event, Event::Translated { .. }));
    assert_eq!([id(&sent), id(&translated)], [id(delivered); 2]);
}

// Private addresses lead nowhere from outside, neighbours reach each other without the NAT, IPv6 is not translated.
#[test]
fn only_one_family_from_one_side_is_translated() {
    let world = world(1);
    let (alice, carol, _) = mapped(&world);
    carol.set_recverr(true);
    assert_eq!(send(&carol, "10.0.8.1:5060"), Ok(4));
    run_for(&world, 100);
    assert_eq!(
        carol.take_error().map(|error| error.kind),
        Some(SocketErrorKind::NetUnreachable)
    );
    assert_eq!(lost(&world, LossReason::NoRoute), 1);
    let bob = bind(&world.idle(world.bob), "10.0.8.2:9");
    assert_eq!(send(&bob, "10.0.8.1:5060"), Ok(4));
    run_for(&world, 100);
    assert_eq!(
        sender(&alice).map(|from| from.to_string()),
        Some("10.0.8.2:9".to_owned())
    );
    let (six, there) = (
        bind(&world.network.host(world.alice), "[fd00:8::1]:5060"),
        bind(&world.network.host(world.carol), "[fd00:9::3]:9"),
    );
    assert_eq!(send(&six, "[fd00:9::3]:9"), Ok(4));
    run_for(&world, 100);
    assert_eq!(
        sender(&there).map(|from| from.to_string()),
        Some("[fd00:8::1]:5060".to_owned())
    );
}

// A router that has no way for a packet says so, also when the packet had to wait for the router; it asks nobody behind a NAT.
#[test]
fn what_waited_for_a_router_without_a_way_is_lost() {
    let world = world(1);
    let (_, carol, _) = mapped(&world);
    let gone = Injection::new(fault::neighbour_gone(), Scope::Host(world.carol));
    world.network.inject(gone.lasts(Duration::from_millis(500)));
    assert_eq!(send(&carol, "10.0.8.1:5060"), Ok(4));
    run_for(&world, 5_000);
    assert_eq!(lost(&world, LossReason::NoRoute), 1);
    assert_eq!(world.network.packets_in_flight(), 0);
}

// 30 s from the last packet out, and not from the last one in (RFC 4787 REQ-6).
#[test]
fn mapping_expires_unless_refreshed_from_inside() {
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    world.run_to(29_800);
    assert!(reaches(&world, &carol, seen, &alice));
    world.run_to(30_100);
    assert!(
        !reaches(&world, &carol, seen, &alice),
        "the answer of 29.8 s refreshed nothing"
    );
    assert_eq!(lost(&world, LossReason::NoMapping), 1);
    assert_eq!(send(&alice, "10.0.9.3:9"), Ok(4));
    run_for(&world, 100);
    let anew = sender(&carol).expect("it goes out again");
    assert_ne!(anew, seen, "by another port");
    world.run_to(50_000);
    assert_eq!(send(&alice, "10.0.9.3:9"), Ok(4));
    world.run_to(70_000);
    assert!(reaches(&world, &carol, anew, &alice), "refreshed at 50 s");
}

// A mapping that runs out while a packet is under way: the packet is judged when it gets there.
#[test]
fn packets_meet_the_nat_when_they_reach_it() {
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    world.run_to(29_999);
    carol.send_to("late", seen).expect("sent");
    world.run_to(31_000);
    assert_eq!(
        (receive(&alice), lost(&world, LossReason::NoMapping)),
        (None, 1)
    );
}

#[test]
fn strangers_are_filtered() {
    let world = world(1);
    let (alice, _carol, seen) = mapped(&world);
    let stranger = bind(&world.network.host(world.carol), "10.0.9.3:10");
    assert!(
        !reaches(&world, &stranger, seen, &alice),
        "the same host by another port"
    );
    assert_eq!(lost(&world, LossReason::Filtered), 1);
    let nobody = std::net::SocketAddr::new(seen.ip(), seen.port() ^ 2);
    assert!(!reaches(&world, &stranger, nobody, &alice));
    assert_eq!(
        lost(&world, LossReason::NoMapping),
        1,
        "a port without a mapping"
    );
}

// RFC 5508 REQ-4: the error quotes the NAT's address, and must come to the socket inside all the same.
#[test]
fn icmp_errors_reach_the_socket_inside() {
    type Case = (&'static str, Option<fn() -> Fault>, SocketErrorKind);
    let cases: [Case; 3] = [
        ("10.0.9.3:99", None, SocketErrorKind::ConnectionRefused),
        (
            "10.0.9.3:9",
            Some(fault::host_unreachable),
            SocketErrorKind::HostUnreachable,
        ),
        (
            "10.0.9.3:9",
            Some(|| fault::fragmentation_needed(68)),
            SocketErrorKind::MessageTooLong,
        ),
    ];
    for (peer, fault, expected) in cases {
        let world = world(1);
        let (alice, _carol, _) = mapped(&world);
        alice.set_recverr(true);
        alice.connect(peer.parse().expect("valid")).expect("remote");
        let everywhere = |fault: fn() -> Fault| Injection::new(fault(), Scope::Everywhere);
        fault.map(|fault| world.network.inject(everywhere(fault)));
        assert_eq!(alice.send(vec![0; 100]), Ok(100));
        run_for(&world, 100);
        let told = alice.take_error().map(|error| error.kind);
        assert_eq!(told, Some(expected), "{peer}");
    }
}

// RFC 5508 REQ-5: outside, the error must quote what was sent there, or Carol's connected socket would not know it.
#[test]
fn icmp_errors_from_inside_name_the_outside_address() {
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    carol.connect(seen).expect("remote");
    drop(alice);
    assert_eq!(carol.send("ring"), Ok(4));
    run_for(&world, 100);
    assert_eq!(
        carol.take_error().map(|error| error.kind),
        Some(SocketErrorKind::ConnectionRefused)
    );

    carol.set_recverr(true);
    let off = Injection::new(fault::power_off(), Scope::Host(world.alice));
    world.network.inject(off);
    assert_eq!(carol.send("ring"), Ok(4));
    run_for(&world, 3_060);
    assert_eq!(carol.take_error(), None);
    run_for(&world, 10);
    assert_eq!(
        carol.take_error().map(|error| error.kind),
        Some(SocketErrorKind::HostUnreachable),
        "the NAT asked for Alice in vain"
    );
}

// RFC 4787 REQ-9: two hosts inside reach each other by their outside addresses, and see these.
#[test]
fn hairpinning_works() {
    let world = world(1);
    let (alice, _carol, alices) = mapped(&world);
    let bob = bind(&world.idle(world.bob), "10.0.8.2:5060");
    bob.send_to("hole", alices).expect("sent");
    run_for(&world, 100);
    assert_eq!(
        lost(&world, LossReason::Filtered),
        1,
        "Alice has not sent to Bob yet"
    );
    let bobs = world
        .records()
        .iter()
        .rev()
        .find_map(|record| match &record.event {
            Event::Translated { packet, .. } => Some(packet.from),
            _ => None,
        })
        .expect("Bob has a mapping now");
    alice.send_to("hole", bobs).expect("sent");
    run_for(&world, 100);
    assert_eq!(sender(&bob), Some(alices));
    assert!(reaches(&world, &bob, alices, &alice));
}

#[test]
fn expired_by_a_fault_the_mapping_is_gone_at_once() {
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    let expire = |host| {
        let id = world
            .network
            .inject(Injection::new(fault::nat_expire(), Scope::Host(host)));
        let report = world.network.fault_report(id);
        (report.matched, report.applied, report.ended_at.is_some())
    };
    assert_eq!(expire(world.bob), (1, 0, true), "Bob has no mapping");
    assert!(reaches(&world, &carol, seen, &alice));
    assert_eq!(expire(world.alice), (1, 1, true));
    assert!(!reaches(&world, &carol, seen, &alice));
    assert_eq!(lost(&world, LossReason::NoMapping), 1);
}

#[test]
fn rebound_by_a_fault_the_mapping_is_elsewhere() {
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    let rebind = Injection::new(fault::nat_rebind(), Scope::Everywhere);
    let report = world.network.fault_report(world.network.inject(rebind));
    assert_eq!(
        (report.matched, report.applied),
        (3, 1),
        "of three hosts, one has a mapping"
    );
    assert!(!reaches(&world, &carol, seen, &alice), "the old port");
    assert_eq!(send(&alice, "10.0.9.3:9"), Ok(4));
    run_for(&world, 100);
    let moved = sender(&carol).expect("the way out still works");
    assert_ne!(moved, seen);
    assert!(reaches(&world, &carol, moved, &alice));
}

// A fault on the link from Carol to Alice must find what Carol sends to the NAT's address.
#[test]
fn faults_know_who_is_behind_the_nat() {
    let world = world(1);
    let (alice, carol, seen) = mapped(&world);
    let scope = Scope::Link {
        from: world.carol,
        to: world.alice,
    };
    let id = world.network.inject(Injection::new(fault::drop(), scope));
    assert!(!reaches(&world, &carol, seen, &alice));
    assert_eq!(world.network.fault_report(id).applied, 1);
}

// Two hosts with one port each get their own outside; a seed decides which, and nothing else does.
#[test]
fn ports_are_the_seeds() {
    let ports = |seed| {
        let world = world(seed);
        let (_alice, carol, first) = mapped(&world);
        let bob = bind(&world.idle(world.bob), "10.0.8.2:5060");
        assert_eq!(send(&bob, "10.0.9.3:9"), Ok(4));
        run_for(&world, 100);
        (first, sender(&carol).expect("it arrived"))
    };
    let (first, second) = ports(1);
    assert_ne!(first, second);
    assert_eq!(ports(1), (first, second));
    assert_ne!(ports(2), (first, second));
}

#[test]
fn mistakes_are_named() {
    let world = world(1);
    let address = |text: &str| text.parse().expect("valid");
    let add = |lan, outside: &[&str]| {
        let outside = outside.iter().map(|text| address(text)).collect();
        world.network.add_nat(lan, NatOptions::new(outside)).err()
    };
    let home = || "home".to_owned();
    assert_eq!(
        add(HOME, &[]),
        Some(TopologyError::NoOutsideAddress { lan: home() })
    );
    let inside = TopologyError::OutsideAddressInside {
        address: address("10.0.9.77"),
        lan: home(),
    };
    assert_eq!(add(HOME, &["10.0.9.77"]), Some(inside));
    let taken = |text: &str, holder: &str| {
        Some(TopologyError::DuplicateAddress {
            address: address(text),
            holder: holder.to_owned(),
        })
    };
    assert_eq!(add(HOME, &["10.0.8.2"]), taken("10.0.8.2", "bob"));
    assert_eq!(add(HOME, &[OUTSIDE]), taken(OUTSIDE, "the NAT of office"));
    let multicast = TopologyError::AddressNotUnicast {
        address: address("224.0.0.1"),
    };
    assert_eq!(add(HOME, &["224.0.0.1"]), Some(multicast));
    let second = TopologyError::SecondNat {
        lan: "office".to_owned(),
    };
    assert_eq!(add(OFFICE, &["203.0.113.9"]), Some(second));
    let unknown = TopologyError::UnknownLan { lan: LanId(9) };
    assert_eq!(add(LanId(9), &["203.0.113.9"]), Some(unknown));
    let lan = lan(&world.network, "provider", &["203.0.113.0/24"]);
    let options = HostOptions {
        name: "dave".to_owned(),
        lan,
        addresses: vec![address(OUTSIDE)],
        platform: Platform::Linux,
    };
    assert_eq!(
        world.network.add_host(options).err(),
        taken(OUTSIDE, "the NAT of office")
    );
}

// The NAT's address may be one of a LAN outside: a host there reaches the mapping as anyone does.
#[test]
fn outside_address_may_be_on_a_lan() {
    let world = world(1);
    let provider = lan(&world.network, "provider", &["203.0.113.0/24"]);
    let dave = host(
        &world.network,
        "dave",
        provider,
        &["203.0.113.7"],
        Platform::Linux,
    );
    let dave = bind(&world.idle(dave), "203.0.113.7:9");
    let alice = bind(&world.idle(world.alice), "10.0.8.1:5060");
    assert_eq!(send(&alice, "203.0.113.7:9"), Ok(4));
    run_for(&world, 100);
    let seen = sender(&dave).expect("it arrived");
    assert!(reaches(&world, &dave, seen, &alice));
}
