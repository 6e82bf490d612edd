//! Whatever passes does to a connection, its streams arrive whole and in order; whatever does not pass ends them with
//! the right error in time.

use std::cell::Cell;

use super::*;
use crate::{Alteration, Injection, Keepalive, Key, Latency, PartsPerMillion, Scope, fault};

const SEEDS: u64 = 600;

/// What one side reads and writes.
struct Talk {
    /// How much it sends.
    length: usize,
    /// The longest piece that it writes or reads at once.
    piece: u64,
    /// The longest pause between two pieces, in microseconds.
    pause: u64,
}

/// How one side's reading ended: with everything or before, or by an error.
type Ended = Rc<Cell<Option<Result<bool, SocketErrorKind>>>>;

/// The byte at a position, so that a lost, repeated or displaced one shows.
fn byte(side: u64, position: usize) -> u8 {
    (Key::new(side).with(position as u64 / 8).bits() >> (position % 8 * 8)) as u8
}

fn talk(key: Key) -> Talk {
    let draw = |purpose: &str, bound| key.with_text(purpose).below(bound);
    Talk {
        length: usize::try_from(draw("length", 200_000) >> draw("shorter", 16)).expect("small"),
        piece: 1 + (draw("piece", 20_000) >> draw("smaller", 14)).max(40),
        pause: draw("pause", 20_000) * u64::from(draw("slow", 3) == 0),
    }
}

async fn send_all(host: Host, stream: crate::OwnedWriteHalf, side: u64, key: Key, ended: Ended) {
    let talk = talk(key.with(side));
    let bytes: Vec<u8> = (0..talk.length)
        .map(|position| byte(side, position))
        .collect();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let piece = host.draw("piece") % talk.piece + 1;
        let piece = usize::try_from(piece).expect("small").min(rest.len());
        if let Err(error) = stream.write_all(&rest[..piece]).await {
            // An error is told once: the reader will see only the end.
            return tell(&ended, Err(error.kind));
        }
        rest = &rest[piece..];
        wait(&host, talk.pause).await;
    }
    let _ = stream.shutdown();
    // Not dropped before the peer has everything: what becomes of the rest is the kernel's, not this test's.
    std::future::pending::<()>().await;
}

async fn receive_all(host: Host, stream: crate::OwnedReadHalf, side: u64, key: Key, ended: Ended) {
    let (expected, own) = (talk(key.with(1 - side)), talk(key.with(side)));
    let mut buffer = vec![0; usize::try_from(own.piece).expect("small")];
    let mut position = 0;
    let outcome = loop {
        let limit = usize::try_from(host.draw("limit") % own.piece + 1).expect("small");
        match stream.read(&mut buffer[..limit]).await {
            Ok(0) => break Ok(position == expected.length),
            Ok(length) => {
                for got in &buffer[..length] {
                    assert_eq!(
                        *got,
                        byte(1 - side, position),
                        "byte {position} from {}",
                        1 - side
                    );
                    position += 1;
                }
            }
            Err(error) => break Err(error.kind),
        }
        wait(&host, own.pause).await;
        if host.draw("rest").is_multiple_of(400) {
            pause(&host, 3_000).await;
        }
    };
    tell(&ended, outcome);
    std::future::pending::<()>().await;
}

fn tell(ended: &Ended, outcome: Result<bool, SocketErrorKind>) {
    if ended.get().is_none() {
        ended.set(Some(outcome));
    }
}

async fn wait(host: &Host, most: u64) {
    if most > 0 {
        let length = Duration::from_micros(host.draw("wait") % most);
        host.sleep(length, TimerClass::Foreground).await;
    }
}

async fn converse(host: Host, stream: TcpStream, side: u64, key: Key, ended: Ended) {
    let (reading, writing) = stream.into_split();
    let _writer = host.spawn(send_all(host.clone(), writing, side, key, ended.clone()));
    receive_all(host, reading, side, key, ended).await;
}

/// Up to five faults that end within a minute.
fn passing(world: &World, key: Key) {
    for index in 0..key.with_text("faults").below(6) {
        let key = key.with_text("fault").with(index);
        let draw = |purpose: &str, bound| key.with_text(purpose).below(bound);
        let (kind, many) = (draw("kind", 7), draw("many", 400_000));
        let by = ms(draw("by", 300));
        let lasts = ms(1 + draw("lasts", 30_000));
        let link = [(world.alice, world.bob), (world.bob, world.alice)];
        let (from, to) = link[usize::try_from(draw("direction", 2)).expect("small")];
        let both = Scope::Between {
            a: vec![from],
            b: vec![to],
            one_way: false,
        };
        world
            .network
            .schedule(at(draw("at", 5_000)), move |network| {
                let fault = match kind {
                    0 => fault::drop(),
                    1 => fault::duplicate(2, by),
                    2 => fault::reorder(3, by),
                    3 => fault::delay(by, by),
                    4 => fault::corrupt(3),
                    5 => fault::truncate(10),
                    _ => fault::partition(),
                };
                let whole = kind == 6;
                let many =
                    PartsPerMillion::new(u32::try_from(many).expect("small")).expect("in range");
                let many = if whole { PartsPerMillion::ALWAYS } else { many };
                let scope = if whole {
                    both
                } else {
                    Scope::Link { from, to }
                };
                network.inject(Injection::new(fault, scope).probability(many).lasts(lasts));
            });
    }
}

/// Patience that ends a connection soon after its peer has gone silent.
fn be_impatient(stream: &TcpStream) {
    let (idle, interval) = (ms(10_000), ms(5_000));
    stream.set_keepalive(Some(Keepalive {
        idle,
        interval,
        count: 3,
    }));
    stream.set_user_timeout(Some(ms(30_000)));
}

fn run(seed: u64, patient: bool, inject: impl Fn(&World, Key)) -> (World, [Ended; 2]) {
    let world = World::new(seed, Platform::Linux);
    let key = Key::new(seed).with_text("fuzz");
    let max = ms(1 + key.with_text("latency").below(60));
    world
        .network
        .set_default_latency(Latency { min: ms(1), max });
    inject(&world, key);
    let ended: [Ended; 2] = Default::default();
    let at_bob = Rc::clone(&ended[1]);
    world.network.start(world.bob, move |host| {
        let ended = Rc::clone(&at_bob);
        async move {
            let listener = listen(&host, "10.0.8.2:9");
            let (stream, _) = listener.accept().await.expect("listening");
            if !patient {
                be_impatient(&stream);
            }
            converse(host, stream, 1, key, ended).await;
        }
    });
    let at_alice = Rc::clone(&ended[0]);
    world.network.start(world.alice, move |host| {
        let ended = Rc::clone(&at_alice);
        async move {
            let stream = host.connect_tcp("10.0.8.2:9".parse().expect("valid")).await;
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => return ended.set(Some(Err(error.kind))),
            };
            if !patient {
                be_impatient(&stream);
            }
            converse(host, stream, 0, key, ended).await;
        }
    });
    world.run_to(if patient { 900_000 } else { 180_000 });
    (world, ended)
}

fn every_packet_ended(world: &World) -> bool {
    let begun = world.count(|event| match event {
        Event::Altered { how, .. } => matches!(how, Alteration::Duplicated { .. }),
        event => matches!(event, Event::Sent { .. }),
    });
    begun == world.count(|event| matches!(event, Event::Delivered { .. } | Event::Lost { .. }))
}

// Compared record by record, with everything that TCP draws, times and sends again.
#[test]
fn one_seed_is_one_run_with_tcp_too() {
    for seed in 0..20 {
        let records = || run(seed, false, lasting).0.records();
        assert!(records() == records(), "seed {seed}");
    }
}

// Every fault is over after a minute and every pause is short, so nothing may fail: both sides get every byte in
// order, nobody panicked, and nothing is under way any more. The sums show that the faults were met.
#[test]
fn streams_arrive_whole_through_everything_that_passes() {
    let (mut lost, mut closed) = (0, 0);
    for seed in 0..SEEDS {
        let (world, [alice, bob]) = run(seed, true, passing);
        let panics = world.count(|event| matches!(event, Event::Panic { .. }));
        assert!(every_packet_ended(&world), "seed {seed}");
        assert_eq!(
            (alice.get(), bob.get(), panics),
            (Some(Ok(true)), Some(Ok(true)), 0),
            "seed {seed}"
        );
        let network = &world.network;
        assert_eq!(
            (network.packets_in_flight(), network.foreground_timers()),
            (0, 0),
            "seed {seed}"
        );
        assert_eq!(network.next_event(), None, "seed {seed}");
        lost += world.count(|event| matches!(event, Event::Lost { .. }));
        closed += world.count(|event| {
            matches!(event, Event::Sent { packet } if packet.segment().is_some_and(|segment| segment.window == 0))
        });
    }
    assert!(
        lost > 1_000 && closed > 100,
        "{lost} segments lost, {closed} closed windows told"
    );
}

/// What ends a connection for good, soon after its beginning.
fn lasting(world: &World, key: Key) {
    passing(world, key);
    let kind = key.with_text("lasting").below(6);
    let (alice, bob) = (world.alice, world.bob);
    let scope = Scope::Between {
        a: vec![bob],
        b: vec![alice],
        one_way: kind == 1,
    };
    world
        .network
        .schedule(at(20 + key.with_text("when").below(400)), move |network| {
            let fault = match kind {
                0 | 1 => fault::partition(),
                2 => fault::kill(),
                3 => fault::power_off(),
                4 => fault::restart(),
                _ => fault::reset(fault::Sides::Both, 0),
            };
            network.inject(Injection::new(fault, scope));
        });
}

// Whoever still lives knows of the end within three minutes (135 s are for a connect), by an error that the event explains, and until then every
// byte was right; nobody waits for ever, and nothing stays under way.
#[test]
fn lasting_faults_end_streams_in_time() {
    let bob_address: std::net::IpAddr = [10, 0, 8, 2].into();
    let mut ends = std::collections::BTreeMap::new();
    for seed in 0..SEEDS {
        let (world, [alice, bob]) = run(seed, false, lasting);
        let panics = world.count(|event| matches!(event, Event::Panic { .. }));
        assert!(every_packet_ended(&world), "seed {seed}");
        assert_eq!(panics, 0, "seed {seed}");
        let key = Key::new(seed).with_text("fuzz");
        let kind = key.with_text("lasting").below(6);
        let met = |event: &Event| matches!(event, Event::SocketOpened { local, .. } if local.ip() == bob_address && local.port() == 9);
        let bob_lives = matches!(kind, 0 | 1 | 5) && world.count(met) == 2;
        let allowed = |end: Result<bool, SocketErrorKind>| match end {
            Ok(whole) => whole || matches!(kind, 2 | 4),
            Err(SocketErrorKind::TimedOut) => true,
            Err(SocketErrorKind::HostUnreachable) => kind == 3,
            Err(SocketErrorKind::ConnectionReset | SocketErrorKind::BrokenPipe) => kind >= 1,
            Err(SocketErrorKind::ConnectionRefused) => kind >= 2,
            Err(_) => false,
        };
        assert!(
            alice.get().is_some_and(allowed),
            "seed {seed}: {kind} {:?}",
            alice.get()
        );
        assert!(
            !bob_lives || bob.get().is_some_and(allowed),
            "seed {seed}: {kind} {:?}",
            bob.get()
        );
        let network = &world.network;
        assert_eq!(
            (network.packets_in_flight(), network.foreground_timers()),
            (0, 0),
            "seed {seed}"
        );
        *ends.entry(format!("{:?}", alice.get())).or_insert(0) += 1;
    }
    assert!(
        ends.values().filter(|count| **count > 10).count() >= 5,
        "{ends:?}"
    );
}
