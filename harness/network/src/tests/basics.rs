//! Sending, receiving, sleeping, spawning.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;

/// What tasks saw, with the time.
type Log = Rc<RefCell<Vec<(Instant, String)>>>;

fn ask(world: &World, server: &'static str) -> Log {
    let log = Log::default();
    let seen = Rc::clone(&log);
    world.network.start(world.alice, move |host| {
        let seen = Rc::clone(&seen);
        async move {
            let socket = bind(&host, "[::]:0");
            pause(&host, 100).await;
            socket
                .send_to("hello", server.parse().expect("valid"))
                .expect("sent");
            let (data, from) = socket.recv_from().await.expect("answered");
            seen.borrow_mut().push((
                host.now(),
                format!("{} {from}", String::from_utf8_lossy(&data)),
            ));
        }
    });
    log
}

// 100 ms of sleep and two default latencies of 5 ms: the exact microsecond proves both clocks.
#[test]
fn request_and_answer_take_two_latencies_in_both_families() {
    for (server, seen_as) in [
        ("10.0.8.2:7", "[::ffff:10.0.8.2]:7"),
        ("[fd00:8::2]:7", "[fd00:8::2]:7"),
    ] {
        let world = World::new(1, Platform::Linux);
        world.network.start(world.bob, echo);
        let log = ask(&world, server);
        world.run_to(60_000);
        assert_eq!(*log.borrow(), [(at(110), format!("hello {seen_as}"))]);
    }
}
