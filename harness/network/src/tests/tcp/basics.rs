//! The life of a connection, segment by segment.

use super::*;

// Read by hand against RFC 9293: three-way handshake, one acknowledgement after 40 ms where nothing carries it, FIN in
// both directions, one sequence number for each SYN and FIN.
#[test]
fn a_capture_looks_right() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    assert_eq!(write(&alice, "question"), Some(Ok(8)));
    world.run_for(10);
    assert_eq!(read(&bob), text("question"));
    assert_eq!(write(&bob, "answer"), Some(Ok(6)));
    world.run_for(100);
    assert_eq!(read(&alice), text("answer"));
    drop(alice);
    world.run_for(100);
    assert_eq!(read(&bob), end());
    drop(bob);
    world.run_for(100_000);
    insta::assert_snapshot!(world.capture());
    assert_eq!(world.network.foreground_timers(), 0);
    assert_eq!(world.network.next_event(), None);
}

#[test]
fn half_close_ends_one_direction_only() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    assert_eq!(write(&alice, "last words"), Some(Ok(10)));
    assert_eq!(alice.shutdown(), Ok(()));
    world.run_for(100);
    assert_eq!((read(&bob), read(&bob)), (text("last words"), end()));
    assert_eq!(write(&bob, "still here"), Some(Ok(10)));
    world.run_for(100);
    assert_eq!(read(&alice), text("still here"));
    assert_eq!(
        write(&alice, "more"),
        Some(Err(SocketErrorKind::BrokenPipe))
    );
}
