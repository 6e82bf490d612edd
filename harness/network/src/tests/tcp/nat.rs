//! TCP through a NAT, and with processes that freeze or crash: where two subjects meet.

use super::*;
use crate::fault::{self, Fault, Sides};
use crate::{Injection, NatOptions, Scope};

use SocketErrorKind as Kind;

const OUTSIDE: &str = "203.0.113.1";

/// Alice's end of a connection from behind the office's NAT to Carol outside, and Carol's end.
fn through_nat(world: &World) -> (TcpStream, TcpStream) {
    let office = LanId(0);
    let options = NatOptions::new(vec![OUTSIDE.parse().expect("valid")]);
    world.network.add_nat(office, options).expect("the first");
    let listener = listen(&world.idle(world.carol), "10.0.9.3:9");
    let outcome = connect(&world.idle(world.alice), "10.0.9.3:9");
    world.run_for(100);
    let accepted = accept(&listener).expect("it came");
    let stream = outcome
        .take()
        .expect("it is over")
        .expect("nothing hindered it");
    (stream, accepted)
}

fn inject(world: &World, fault: Fault, scope: Scope) {
    world.network.inject(Injection::new(fault, scope));
}

fn text(text: &str) -> Option<Result<String, Kind>> {
    Some(Ok(text.to_owned()))
}

// Carol sees the NAT's address, and what she writes back finds Alice.
#[test]
fn connection_works_through_a_nat_both_ways() {
    let world = World::new(1, Platform::Linux);
    let (alice, carol) = through_nat(&world);
    let seen = carol.peer_address();
    assert_eq!(seen.ip().to_string(), OUTSIDE);
    assert_eq!(
        (write(&alice, "ping"), write(&carol, "pong")),
        (Some(Ok(4)), Some(Ok(4)))
    );
    world.run_for(100);
    assert_eq!((read(&carol), read(&alice)), (text("ping"), text("pong")));
}

// RFC 5382 REQ-5: an idle connection outlives UDP's 30 s by far; two hours and four minutes end it silently.
#[test]
fn idle_mapping_lives_as_long_as_tcp_wants() {
    let world = World::new(1, Platform::Linux);
    let (alice, carol) = through_nat(&world);
    world.run_for(7_000_000);
    assert_eq!(write(&carol, "still?"), Some(Ok(6)));
    world.run_for(100);
    assert_eq!(read(&alice), text("still?"));
    world.run_for(7_500_000);
    assert_eq!(write(&carol, "and now?"), Some(Ok(8)));
    world.run_for(1_000);
    assert_eq!(read(&alice), None, "nobody is behind that port any more");
}

#[test]
fn reset_finds_the_end_behind_the_nat() {
    let world = World::new(1, Platform::Linux);
    let (alice, carol) = through_nat(&world);
    inject(
        &world,
        fault::reset(Sides::Both, 0),
        Scope::Host(world.carol),
    );
    let reset = Some(Err(Kind::ConnectionReset));
    assert_eq!((read(&alice), read(&carol)), (reset.clone(), reset));
}

// The kernel of a frozen process goes on acknowledging until its buffer is full; resumed, the process has it all.
#[test]
fn frozen_process_keeps_its_connection_and_reads_it_later() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    inject(&world, fault::freeze(), Scope::Host(world.bob));
    assert_eq!(write(&alice, "while you slept"), Some(Ok(15)));
    world.run_for(60_000);
    assert_eq!(
        world.network.foreground_timers(),
        0,
        "the kernel has acknowledged"
    );
    inject(&world, fault::resume(), Scope::Host(world.bob));
    world.run_for(10);
    assert_eq!(read(&bob), text("while you slept"));
}

// As for kill: what the process had not read makes the kernel answer with RST, otherwise with FIN.
#[test]
fn crash_closes_connections_as_the_kernel_does() {
    for (unread, at_alice) in [(false, text("")), (true, Some(Err(Kind::ConnectionReset)))] {
        let world = World::new(1, Platform::Linux);
        let (alice, _bob) = pair(&world);
        if unread {
            assert_eq!(write(&alice, "unread"), Some(Ok(6)));
            world.run_for(50);
        }
        inject(&world, fault::crash(), Scope::Host(world.bob));
        world.run_for(50);
        assert_eq!(read(&alice), at_alice, "unread data: {unread}");
    }
}
