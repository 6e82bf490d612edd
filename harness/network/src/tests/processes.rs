//! Frozen and crashed processes.

use std::cell::RefCell;

use super::*;
use crate::fault::{self, Fault};
use crate::{FaultId, Injection, Scope, Stop};

fn inject(world: &World, fault: Fault, host: HostId) -> FaultId {
    world
        .network
        .inject(Injection::new(fault, Scope::Host(host)))
}

fn applied(world: &World, id: FaultId) -> (u64, u64) {
    let report = world.network.fault_report(id);
    (report.matched, report.applied)
}

/// The milliseconds at which a process of Bob's wakes: after 100 ms again and again, and once after 420 ms.
fn waking(world: &World) -> Rc<RefCell<Vec<(u64, char)>>> {
    let log: Rc<RefCell<Vec<(u64, char)>>> = Rc::default();
    let seen = Rc::clone(&log);
    world.network.start(world.bob, move |host| {
        let seen = Rc::clone(&seen);
        async move {
            let (other, once) = (Rc::clone(&seen), host.clone());
            let _task = host.spawn(async move {
                pause(&once, 420).await;
                other
                    .borrow_mut()
                    .push((once.now().as_micros() / 1000, 'b'));
            });
            for _ in 0..5 {
                pause(&host, 100).await;
                seen.borrow_mut().push((host.now().as_micros() / 1000, 'a'));
            }
        }
    });
    log
}

// Without the freeze the same process wakes at 100, 200, 300, 400, 420 and 500 ms: the difference is the freeze.
#[test]
fn timers_of_a_frozen_process_wait_and_fire_at_once() {
    let world = World::new(1, Platform::Linux);
    let log = waking(&world);
    world.run_to(10_000);
    let plain = [
        (100, 'a'),
        (200, 'a'),
        (300, 'a'),
        (400, 'a'),
        (420, 'b'),
        (500, 'a'),
    ];
    assert_eq!(*log.borrow(), plain);

    let world = World::new(1, Platform::Linux);
    let log = waking(&world);
    world.run_to(250);
    let freeze = Injection::new(fault::freeze(), Scope::Host(world.bob)).lasts(ms(500));
    let id = world.network.inject(freeze);
    world.run_to(700);
    assert_eq!(log.borrow().len(), 2, "nothing since 250 ms");
    assert_eq!(
        world.network.foreground_timers(),
        2,
        "it will go on by itself: two still wait"
    );
    world.run_to(10_000);
    let expected = [
        (100, 'a'),
        (200, 'a'),
        (750, 'a'),
        (750, 'b'),
        (850, 'a'),
        (950, 'a'),
        (1050, 'a'),
    ];
    assert_eq!(log.borrow()[..4], expected[..4]);
    assert_eq!(
        log.borrow()[4..],
        [(850, 'a'), (950, 'a')],
        "five sleeps in all"
    );
    let report = world.network.fault_report(id);
    assert_eq!((report.applied, report.ended_at), (1, Some(at(750))));
    assert_eq!(world.network.host(world.bob).incarnation(), 1);
}

// What arrives is in the buffer, a closed port still answers, and resuming answers at once.
#[test]
fn kernel_of_a_frozen_process_goes_on() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    let refused = bind(&world.network.host(world.alice), "10.0.8.1:10");
    refused
        .connect("10.0.8.2:99".parse().expect("valid"))
        .expect("remote");
    world.run_to(10);
    inject(&world, fault::freeze(), world.bob);
    assert_eq!(send(&socket, "10.0.8.2:7"), Ok(4));
    assert_eq!(refused.send("x"), Ok(1));
    world.run_to(60_000);
    assert_eq!(
        (receive(&socket), socket.take_error()),
        (None, None),
        "an open port is silent"
    );
    assert_eq!(
        refused.take_error().map(|error| error.kind),
        Some(SocketErrorKind::ConnectionRefused),
        "a closed one is not"
    );
    let id = inject(&world, fault::resume(), world.bob);
    assert_eq!(applied(&world, id), (1, 1));
    world.run_to(60_005);
    assert_eq!(
        receive(&socket),
        Some(Ok("ping".to_owned())),
        "one latency after resuming"
    );
    let told = |wanted: fn(&Event) -> bool| world.count(wanted);
    assert_eq!(
        (
            told(|event| matches!(event, Event::HostFrozen { incarnation: 1 })),
            told(|event| matches!(event, Event::HostResumed { incarnation: 1 })),
            told(|event| matches!(event, Event::HostStopped { .. })),
        ),
        (1, 1, 0)
    );
}

// 278 small datagrams fill Linux's buffer; the rest of a thousand must not be kept.
#[test]
fn receive_buffer_of_a_frozen_process_is_bounded() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    world.run_to(10);
    inject(&world, fault::freeze(), world.bob);
    (0..1000).for_each(|_| assert_eq!(send(&socket, "10.0.8.2:7"), Ok(4)));
    world.run_to(100);
    let full = |event: &Event| {
        matches!(
            event,
            Event::Lost {
                reason: crate::LossReason::BufferFull,
                ..
            }
        )
    };
    assert_eq!(world.count(full), 722);
    inject(&world, fault::resume(), world.bob);
    world.run_to(200);
    assert_eq!(std::iter::from_fn(|| receive(&socket)).count(), 278);
}

// Timers due and datagrams queued, and nobody will ever resume it: the engine neither spins nor waits.
#[test]
fn process_frozen_for_ever_neither_spins_nor_hangs() {
    let world = World::new(1, Platform::Linux);
    world.network.set_work_limit(100);
    let _log = waking(&world);
    let bob = world.network.host(world.bob);
    let _socket = bind(&bob, "10.0.8.2:7");
    world.run_to(50);
    inject(&world, fault::freeze(), world.bob);
    let alice = bind(&world.idle(world.alice), "10.0.8.1:9");
    assert_eq!(send(&alice, "10.0.8.2:7"), Ok(4));
    let _never = bob.spawn(async {});
    world.run_to(10_000);
    assert_eq!(world.network.advance(at(20_000)), Advance::Idle);
    assert_eq!(
        (
            world.network.next_event(),
            world.network.foreground_timers()
        ),
        (None, 0),
        "nothing that could be waited for"
    );
}

// SIGKILL does not wait for SIGCONT; the timers kept for the process are closed things then.
#[test]
fn frozen_process_can_be_killed_and_its_successor_is_not_frozen() {
    for fault in [fault::kill, fault::power_off] {
        let world = World::new(1, Platform::Linux);
        let log = waking(&world);
        world.run_to(250);
        let frozen = Injection::new(fault::freeze(), Scope::Host(world.bob)).lasts(ms(60_000));
        let id = world.network.inject(frozen);
        world.run_to(1_000);
        inject(&world, fault(), world.bob);
        assert_eq!(world.network.foreground_timers(), 0);
        let count = |wanted: fn(&Event) -> bool| world.count(wanted);
        let set = count(|event| matches!(event, Event::TimerSet { .. }));
        let over = count(|event| {
            matches!(
                event,
                Event::TimerFired { .. } | Event::TimerCancelled { .. }
            )
        });
        assert_eq!(set, over);
        inject(&world, fault::restart(), world.bob);
        log.borrow_mut().clear();
        world.run_to(1_350);
        assert_eq!(*log.borrow(), [(1100, 'a'), (1200, 'a'), (1300, 'a')]);
        world.network.heal(id);
        world.run_to(1_450);
        assert_eq!(
            log.borrow().len(),
            5,
            "healing the old freeze changes nothing: 1400 and 1420"
        );
    }
}

#[test]
fn freezes_add_up_and_resume_ends_all() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    world.run_to(10);
    let answers = || {
        send(&socket, "10.0.8.2:7").expect("sent");
        world.run_to((world.network.now() + ms(100)).as_micros() / 1000);
        std::iter::from_fn(|| receive(&socket)).count()
    };
    let (first, second) = (
        inject(&world, fault::freeze(), world.bob),
        inject(&world, fault::freeze(), world.bob),
    );
    assert_eq!(
        (applied(&world, first), applied(&world, second)),
        ((1, 1), (1, 0))
    );
    assert_eq!(answers(), 0);
    world.network.heal(first);
    assert_eq!(answers(), 0, "the second lasts");
    world.network.heal(second);
    assert_eq!(answers(), 3, "what was queued, and the new one");

    let again = [
        inject(&world, fault::freeze(), world.bob),
        inject(&world, fault::freeze(), world.bob),
    ];
    let resume = inject(&world, fault::resume(), world.bob);
    assert_eq!(applied(&world, resume), (1, 1));
    assert_eq!(answers(), 1);
    let late = inject(&world, fault::freeze(), world.bob);
    again.iter().for_each(|id| world.network.heal(*id));
    assert_eq!(
        answers(),
        0,
        "healing what was resumed long ago does not end a later freeze"
    );
    world.network.heal(late);
    assert_eq!(answers(), 2);
    let idle = inject(&world, fault::resume(), world.bob);
    assert_eq!(applied(&world, idle), (1, 0), "it ran already");
    let nobody = inject(&world, fault::freeze(), world.carol);
    assert_eq!(applied(&world, nobody), (1, 0), "Carol has no process");
}

// A crash is told apart from a kill by its end, and from an uninvited panic by its own record.
#[test]
fn crash_is_an_invited_panic_and_the_kernel_tidies_up() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    socket
        .connect("10.0.8.2:7".parse().expect("valid"))
        .expect("remote");
    world.run_to(10);
    let id = inject(&world, fault::crash(), world.bob);
    assert_eq!(applied(&world, id), (1, 1));
    socket.send("x").expect("a remote fault");
    world.run_to(100);
    assert_eq!(
        socket.take_error().map(|error| error.kind),
        Some(SocketErrorKind::ConnectionRefused)
    );
    let records = world.records();
    let place =
        |wanted: &dyn Fn(&Event) -> bool| records.iter().position(|record| wanted(&record.event));
    let panic = place(&|event| matches!(event, Event::InvitedPanic { fault } if *fault == id));
    let stop = place(&|event| {
        matches!(
            event,
            Event::HostStopped {
                how: Stop::Crashed,
                incarnation: 1
            }
        )
    });
    let stopped = stop.expect("it ended");
    let cause = records[stopped].cause.map(|cause| cause.0 as usize);
    assert_eq!(cause, panic, "the panic is why it ended");
    let uninvited = |event: &Event| matches!(event, Event::Panic { .. });
    assert_eq!(world.count(uninvited), 0);
    world.network.heal(id);
    socket.send("y").expect("sent");
    world.run_to(200);
    assert_eq!(
        receive(&socket),
        Some(Ok("y".to_owned())),
        "healing starts it anew"
    );
    assert_eq!(world.network.host(world.bob).incarnation(), 2);
}

#[test]
fn nobody_to_panic_is_no_crash() {
    let world = World::new(1, Platform::Linux);
    world.idle(world.bob);
    inject(&world, fault::freeze(), world.bob);
    let frozen = inject(&world, fault::crash(), world.bob);
    let absent = inject(&world, fault::crash(), world.carol);
    assert_eq!(
        (applied(&world, frozen), applied(&world, absent)),
        ((1, 0), (1, 0))
    );
    assert!(world.network.host(world.bob).is_alive());
}
