use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use linefault_network::{
    Advance, HostOptions, Injection, Network, Platform, Recorder, Scope, TimerClass, fault,
};

use super::*;
use crate::trace::Trace;

/// What a client that sends `data` to a server that reads it all leaves in the trace.
fn transfer(data: &'static [u8], fault: Option<fault::Fault>) -> Vec<Connection> {
    let trace = Trace::shared();
    let recorder: Rc<RefCell<dyn Recorder>> = trace.clone();
    let network = Network::new(1, recorder);
    let subnet = "10.0.0.0/24".parse().expect("a subnet");
    let lan = network.add_lan("office", &[subnet]).expect("the first");
    let add = |name: &str, last| {
        let options = HostOptions {
            name: name.to_owned(),
            lan,
            addresses: vec![[10, 0, 0, last].into()],
            platform: Platform::Linux,
        };
        network
            .add_host(options)
            .expect("name and address are free")
    };
    let (server, client) = (add("server", 1), add("client", 2));
    let address: SocketAddr = "10.0.0.1:80".parse().expect("an address");
    network.start(server, move |host| async move {
        let listener = host.listen_tcp(address, 1).expect("the port is free");
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    });
    network.start(client, move |host| async move {
        let Ok(stream) = host.connect_tcp(address).await else {
            return;
        };
        for piece in data.chunks(700) {
            if stream.write_all(piece).await.is_err() {
                return;
            }
            host.sleep(Duration::from_millis(1), TimerClass::Foreground)
                .await;
        }
    });
    if let Some(fault) = fault {
        network.inject(Injection::new(fault, Scope::Everywhere));
    }
    while network.advance(Instant::from_micros(60_000_000)) == Advance::Moved {}
    let mut connections = Connections::default();
    for (id, record) in trace.borrow().iter() {
        connections.take(id, record);
    }
    connections.all
}

// 3,000 bytes in five writes: each has its own moments, and they are 1 ms apart and one latency later at the other end.
#[test]
fn bytes_are_there_with_the_moments_of_each() {
    let data: &'static [u8] = &[7; 3000];
    let connections = transfer(data, None);
    let [connection] = &connections[..] else {
        panic!("{connections:?}")
    };
    let up = &connection.up;
    assert_eq!(up.bytes(0..usize::MAX), data);
    let (first, second) = (up.sent_at(1).unwrap(), up.sent_at(701).unwrap());
    assert_eq!(second.at.as_micros() - first.at.as_micros(), 1000);
    assert!(up.arrived_at(3000).unwrap().at > up.sent_at(3000).unwrap().at);
    assert_eq!((up.sent_at(0), up.sent_at(3001)), (None, None));
    assert_eq!(
        (
            up.length(),
            up.bytes(699..701).len(),
            up.bytes(2990..4000).len()
        ),
        (3000, 2, 10)
    );
    assert!(up.fin.unwrap().arrived.is_some());
    assert!(connection.established.is_some() && connection.down.length() == 0);
}

// What is lost, doubled or overtaken changes moments and nothing else: the receiver's program sees the same bytes.
#[test]
fn disorder_changes_no_byte() {
    let data: &'static [u8] = &[9; 20_000];
    for fault in [
        fault::duplicate(2, Duration::from_millis(3)),
        fault::reorder(3, Duration::from_millis(50)),
    ] {
        let connections = transfer(data, Some(fault));
        assert_eq!(connections.len(), 1);
        assert_eq!(connections[0].up.bytes(0..usize::MAX), data);
        assert_eq!(connections[0].up.arrived(), data.len());
    }
}

#[test]
fn a_reset_on_the_way_belongs_to_the_side_in_whose_name_it_comes() {
    let connections = transfer(&[1; 5000], Some(fault::reset(fault::Sides::Receiver, 2000)));
    let [connection] = &connections[..] else {
        panic!("{connections:?}")
    };
    let reset = connection
        .up
        .reset
        .expect("the server hears it from the client");
    assert!(reset.arrived.is_some());
    assert!(
        connection.up.arrived() < 5000,
        "what the reset overtook never arrived"
    );
}

// A program that is kept from reading knows nothing of what its kernel has: without the difference it would be blamed for
// not acting on it.
#[test]
fn what_has_arrived_is_not_yet_read() {
    let data: &'static [u8] = &[7; 3000];
    let read = |connections: Vec<Connection>| {
        let [connection] = &connections[..] else {
            panic!("{connections:?}")
        };
        let up = &connection.up;
        assert!(up.arrived() == 3000 && up.let_go.is_some());
        (up.read(), up.heard_end().is_some())
    };
    assert_eq!(read(transfer(data, None)), (3000, true));
    assert_eq!(read(transfer(data, Some(fault::stall()))), (0, false));
}
