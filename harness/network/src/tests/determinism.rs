//! Equal seeds give equal records; what is unrelated shifts no draw.

use super::*;
use crate::{Injection, Latency, NatOptions, PartsPerMillion, Scope, fault};

/// A busy run: Alice asks Bob and Carol fifty times over jittery links with loss, duplication and corruption.
fn busy(seed: u64, extra: impl FnOnce(&World)) -> World {
    let world = World::new(seed, Platform::Linux);
    world.network.set_default_latency(Latency {
        min: ms(1),
        max: ms(20),
    });
    for host in [world.bob, world.carol] {
        world.network.start(host, echo);
    }
    // First, so that whatever is numbered is numbered differently.
    extra(&world);
    let some = PartsPerMillion::new(200_000).expect("in range");
    for fault in [
        fault::drop(),
        fault::duplicate(1, ms(1)),
        fault::corrupt(2),
        fault::delay(ms(0), ms(9)),
    ] {
        world
            .network
            .inject(Injection::new(fault, Scope::Everywhere).probability(some));
    }
    world.network.start(world.alice, |host| async move {
        let socket = bind(&host, "10.0.8.1:9");
        for _ in 0..50 {
            let text = host.draw("text").to_string();
            for peer in ["10.0.8.2:7", "10.0.9.3:7"] {
                let _sent = socket.send_to(text.clone(), peer.parse().expect("valid"));
            }
            pause(&host, host.draw("pause") % 30).await;
        }
    });
    world.run_to(60_000);
    world
}

// Hundreds of runs compared record by record, not by a hash that could collide.
#[test]
fn one_seed_is_one_run() {
    let first = busy(7, |_| ()).records();
    assert!(first.len() > 500, "a run worth comparing: {}", first.len());
    for _ in 0..200 {
        assert!(busy(7, |_| ()).records() == first);
    }
    assert!(
        busy(8, |_| ()).records() != first,
        "another seed is another run"
    );
}

/// A busy run behind a NAT that expires and rebinds, over a slow link, with Bob frozen for a while.
fn crowded_out(world: &World) {
    let outside = vec![[203, 0, 113, 1].into(), [203, 0, 113, 2].into()];
    let options = NatOptions::new(outside);
    world.network.add_nat(LanId(0), options).expect("the first");
    for (millis, fault) in [
        (100, fault::slow(2_000, fault::QueueLimit::default())),
        (200, fault::nat_expire()),
        (300, fault::freeze()),
        (400, fault::nat_rebind()),
    ] {
        world.network.schedule(at(millis), move |network| {
            network.inject(Injection::new(fault, Scope::Everywhere).lasts(ms(300)));
        });
    }
}

// The NAT's ports, the queue and the overdue timers are all in the records: they must come out the same each time.
#[test]
fn one_seed_is_one_run_through_a_nat_and_frozen() {
    let first = busy(7, crowded_out).records();
    let some = |wanted: fn(&Event) -> bool| first.iter().any(|record| wanted(&record.event));
    assert!(some(|event| matches!(event, Event::Translated { .. })));
    assert!(some(|event| matches!(event, Event::HostResumed { .. })));
    for _ in 0..20 {
        assert!(busy(7, crowded_out).records() == first);
    }
    assert!(busy(8, crowded_out).records() != first);
}

#[test]
fn threads_do_not_matter() {
    let here = busy(7, |_| ()).records();
    let threads: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(|| busy(7, |_| ()).records()))
        .collect();
    for thread in threads {
        assert!(thread.join().expect("no panic") == here);
    }
}

/// What happened to datagrams between Alice and Bob: when, and what the faults numbered up to 3 did.
fn between_alice_and_bob(world: &World) -> Vec<(Instant, String)> {
    let (alice, bob) = (Some(world.alice), Some(world.bob));
    let concerns = |packet: &crate::Packet| {
        packet.receiver.is_some()
            && [alice, bob].contains(&packet.sender)
            && [alice, bob].contains(&packet.receiver)
    };
    let told = |record: Record| {
        let text = match &record.event {
            Event::Sent { packet } => ("sent", packet),
            Event::Delivered { packet } => ("delivered", packet),
            Event::Lost { packet, .. } => ("lost", packet),
            Event::Altered { packet, .. } => ("altered", packet),
            _ => return None,
        };
        concerns(text.1).then(|| (record.at, format!("{} {:?}", text.0, text.1.datagram())))
    };
    world.records().into_iter().filter_map(told).collect()
}

// Another host, another LAN, another fault on Carol's link, in whatever order: Alice and Bob notice nothing.
#[test]
fn unrelated_things_shift_no_draw() {
    let plain = between_alice_and_bob(&busy(7, |_| ()));
    assert!(plain.len() > 200);
    let lost = between_alice_and_bob(&busy(7, |world| {
        let link = Scope::Link {
            from: world.alice,
            to: world.carol,
        };
        world.network.inject(Injection::new(fault::drop(), link));
    }));
    assert!(lost == plain);
    let hidden = between_alice_and_bob(&busy(7, |world| {
        let options = NatOptions::new(vec![[203, 0, 113, 1].into()]);
        world.network.add_nat(LanId(1), options).expect("the first");
        let frozen = Injection::new(fault::freeze(), Scope::Host(world.carol));
        world.network.inject(frozen);
    }));
    assert!(hidden == plain, "Carol behind a NAT and frozen");
    let crowded = between_alice_and_bob(&busy(7, |world| {
        let cellar = lan(&world.network, "cellar", &["10.0.5.0/24"]);
        let dave = host(
            &world.network,
            "dave",
            cellar,
            &["10.0.5.1"],
            Platform::Windows,
        );
        world.network.start(dave, |host| async move {
            let socket = bind(&host, "0.0.0.0:9");
            for _ in 0..100 {
                let _sent = send(&socket, "10.0.9.3:7");
                pause(&host, host.draw("pause") % 30).await;
            }
        });
    }));
    assert!(crowded == plain);
}

// The numbers are pinned: a change of the generator or of any key is a change of every recorded run.
#[test]
fn draws_are_pinned() {
    let world = World::new(42, Platform::Linux);
    let host = world.idle(world.alice);
    let draws = [host.draw("tag"), host.draw("tag"), host.draw("branch")];
    assert_eq!(
        draws,
        [
            7_212_793_950_133_534_846,
            13_704_552_675_288_960_330,
            10_602_201_130_063_690_350
        ]
    );
    let bob = world.idle(world.bob).draw("tag");
    assert!(!draws.contains(&bob), "each host draws for itself");
}
