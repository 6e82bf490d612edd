//! Links that are slow.

use super::faults::{arrivals, counts, five, from_alice};
use super::*;
use crate::fault::{self, QueueLimit};
use crate::{Injection, LossReason, Scope};

/// A datagram of eight bytes is 36 with its headers: 20 ms at this rate.
const RATE: u64 = 1800;

// 20 ms of serialisation each while one comes every 10 ms: each waits 10 ms longer than the one before.
#[test]
fn packets_leave_one_after_the_other() {
    let (received, report) = five(from_alice(fault::slow(RATE, QueueLimit::default())));
    assert_eq!(
        received,
        arrivals(&[(35, 1), (55, 2), (75, 3), (95, 4), (115, 5)])
    );
    assert_eq!(counts(report), (5, 5));
}

// Two packets fit 72 bytes: the fourth finds one on its way out and one waiting. 15 ms: the third would wait 20.
#[test]
fn full_queue_loses_the_newest() {
    let limit = |bytes, millis| QueueLimit {
        bytes,
        time: ms(millis),
    };
    let (received, report) = five(from_alice(fault::slow(RATE, limit(72, 60_000))));
    assert_eq!(received, arrivals(&[(35, 1), (55, 2), (75, 3), (95, 5)]));
    assert_eq!(counts(report), (5, 5), "a packet lost is one altered");
    let (received, _) = five(from_alice(fault::slow(RATE, limit(1_000_000, 15))));
    assert_eq!(received, arrivals(&[(35, 1), (55, 2), (75, 4)]));
    let (received, _) = five(from_alice(fault::slow(RATE, limit(0, 0))));
    assert_eq!(
        received,
        arrivals(&[(35, 1), (55, 3), (75, 5)]),
        "an idle link takes any packet"
    );
}

#[test]
fn tail_drop_has_its_own_reason() {
    let world = World::new(1, Platform::Linux);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    let _receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let one = QueueLimit {
        bytes: 32,
        time: ms(1000),
    };
    let id = world
        .network
        .inject(Injection::new(fault::slow(32, one), Scope::Everywhere));
    (0..3).for_each(|_| assert_eq!(send(&socket, "10.0.8.2:9"), Ok(4)));
    world.run_to(10_000);
    let full = |event: &Event| matches!(event, Event::Lost { reason, .. } if *reason == LossReason::QueueFull(id));
    assert_eq!(world.count(full), 2);
}

// Of a host, all that it sends shares one queue and all that it is sent another: 32 bytes take 10 ms.
#[test]
fn host_has_one_queue_each_way() {
    let world = World::new(1, Platform::Linux);
    let [alice, bob, carol] = [
        (world.alice, "10.0.8.1:9"),
        (world.bob, "10.0.8.2:9"),
        (world.carol, "10.0.9.3:9"),
    ]
    .map(|(host, address)| bind(&world.idle(host), address));
    let slow = fault::slow(3200, QueueLimit::default());
    world
        .network
        .inject(Injection::new(slow, Scope::Host(world.alice)));
    for (socket, to) in [
        (&alice, "10.0.8.2:9"),
        (&alice, "10.0.9.3:9"),
        (&carol, "10.0.8.1:9"),
        (&bob, "10.0.9.3:9"),
    ] {
        assert_eq!(send(socket, to), Ok(4));
    }
    let mut times = Vec::new();
    while world.network.advance(at(1000)) == Advance::Moved {
        for (name, socket) in [("alice", &alice), ("bob", &bob), ("carol", &carol)] {
            while receive(socket).is_some() {
                times.push((world.network.now().as_micros() / 1000, name));
            }
        }
    }
    assert_eq!(
        times,
        [(5, "carol"), (15, "alice"), (15, "bob"), (25, "carol")],
        "Bob to Carol is not slowed; Alice's second waits for her first"
    );
}
