//! Incarnations, tasks, timers, and what ends a run that would not end.

use std::cell::{Cell, RefCell};

use super::*;
use crate::{Injection, Scope, Stop, Stuck, TaskEnd, TaskError, fault};

// Every operation of a dead handle, and a task of its process that would have gone on sending.
#[test]
fn handles_of_an_ended_incarnation_neither_send_nor_complete() {
    for fault in [fault::kill, fault::power_off] {
        let world = World::new(1, Platform::Linux);
        let peer = bind(&world.idle(world.bob), "10.0.8.2:9");
        let kept: Rc<RefCell<Option<(Host, UdpSocket)>>> = Rc::default();
        let keep = Rc::clone(&kept);
        world.network.start(world.alice, move |host| {
            let keep = Rc::clone(&keep);
            async move {
                keep.replace(Some((host.clone(), bind(&host, "10.0.8.1:9"))));
                pause(&host, 1000).await;
                bind(&host, "10.0.8.1:10")
                    .send_to("too late", "10.0.8.2:9".parse().expect("valid"))
                    .expect("sent");
            }
        });
        world.run_to(500);
        world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.alice)));
        let (host, socket) = kept.take().expect("it ran");
        assert!(!host.is_alive());
        let dead = Some(SocketErrorKind::BadDescriptor);
        assert_eq!(send(&socket, "10.0.8.2:9").err(), dead);
        assert_eq!(
            host.bind_udp("10.0.8.1:11".parse().expect("valid"))
                .err()
                .map(|error| error.kind),
            dead
        );
        assert_eq!((receive(&socket), socket.take_error()), (None, None));
        let mut sleep = Box::pin(host.sleep(ms(1), TimerClass::Foreground));
        let mut task = Box::pin(host.spawn(async {}));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        world.run_to(60_000);
        assert!(
            sleep.as_mut().poll(&mut cx).is_pending() && task.as_mut().poll(&mut cx).is_pending()
        );
        assert_eq!(receive(&peer), None, "nothing left it");
        assert_eq!(
            world.network.foreground_timers(),
            0,
            "its timers went with its tasks"
        );
    }
}

// The port is free again, the code starts anew, and the handle kept from before stays dead.
#[test]
fn restart_begins_a_new_incarnation_on_the_same_address() {
    let world = World::new(1, Platform::Linux);
    let first = world.network.start(world.bob, echo);
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    world.run_to(10);
    world
        .network
        .inject(Injection::new(fault::restart(), Scope::Host(world.bob)));
    assert_eq!((first.is_alive(), first.incarnation()), (false, 1));
    assert_eq!(world.network.host(world.bob).incarnation(), 2);
    assert_eq!(send(&socket, "10.0.8.2:7"), Ok(4));
    world.run_to(100);
    assert_eq!(receive(&socket), Some(Ok("ping".to_owned())));
    let ended = |event: &Event| {
        matches!(
            event,
            Event::TaskEnded {
                how: TaskEnd::Dropped,
                ..
            }
        )
    };
    let stopped = |event: &Event| {
        matches!(
            event,
            Event::HostStopped {
                how: Stop::Killed,
                incarnation: 1
            }
        )
    };
    assert_eq!(
        (world.count(ended), world.count(stopped)),
        (1, 1),
        "the old task and its host are closed things"
    );
}

#[test]
fn panic_ends_its_task_alone_and_is_recorded() {
    let world = World::new(1, Platform::Linux);
    let outcome = Rc::new(Cell::new(None));
    let seen = Rc::clone(&outcome);
    world.network.start(world.alice, move |host| {
        let seen = Rc::clone(&seen);
        async move {
            let task = host.spawn(async { panic!("out of cheese") });
            seen.set(Some(task.await));
        }
    });
    world.run_to(10);
    assert_eq!(outcome.take(), Some(Err(TaskError::Panicked)));
    let told =
        |event: &Event| matches!(event, Event::Panic { message, .. } if message == "out of cheese");
    let ended = |wanted| move |event: &Event| matches!(event, Event::TaskEnded { how, .. } if *how == wanted);
    assert_eq!(world.count(told), 1);
    assert_eq!(
        (
            world.count(ended(TaskEnd::Panicked)),
            world.count(ended(TaskEnd::Completed))
        ),
        (1, 1)
    );
}

// No runtime is entered, so tokio's own clock and spawner say what is wrong, and the record carries it.
#[test]
fn tokios_spawn_is_a_panic_that_says_why() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.alice, |_| async {
        #[expect(
            clippy::disallowed_methods,
            reason = "what happens to those who call it is the test"
        )]
        let _never = tokio::spawn(async {});
    });
    world.run_to(10);
    let told = |event: &Event| matches!(event, Event::Panic { message, .. } if message.contains("runtime"));
    assert_eq!(world.count(told), 1);
}

#[test]
fn abort_drops_the_task_and_says_so() {
    let world = World::new(1, Platform::Linux);
    let outcome = Rc::new(Cell::new(None));
    let seen = Rc::clone(&outcome);
    world.network.start(world.alice, move |host| {
        let seen = Rc::clone(&seen);
        async move {
            let task = host.spawn(std::future::pending::<()>());
            pause(&host, 5).await;
            task.abort();
            seen.set(Some((task.await, host.now())));
        }
    });
    world.run_to(10);
    assert_eq!(outcome.take(), Some((Err(TaskError::Aborted), at(5))));
}

// 1,000 tasks are more than tokio polls at one go: all must run within the instant.
#[test]
fn all_ready_tasks_run_within_their_instant() {
    let world = World::new(1, Platform::Linux);
    let ran = Rc::new(Cell::new(0));
    let counter = Rc::clone(&ran);
    world.network.start(world.alice, move |host| {
        let counter = Rc::clone(&counter);
        async move {
            for _ in 0..1000 {
                let counter = Rc::clone(&counter);
                let _task = host.spawn(async move { counter.set(counter.get() + 1) });
            }
        }
    });
    assert_eq!(world.network.advance(at(0)), Advance::Moved);
    assert_eq!((ran.get(), world.network.next_event()), (1000, None));
}

#[test]
fn livelock_is_an_error_and_no_hang() {
    let world = World::new(1, Platform::Linux);
    world.network.set_work_limit(1000);
    world.network.start(world.alice, |host| async move {
        loop {
            pause(&host, 0).await;
        }
    });
    let stuck = Stuck {
        at: at(0),
        limit: 1000,
        host: Some(world.alice),
    };
    let Advance::Stuck(found) = world.network.advance(at(1)) else {
        panic!("a loop of timers that are due at once");
    };
    assert_eq!((found.at, found.limit), (stuck.at, stuck.limit));
}

#[test]
fn advance_says_what_it_did() {
    let world = World::new(1, Platform::Linux);
    assert_eq!(world.network.advance(at(5)), Advance::Idle);
    assert_eq!(
        world.network.now(),
        at(0),
        "without anything scheduled, time stands still"
    );
    world.network.start(world.alice, |host| async move {
        host.sleep(ms(10), TimerClass::Background).await;
        pause(&host, 10).await;
    });
    assert_eq!(
        (world.network.advance(at(5)), world.network.next_event()),
        (Advance::Moved, Some(at(10)))
    );
    assert_eq!(
        world.network.foreground_timers(),
        0,
        "background timers do not count"
    );
    assert_eq!(
        (world.network.advance(at(5)), world.network.now()),
        (Advance::Limit, at(5))
    );
    assert_eq!(
        (world.network.advance(at(10)), world.network.now()),
        (Advance::Moved, at(10))
    );
    assert_eq!(world.network.foreground_timers(), 1);
    assert_eq!(
        (world.network.advance(at(99)), world.network.advance(at(99))),
        (Advance::Moved, Advance::Idle)
    );
    assert_eq!(
        (world.network.foreground_timers(), world.network.now()),
        (0, at(20))
    );
}

#[test]
fn sleeping_for_ever_schedules_nothing() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.alice, |host| async move {
        host.sleep_until(Instant::FAR_FUTURE, TimerClass::Foreground)
            .await;
    });
    assert_eq!(
        (world.network.advance(at(1)), world.network.advance(at(1))),
        (Advance::Moved, Advance::Idle)
    );
    assert_eq!(world.network.foreground_timers(), 0);
}

// A fault at the instant of a packet's arrival comes first, although it was scheduled later.
#[test]
fn control_events_come_before_packets_of_their_instant() {
    let world = World::new(1, Platform::Linux);
    let receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let sender = bind(&world.idle(world.alice), "10.0.8.1:9");
    assert_eq!(send(&sender, "10.0.8.2:9"), Ok(4));
    let seen = Rc::new(Cell::new(0));
    let flight = Rc::clone(&seen);
    world.network.schedule(at(5), move |network| {
        flight.set(network.packets_in_flight());
    });
    world.run_to(5);
    assert_eq!((seen.get(), receive(&receiver).is_some()), (1, true));
}

// The chain from the answer back to the first timer, record by record.
#[test]
fn causes_lead_from_the_answer_back_to_the_start() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    world.network.start(world.alice, |host| async move {
        let socket = bind(&host, "10.0.8.1:9");
        pause(&host, 5).await;
        send(&socket, "10.0.8.2:7").expect("sent");
        let _ = socket.recv_from().await;
    });
    world.run_to(100);
    let records = world.records();
    let mut next = records
        .iter()
        .rposition(|record| matches!(record.event, Event::Received { .. }));
    let mut chain = Vec::new();
    while let Some(index) = next {
        chain.push(match records[index].event {
            Event::Received { .. } => "received",
            Event::Delivered { .. } => "delivered",
            Event::Sent { .. } => "sent",
            Event::TimerFired { .. } => "fired",
            Event::TimerSet { .. } => "set",
            _ => "other",
        });
        next = records[index].cause.map(|cause| cause.0 as usize);
    }
    assert_eq!(
        chain,
        [
            "received",
            "delivered",
            "sent",
            "delivered",
            "sent",
            "fired",
            "set"
        ]
    );
}

#[test]
fn topology_mistakes_are_named() {
    use crate::TopologyError as Error;
    let world = World::new(1, Platform::Linux);
    let lan = world
        .network
        .add_lan("attic", &["10.0.7.0/24".parse().expect("valid")])
        .expect("valid");
    let add = |name: &str, address: &str| {
        let addresses = vec![address.parse().expect("valid")];
        world.network.add_host(HostOptions {
            name: name.to_owned(),
            lan,
            addresses,
            platform: Platform::Linux,
        })
    };
    let address = |text: &str| text.parse().expect("valid");
    assert!(add("dave", "10.0.7.1").is_ok());
    assert_eq!(
        add("dave", "10.0.7.2"),
        Err(Error::DuplicateName {
            name: "dave".to_owned()
        })
    );
    let taken = Error::DuplicateAddress {
        address: address("10.0.7.1"),
        holder: "dave".to_owned(),
    };
    assert_eq!(add("erin", "10.0.7.1"), Err(taken));
    let outside = Error::AddressOutsideLan {
        address: address("10.0.8.9"),
        lan: "attic".to_owned(),
    };
    assert_eq!(add("erin", "10.0.8.9"), Err(outside));
    assert_eq!(
        add("erin", "10.0.7.255"),
        Err(Error::AddressNotUnicast {
            address: address("10.0.7.255")
        })
    );
    let overlap = world
        .network
        .add_lan("cellar", &["10.0.0.0/16".parse().expect("valid")]);
    assert!(
        matches!(overlap, Err(Error::OverlappingSubnets { .. })),
        "{overlap:?}"
    );
}

// Hosts hold the network weakly: nothing that they run or keep may keep it alive.
#[test]
fn network_goes_with_its_last_handle() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let host = world.idle(world.alice);
    let socket = bind(&host, "10.0.8.1:9");
    world.run_to(10);
    let alive = Rc::downgrade(&world.network.0);
    drop(world);
    assert!(alive.upgrade().is_none());
    assert_eq!(
        send(&socket, "10.0.8.2:7"),
        Err(SocketErrorKind::BadDescriptor)
    );
    assert_eq!(
        (host.is_alive(), host.now(), host.draw("tag")),
        (false, Instant::START, 0)
    );
}
