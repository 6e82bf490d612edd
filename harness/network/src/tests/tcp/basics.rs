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

// The program of an IPv6 socket sees IPv4 peers as mapped addresses; on the wire they are what they are.
#[test]
fn an_ipv6_listener_takes_both_families() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
    let listener = listen(&bob, "[::]:9");
    for (to, peer) in [
        ("10.0.8.2:9", "[::ffff:10.0.8.1]:32768"),
        ("[fd00:8::2]:9", "[fd00:8::1]:32769"),
        ("[::ffff:10.0.8.2]:9", "[::ffff:10.0.8.1]:32770"),
    ] {
        let outcome = connect(&alice, to);
        world.run_for(50);
        let (stream, accepted) = (outcome.take(), accept(&listener).expect("it came"));
        assert_eq!(accepted.peer_address().to_string(), peer);
        let stream = stream.expect("over").expect("listening");
        assert_eq!(stream.peer_address().to_string(), to);
        assert_eq!(
            write(&accepted, "hello"),
            Some(Ok(5)),
            "and it works both ways"
        );
        world.run_for(50);
        assert_eq!(read(&stream), text("hello"));
    }
}

// IPv6 has 20 bytes more of header, so that its segments are shorter (RFC 6691).
#[test]
fn segments_fill_a_packet_of_1500_bytes() {
    for to in ["10.0.8.2:9", "[fd00:8::2]:9"] {
        let world = World::new(1, Platform::Linux);
        let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
        let _listener = listen(&bob, "[::]:9");
        let outcome = connect(&alice, to);
        world.run_for(50);
        let stream = outcome.take().expect("over").expect("listening");
        assert_eq!(write(&stream, &"x".repeat(5_000)), Some(Ok(5_000)));
        let longest = world
            .records()
            .into_iter()
            .filter_map(|record| match record.event {
                Event::Sent { packet } => Some(packet.length()),
                _ => None,
            });
        assert_eq!(longest.max(), Some(1_500), "{to}");
    }
}

#[test]
fn tokios_traits_carry_data_ends_and_errors() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new(1, Platform::Macos);
    let (alice, bob) = pair(&world);
    let outcome = Outcome::default();
    let result = Rc::clone(&outcome);
    let _echo = world.network.host(world.bob).spawn(async move {
        let (mut reading, mut writing) = bob.into_split();
        let mut text = String::new();
        let read = reading.read_to_string(&mut text).await;
        let written = AsyncWriteExt::write_all(&mut writing, text.to_uppercase().as_bytes()).await;
        // Both halves go: the connection closes, and nothing was left unread.
        (read.is_ok(), written.is_ok())
    });
    let _task = world.network.host(world.alice).spawn(async move {
        let mut alice = alice;
        AsyncWriteExt::write_all(&mut alice, b"hello")
            .await
            .expect("sent");
        AsyncWriteExt::shutdown(&mut alice)
            .await
            .expect("connected");
        let mut text = String::new();
        alice.read_to_string(&mut text).await.expect("no error");
        let error = AsyncWriteExt::write_all(&mut alice, b"more")
            .await
            .expect_err("shut down");
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<SocketError>())
            .copied();
        result.replace(Some((text, error.kind(), inner)));
    });
    world.run_for(1_000);
    let error = SocketError::new(SocketErrorKind::BrokenPipe, Platform::Macos);
    let expected = (
        "HELLO".to_owned(),
        std::io::ErrorKind::BrokenPipe,
        Some(error),
    );
    assert_eq!(outcome.take(), Some(expected));
}

#[test]
fn dropping_the_writing_half_sends_fin() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let (reading, writing) = alice.into_split();
    drop(writing);
    world.run_for(50);
    assert_eq!(read(&bob), end());
    assert_eq!(write(&bob, "still"), Some(Ok(5)));
    drop(reading);
    world.run_for(50);
    let reset = Some(Err(SocketErrorKind::BrokenPipe));
    assert_eq!(
        write(&bob, "gone"),
        reset,
        "data for a program that has closed"
    );
}

// What a program does with what it read is caused by the delivery of those bytes, and an end by the delivery of FIN.
#[test]
fn reading_makes_the_delivery_the_cause() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    assert_eq!(write(&alice, "question"), Some(Ok(8)));
    assert_eq!(alice.shutdown(), Ok(()));
    world.run_for(50);
    let delivered = |wanted: crate::Flags| {
        let records = world.records();
        let found = records.iter().rposition(|record| {
            matches!(&record.event, Event::Delivered { packet } if packet.segment().is_some_and(|segment| segment.has(wanted)))
        });
        found
            .and_then(|index| u32::try_from(index).ok())
            .map(crate::RecordId)
    };
    assert_eq!(read(&bob), text("question"));
    assert_eq!(world.network.cause(), delivered(crate::Flags::PSH));
    assert_eq!(read(&bob), end());
    assert_eq!(world.network.cause(), delivered(crate::Flags::FIN));
}

// 300 kB through the loopback: no latency, so a loop of answers to answers would end in Advance::Stuck, and a window
// that is not told of would cost time.
#[test]
fn loopback_carries_a_stream_in_no_time() {
    let world = World::new(1, Platform::Linux);
    let alice = world.idle(world.alice);
    let listener = listen(&alice, "127.0.0.1:9");
    let outcome = connect(&alice, "127.0.0.1:9");
    world.run_for(0);
    let (writer, reader) = (outcome.take(), accept(&listener).expect("it came"));
    let writer = writer.expect("over").expect("listening");
    let received: Outcome<(usize, Instant)> = Outcome::default();
    let result = Rc::clone(&received);
    let host = alice.clone();
    let _reads = alice.spawn(async move {
        let (mut total, mut buffer) = (0, [0; 1_000]);
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            total += length;
        }
        result.replace(Some((total, host.now())));
    });
    let _writes = alice.spawn(async move { writer.write_all(&[7; 300_000]).await });
    world.run_for(1_000);
    assert_eq!(received.take(), Some((300_000, Instant::START)));
    world.run_for(60_000);
    assert_eq!(world.network.next_event(), None);
}
