//! Hosts whose code is written for tokio.

#![expect(
    clippy::disallowed_methods,
    reason = "code that uses tokio's executor and clock is what these hosts are for"
)]

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use tokio::sync::mpsc;

use super::*;
use crate::fault::{self, Fault};
use crate::{Injection, Scope};

/// What was noted, and at which microsecond of the engine.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<(u64, String)>>>);

impl Log {
    fn note(&self, host: &Host, text: impl Into<String>) {
        let note = (host.now().as_micros(), text.into());
        self.0.borrow_mut().push(note);
    }

    fn taken(&self) -> Vec<(u64, String)> {
        self.0.take()
    }

    fn moments(&self) -> Vec<u64> {
        self.0.take().into_iter().map(|(at, _)| at).collect()
    }
}

fn micros(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

/// Starts a foreign host at a moment of the engine's.
fn start_at<F>(world: &World, host: HostId, at: Instant, main: impl Fn(Host) -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    world.network.schedule(at, move |network| {
        network.start_foreign(host, main);
    });
}

/// Notes each tick of an interval of tokio's, in a task of tokio's own that has the host told.
async fn ticking(host: Host, log: Log, millis: u64) {
    let (told, mut ticks) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(ms(millis));
        loop {
            interval.tick().await;
            let _ = told.send(());
        }
    });
    while ticks.recv().await.is_some() {
        log.note(&host, "tick");
    }
}

fn inject(world: &World, at: Instant, fault: Fault, host: HostId) {
    let injection = Injection::new(fault, Scope::Host(host));
    world.network.schedule(at, move |network| {
        network.inject(injection);
    });
}

// tokio rounds a timer up to its next whole millisecond; the engine's clock is exact. From 3.7 ms on, each sleep of 10 ms
// therefore ends at a moment that only this clock, at this place, can give.
#[test]
fn sleeps_of_both_clocks_come_in_order_to_the_microsecond() {
    let world = World::new(1, Platform::Linux);
    let log = Log::default();
    let seen = log.clone();
    start_at(&world, world.alice, micros(3_700), move |host| {
        let log = seen.clone();
        async move {
            let began = tokio::time::Instant::now();
            let (engine, engine_log) = (host.clone(), log.clone());
            let _task = host.spawn(async move {
                for _ in 0..3 {
                    pause(&engine, 10).await;
                    engine_log.note(&engine, "engine");
                }
            });
            for _ in 0..3 {
                tokio::time::sleep(ms(10)).await;
                log.note(&host, format!("tokio, {:?}", began.elapsed()));
            }
            tokio::time::sleep(Duration::from_secs(7 * 24 * 3600)).await;
            log.note(&host, "a week");
        }
    });
    let week = 7 * 24 * 3600 * 1000;
    world.run_to(week + 1000);
    let expected = [
        (13_700, "engine"),
        (14_000, "tokio, 10.3ms"),
        (23_700, "engine"),
        (24_000, "tokio, 20.3ms"),
        (33_700, "engine"),
        (34_000, "tokio, 30.3ms"),
        (34_000 + week * 1000, "a week"),
    ];
    assert_eq!(
        log.taken(),
        expected.map(|(at, text)| (at, text.to_owned()))
    );
}

// Both clocks read the same when a datagram arrives, and tokio rounds a sleep of nothing up to its next millisecond.
#[test]
fn what_the_network_wakes_runs_at_the_engines_moment() {
    let world = World::new(1, Platform::Linux);
    let log = Log::default();
    let seen = log.clone();
    world.network.start_foreign(world.bob, move |host| {
        let log = seen.clone();
        async move {
            let socket = bind(&host, "10.0.8.2:7");
            let began = tokio::time::Instant::now();
            while let Ok((data, from)) = socket.recv_from().await {
                log.note(&host, format!("{:?}", began.elapsed()));
                tokio::time::sleep(Duration::ZERO).await;
                let _ = socket.send_to(data, from);
                tokio::time::sleep(ms(1)).await;
                log.note(&host, format!("{:?}", began.elapsed()));
            }
        }
    });
    world.network.start(world.alice, |host| async move {
        let socket = bind(&host, "10.0.8.1:9");
        host.sleep(Duration::from_micros(250), TimerClass::Foreground)
            .await;
        let _ = send(&socket, "10.0.8.2:7");
        assert!(socket.recv_from().await.is_ok());
        assert_eq!(host.now(), micros(11_000));
    });
    world.run_to(100);
    let expected = [(5_250, "5.25ms"), (7_000, "7ms")];
    assert_eq!(
        log.taken(),
        expected.map(|(at, text)| (at, text.to_owned()))
    );
    assert_eq!(world.count(|event| matches!(event, Event::Panic { .. })), 0);
}

/// Counts the tasks that have not been dropped.
struct Counted(Rc<Cell<i32>>);

impl Counted {
    fn new(count: &Rc<Cell<i32>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[test]
fn killing_drops_every_task_and_the_next_life_begins_with_its_own_clock() {
    let world = World::new(1, Platform::Linux);
    let (log, living) = (Log::default(), Rc::<Cell<i32>>::default());
    let (seen, count) = (log.clone(), Rc::clone(&living));
    world.network.start_foreign(world.alice, move |host| {
        let (log, counted) = (seen.clone(), Counted::new(&count));
        let local = Counted::new(&count);
        async move {
            // The sender ends when its task is dropped: all that a task which is Send can show of that.
            let (held, mut ended) = mpsc::unbounded_channel::<()>();
            tokio::spawn(async move {
                let _held = held;
                std::future::pending::<()>().await;
            });
            tokio::task::spawn_local(async move {
                let _local = local;
                std::future::pending::<()>().await;
            });
            let _socket = bind(&host, "10.0.8.1:9");
            let _counted = counted;
            tokio::select! {
                biased;
                _ = ended.recv() => log.note(&host, "ended"),
                () = ticking(host.clone(), log.clone(), 40) => {}
            }
        }
    });
    inject(&world, micros(100_400), fault::kill(), world.alice);
    inject(&world, micros(130_500), fault::restart(), world.alice);
    world.run_to(101);
    assert_eq!(living.get(), 0, "nothing of the process is left");
    assert_eq!(log.moments(), [0, 40_000, 80_000]);
    world.run_to(200);
    // Counted from 130.5 ms, and rounded up to tokio's milliseconds.
    assert_eq!(log.moments(), [131_000, 171_000]);
    assert_eq!(living.get(), 2, "its tasks live again");
    let closed = world.count(|event| matches!(event, Event::SocketClosed { .. }));
    assert_eq!(closed, 1, "its socket went with the process");
}

// An interval that was missed fires at once when the process goes on, and catches up: what tokio does after SIGCONT.
#[test]
fn a_frozen_process_takes_its_overdue_timers_when_it_goes_on() {
    let world = World::new(1, Platform::Linux);
    let log = Log::default();
    let seen = log.clone();
    world
        .network
        .start_foreign(world.alice, move |host| ticking(host, seen.clone(), 100));
    let freeze = Injection::new(fault::freeze(), Scope::Host(world.alice)).lasts(ms(400));
    world.network.schedule(micros(250_300), move |network| {
        network.inject(freeze);
    });
    world.run_to(1000);
    let expected = [
        0, 100_000, 200_000, 650_300, 650_300, 650_300, 650_300, 700_000, 800_000, 900_000,
        1_000_000,
    ];
    assert_eq!(log.moments(), expected);
}

// Their timers lie on different milliseconds and one of them wakes the other: neither clock may run ahead.
#[test]
fn several_foreign_hosts_keep_step() {
    let world = World::new(1, Platform::Linux);
    let log = Log::default();
    let seen = log.clone();
    world.network.start_foreign(world.bob, move |host| {
        let log = seen.clone();
        async move {
            let socket = bind(&host, "10.0.8.2:7");
            let began = tokio::time::Instant::now();
            while socket.recv_from().await.is_ok() {
                log.note(&host, format!("bob, {:?}", began.elapsed()));
            }
        }
    });
    let seen = log.clone();
    start_at(&world, world.alice, micros(500), move |host| {
        let log = seen.clone();
        async move {
            let socket = bind(&host, "10.0.8.1:9");
            for _ in 0..2 {
                tokio::time::sleep(ms(7)).await;
                log.note(&host, "alice");
                let _ = send(&socket, "10.0.8.2:7");
            }
        }
    });
    world.run_to(60);
    let expected = [
        (8_000, "alice"),
        (13_000, "bob, 13ms"),
        (15_000, "alice"),
        (20_000, "bob, 20ms"),
    ];
    assert_eq!(
        log.taken(),
        expected.map(|(at, text)| (at, text.to_owned()))
    );
}

// With a foreign host nobody can say that nothing is to come; an interval for ever ends with the limit all the same.
#[test]
fn time_goes_on_to_the_limit() {
    let world = World::new(1, Platform::Linux);
    world.network.start_foreign(world.alice, |_| async {
        let mut interval = tokio::time::interval(ms(1));
        loop {
            interval.tick().await;
        }
    });
    let mut last = Advance::Moved;
    while last == Advance::Moved {
        last = world.network.advance(at(5_000));
    }
    assert_eq!((last, world.network.now()), (Advance::Limit, at(5_000)));
    assert_eq!(world.network.foreground_timers(), 0);
    inject(&world, at(5_000), fault::kill(), world.alice);
    while last != Advance::Idle {
        last = world.network.advance(at(9_000));
    }
    assert_eq!(world.network.now(), at(5_000), "the dead have no timers");
}

/// Alice asks Carol again and again, at odd moments; what Bob is, is the caller's.
fn beside(start_bob: impl FnOnce(&World)) -> Vec<Record> {
    let world = World::new(7, Platform::Linux);
    world.network.set_default_latency(crate::Latency {
        min: Duration::from_micros(700),
        max: ms(9),
    });
    world.network.start(world.carol, echo);
    start_bob(&world);
    world.network.start(world.alice, |host| async move {
        let socket = bind(&host, "10.0.8.1:9");
        for _ in 0..50 {
            let _ = send(&socket, "10.0.9.3:7");
            let length = Duration::from_micros(host.draw("pause") % 30_000);
            host.sleep(length, TimerClass::Foreground).await;
        }
    });
    world.run_to(2_000);
    world.records()
}

// Record by record, with times, causes and numbers: a foreign host with timers of its own, beside others, changes nothing.
#[test]
fn the_others_do_the_same_at_the_same_moments() {
    let idle = beside(|world| {
        world.idle(world.bob);
    });
    assert!(idle.len() > 200, "a run worth comparing: {}", idle.len());
    let busy = beside(|world| {
        let log = Log::default();
        let main = move |host| ticking(host, log.clone(), 3);
        world.network.start_foreign(world.bob, main);
    });
    assert!(idle == busy);
}

// The strongest form of it: the same code, which sleeps on the engine, on all three hosts, foreign or not.
#[test]
fn code_that_asks_nothing_of_tokio_runs_the_same_either_way() {
    let run = |foreign: bool| {
        let world = World::new(3, Platform::Linux);
        let asking = |host: Host| async move {
            let socket = Rc::new(bind(&host, "10.0.8.1:9"));
            for peer in ["10.0.8.2:7", "10.0.9.3:7", "10.0.9.9:7"] {
                let (asking, socket) = (host.clone(), Rc::clone(&socket));
                let _task = host.spawn(async move {
                    for _ in 0..20 {
                        let _ = send(&socket, peer);
                        let length = Duration::from_micros(asking.draw(peer) % 20_000);
                        asking.sleep(length, TimerClass::Foreground).await;
                    }
                });
            }
            while socket.recv_from().await.is_ok() {}
        };
        if foreign {
            world.network.start_foreign(world.bob, echo);
            world.network.start_foreign(world.carol, echo);
            world.network.start_foreign(world.alice, asking);
        } else {
            world.network.start(world.bob, echo);
            world.network.start(world.carol, echo);
            world.network.start(world.alice, asking);
        }
        world.run_to(5_000);
        world.records()
    };
    let (ours, foreign) = (run(false), run(true));
    assert!(ours.len() > 200, "a run worth comparing: {}", ours.len());
    assert!(ours == foreign);
}

/// Two foreign hosts that talk over TCP and UDP, with time-outs, beside one that is not foreign.
fn talk() -> Vec<Record> {
    let world = World::new(5, Platform::Linux);
    world.network.start_foreign(world.bob, |host| async move {
        let address = SocketAddr::from(([10, 0, 8, 2], 80));
        let listener = host.listen_tcp(address, 8).expect("free");
        while let Ok((stream, _)) = listener.accept().await {
            let late = tokio::time::sleep(ms(30));
            let mut buffer = [0; 64];
            let _ = tokio::time::timeout(ms(3), stream.read(&mut buffer)).await;
            late.await;
            let _ = stream.write_all(b"late").await;
        }
    });
    world.network.start_foreign(world.alice, |host| async move {
        let mut interval = tokio::time::interval(ms(17));
        loop {
            interval.tick().await;
            let Ok(stream) = host.connect_tcp(([10, 0, 8, 2], 80).into()).await else {
                continue;
            };
            let mut buffer = [0; 64];
            let _ = tokio::time::timeout(ms(40), stream.read(&mut buffer)).await;
        }
    });
    world.network.start(world.carol, echo);
    world.run_to(3_000);
    world.records()
}

#[test]
fn one_seed_is_one_run_with_foreign_hosts_too() {
    let first = talk();
    assert!(first.len() > 500, "a run worth comparing: {}", first.len());
    for _ in 0..10 {
        assert!(talk() == first);
    }
}

// tokio keeps such a panic for whoever awaits the task, and here nobody does.
#[test]
fn a_panic_in_a_task_of_tokios_is_its_hosts() {
    let world = World::new(1, Platform::Linux);
    let main = |_| async {
        tokio::spawn(async { panic!("out of {}", "cheese") });
        tokio::time::sleep(ms(5)).await;
        panic!("out of crackers");
    };
    world.network.start_foreign(world.bob, main);
    world.run_to(10);
    let panics: Vec<_> = world
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Panic { task, message } => {
                Some((record.at, record.host, task.is_some(), message))
            }
            _ => None,
        })
        .collect();
    let of_bob =
        |at, by_number, message: &str| (at, Some(world.bob), by_number, message.to_owned());
    assert_eq!(
        panics,
        [
            of_bob(at(0), false, "out of cheese"),
            of_bob(at(5), true, "out of crackers"),
        ]
    );
}

// Whoever writes a host anew without tokio gets the named mistake back.
#[test]
fn a_host_that_is_started_otherwise_has_no_runtime_any_more() {
    let world = World::new(1, Platform::Linux);
    let spawning = |_: Host| async {
        tokio::spawn(async {});
    };
    let panics = |world: &World| world.count(|event| matches!(event, Event::Panic { .. }));
    world.network.start_foreign(world.alice, spawning);
    world.run_to(10);
    assert_eq!(panics(&world), 0);
    world.network.start(world.alice, spawning);
    world.run_to(20);
    assert_eq!(panics(&world), 1);
}
