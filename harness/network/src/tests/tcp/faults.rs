//! `reset` and `stall`, and what other faults do to segments.

use super::*;
use crate::fault::{self, Sides};
use crate::{Injection, LossReason, Packet, Payload, Scope};

use SocketErrorKind as Kind;

const RESET: Option<Result<String, Kind>> = Some(Err(Kind::ConnectionReset));

fn link(world: &World) -> Scope {
    Scope::Link {
        from: world.alice,
        to: world.bob,
    }
}

// The side named gets RST at once; the other notices only when it sends.
#[test]
fn reset_now_reaches_the_sides_named() {
    for (sides, at_alice, at_bob) in [
        (Sides::Both, RESET, RESET),
        (Sides::Sender, RESET, None),
        (Sides::Receiver, None, RESET),
    ] {
        let world = World::new(1, Platform::Linux);
        let (alice, bob) = pair(&world);
        let id = world
            .network
            .inject(Injection::new(fault::reset(sides, 0), link(&world)));
        let report = world.network.fault_report(id);
        assert_eq!(
            (report.matched, report.applied, report.ended_at),
            (1, 1, Some(world.network.now()))
        );
        assert_eq!((read(&alice), read(&bob)), (at_alice, at_bob), "{sides:?}");
        if sides == Sides::Sender {
            assert_eq!(write(&bob, "x"), Some(Ok(1)));
            world.run_for(50);
            assert_eq!(read(&bob), RESET, "Alice's kernel knows no such connection");
        }
    }
}

// With Sides::Both, both ends of a busy connection are reset although data is under way both ways.
#[test]
fn reset_now_hits_a_busy_connection() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    for _ in 0..5 {
        assert_eq!(
            (write(&alice, "a"), write(&bob, "b")),
            (Some(Ok(1)), Some(Ok(1)))
        );
        world.run_for(2);
    }
    world.network.inject(Injection::new(
        fault::reset(Sides::Both, 0),
        Scope::Host(world.bob),
    ));
    let _read = (read(&alice), read(&bob));
    assert_eq!((read(&alice), read(&bob)), (RESET, RESET));
    world.run_for(1_000);
    assert_eq!(world.network.packets_in_flight(), 0);
}

#[test]
fn reset_after_bytes_lets_so_many_through() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let id = world
        .network
        .inject(Injection::new(fault::reset(Sides::Both, 8), link(&world)));
    for word in ["four", "more", "last"] {
        assert_eq!(write(&alice, word), Some(Ok(4)));
        world.run_for(10);
    }
    assert_eq!(
        (read(&bob), read(&bob), read(&alice)),
        (text("fourmore"), RESET, RESET)
    );
    assert_eq!(world.network.fault_report(id).applied, 1);
}

#[test]
fn reset_at_a_message() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let hang_up = |packet: &Packet| packet.data().is_some_and(|data| &data[..] == b"hang up");
    world
        .network
        .inject(Injection::new(fault::reset(Sides::Sender, 0), link(&world)).matching(hang_up));
    assert_eq!(
        (write(&alice, "hello"), write(&alice, "hang up")),
        (Some(Ok(5)), Some(Ok(7)))
    );
    world.run_for(50);
    assert_eq!(
        (read(&alice), read(&bob), read(&bob)),
        (RESET, text("hello"), None)
    );
}

// Bob's program stops reading: his buffer fills, his window closes, Alice's buffer fills; healed, all of it arrives.
#[test]
fn stall_closes_the_window_until_it_is_healed() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let id = world
        .network
        .inject(Injection::new(fault::stall(), Scope::Host(world.bob)));
    let chunk = "x".repeat(10_000);
    let mut written = 0;
    for _ in 0..100 {
        while let Some(Ok(length)) = write(&alice, &chunk) {
            written += length;
        }
        assert_eq!(read(&bob), None, "he does not read");
        world.run_for(10_000);
    }
    assert_eq!(written, 65_536 + 65_535);
    assert_eq!(alice.take_error(), None, "his kernel answers her probes");
    let report = world.network.fault_report(id);
    assert_eq!((report.matched, report.applied), (1, 1));
    world.network.heal(id);
    let mut arrived = 0;
    while let Some(Ok(text)) = read(&bob) {
        arrived += text.len();
        world.run_for(200);
    }
    assert_eq!(arrived, written);
}

// Healing wakes a reader that waits, because what it waits for has long been there.
#[test]
fn healing_a_stall_wakes_readers() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let seen: Outcome<usize> = Outcome::default();
    let result = Rc::clone(&seen);
    let _task = world.network.host(world.bob).spawn(async move {
        bob.readable().await;
        result.replace(bob.read(&mut [0; 10]).await.ok());
    });
    let injection = Injection::new(fault::stall(), Scope::Host(world.bob)).lasts(ms(5_000));
    world.network.inject(injection);
    assert_eq!(write(&alice, "hello"), Some(Ok(5)));
    world.run_for(4_000);
    assert_eq!(*seen.borrow(), None);
    world.run_for(1_100);
    assert_eq!(*seen.borrow(), Some(5));
}

// A damaged segment fails its checksum, is lost for that reason, and comes again whole.
#[test]
fn damaged_segments_come_again() {
    for fault in [|| fault::corrupt(1), || fault::truncate(2)] {
        let world = World::new(1, Platform::Linux);
        let (alice, bob) = pair(&world);
        world
            .network
            .inject(Injection::new(fault(), link(&world)).nth(1));
        assert_eq!(write(&alice, "precious"), Some(Ok(8)));
        world.run_for(100);
        assert_eq!(read(&bob), None);
        let checksum = |event: &Event| {
            matches!(
                event,
                Event::Lost {
                    reason: LossReason::Checksum,
                    ..
                }
            )
        };
        assert_eq!(world.count(checksum), 1);
        world.run_for(200);
        assert_eq!(read(&bob), text("precious"));
    }
}

// A path that carries 1,000 bytes: the segment is lost, said to be too long, and goes again in two.
#[test]
fn smaller_path_mtu_means_smaller_segments() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    world.network.inject(Injection::new(
        fault::fragmentation_needed(1000),
        Scope::Host(world.alice),
    ));
    let long = "x".repeat(1_400);
    assert_eq!(write(&alice, &long), Some(Ok(1_400)));
    world.run_for(2_000);
    let received: usize = std::iter::from_fn(|| read(&bob))
        .map(|part| part.expect("no error").len())
        .sum();
    assert_eq!(received, 1_400);
    let longest = world
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Delivered { packet } => packet.segment().map(|_| packet.length()),
            _ => None,
        });
    assert_eq!(longest.max(), Some(1_000));
}

// Of the four segments after a lost one, the first is acknowledged with what came before, and the other three bring it
// back before any time-out.
#[test]
fn a_single_loss_is_repaired_without_a_time_out() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    world
        .network
        .inject(Injection::new(fault::drop(), link(&world)).nth(2));
    for word in ["1", "2", "3", "4", "5", "6"] {
        assert_eq!(write(&alice, word), Some(Ok(1)));
        world.run_for(1);
    }
    world.run_for(45);
    assert_eq!(read(&bob), text("123456"));
}

// Alice closes while she sends again, so that her FIN waits; Bob's data then aborts the connection. With that it is over: a
// FIN behind the RST would leave a timer that keeps the network busy for ever.
#[test]
fn nothing_follows_the_reset_of_a_connection_closed_while_it_sends_again() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    world
        .network
        .inject(Injection::new(fault::drop(), link(&world)).nth(1));
    assert_eq!(write(&alice, "again"), Some(Ok(5)));
    let heard = (0..1_000).find_map(|_| {
        world.run_for(1);
        read(&bob)
    });
    assert_eq!(heard, text("again"));
    drop(alice);
    assert_eq!(write(&bob, "too late"), Some(Ok(8)));
    world.run_for(100);
    let capture = world.capture();
    let last = capture.lines().last().unwrap_or_default();
    assert!(last.contains("RST"), "{capture}");
    let network = &world.network;
    assert_eq!(
        (network.packets_in_flight(), network.foreground_timers()),
        (0, 0)
    );
}

// A forged reset has no sender that an ICMP error could go back to: the error goes to who has the address, and then there is
// nothing left under way. Looking for a receiver again and again would keep the network busy for ever.
#[test]
fn a_firewall_that_rejects_a_forged_reset_is_done_with_it() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let firewall = fault::firewall_reject(fault::Direction::In, fault::Rejection::PortUnreachable);
    world
        .network
        .inject(Injection::new(firewall, Scope::Host(world.bob)));
    world
        .network
        .inject(Injection::new(fault::reset(Sides::Both, 0), link(&world)));
    world.run_for(5_000);
    assert_eq!((read(&alice), read(&bob)), (RESET, None));
    let errors = |event: &Event| matches!(event, Event::Delivered { packet } if matches!(packet.payload, Payload::Icmp(_)));
    assert_eq!(
        (world.count(errors), world.network.packets_in_flight()),
        (1, 0)
    );
}
