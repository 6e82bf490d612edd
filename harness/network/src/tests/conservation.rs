//! Whatever faults do, no packet vanishes without a record.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::fault::{self, Direction, Fault, LostRoute, Prohibited, QueueLimit, Rejection};
use crate::{Alteration, Injection, NatOptions, PartsPerMillion, Scope};

const FAULTS: [fn() -> Fault; 26] = [
    fault::drop,
    || fault::delay(ms(30), ms(200)),
    || fault::duplicate(2, ms(7)),
    || fault::reorder(2, ms(400)),
    || fault::corrupt(3),
    || fault::truncate(2),
    fault::partition,
    fault::heal,
    fault::host_unreachable,
    fault::port_unreachable,
    || fault::prohibited(Prohibited::Net),
    || fault::route_lost(LostRoute::Throw),
    fault::interface_down,
    || fault::firewall_block(Direction::Both),
    fault::neighbour_gone,
    fault::kill,
    fault::power_off,
    fault::restart,
    fault::crash,
    fault::freeze,
    fault::resume,
    fault::nat_expire,
    fault::nat_rebind,
    || fault::slow(5_000, QueueLimit::default()),
    || fault::firewall_reject(Direction::Both, Rejection::Prohibited),
    || fault::firewall_reject(Direction::In, Rejection::PortUnreachable),
];

/// Which fault, at which millisecond, on whom, for how long, how likely.
type Drawn = (usize, u64, usize, u64, u32);

fn schedule(world: &World, (fault, at_millis, scope, lasts, parts): Drawn) {
    let (alice, bob, carol) = (world.alice, world.bob, world.carol);
    let scopes = [
        Scope::Everywhere,
        Scope::Host(bob),
        Scope::Link {
            from: alice,
            to: carol,
        },
        Scope::Between {
            a: vec![bob],
            b: vec![alice, carol],
            one_way: false,
        },
    ];
    let scope = scopes[scope].clone();
    world.network.schedule(at(at_millis), move |network| {
        let probability = PartsPerMillion::new(parts).expect("in range");
        let injection = Injection::new(FAULTS[fault](), scope).probability(probability);
        network.inject(injection.lasts(ms(lasts)));
    });
}

/// Asks the other two every 20 ms, over addresses that exist and one that does not.
async fn chatter(host: Host) {
    let socket = bind(&host, "[::]:0");
    socket.set_recverr(true);
    for _ in 0..100 {
        for peer in [
            "10.0.8.2:7",
            "10.0.9.3:7",
            "[fd00:9::3]:7",
            "10.0.8.99:7",
            "10.0.8.2:8",
        ] {
            let _sent = send(&socket, peer);
        }
        pause(&host, 20).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    // Every packet sent or copied is delivered once or lost once, and the engine's own counts come back to zero.
    #[test]
    fn every_packet_ends_once(
        faults in prop::collection::vec((0..FAULTS.len(), 0..2000u64, 0..4usize, 1..1500u64, 0..=1_000_000u32), 0..8),
        nat in any::<bool>(),
    ) {
        let world = World::new(1, Platform::Linux);
        if nat {
            let outside = vec![[203, 0, 113, 1].into()];
            world.network.add_nat(LanId(0), NatOptions::new(outside)).expect("the first");
        }
        for host in [world.bob, world.carol] {
            world.network.start(host, echo);
        }
        faults.into_iter().for_each(|fault| schedule(&world, fault));
        world.network.start(world.alice, chatter);
        world.run_to(60_000);
        let begun = world.count(|event| {
            matches!(event, Event::Sent { .. } | Event::Altered { how: Alteration::Duplicated { .. }, .. })
        });
        let ended = world.count(|event| matches!(event, Event::Delivered { .. } | Event::Lost { .. }));
        prop_assert!(begun > 100);
        prop_assert_eq!(begun, ended);
        prop_assert_eq!((world.network.packets_in_flight(), world.network.foreground_timers()), (0, 0));
        prop_assert_eq!(world.network.next_event(), None);
    }
}
