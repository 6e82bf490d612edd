use std::time::Duration;

use super::*;

use NatBehaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

const HOST: HostId = HostId(0);

fn table(mapping: NatBehaviour, filtering: NatBehaviour) -> Table {
    let options = NatOptions {
        mapping,
        filtering,
        ..NatOptions::new(vec![[192, 0, 2, 1].into()])
    };
    Table::new(options.clone(), options.udp_lifetime, Key::new(1))
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("valid")
}

fn at(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

const INSIDE: &str = "10.0.0.1:5060";
/// The same peer, its other port, another peer.
const PEERS: [&str; 3] = ["203.0.113.1:5060", "203.0.113.1:5062", "203.0.113.9:5060"];

// RFC 4787 §4.1: how many mappings three peers make of one socket is the definition of each behaviour.
#[test]
fn mapping_behaviours_tell_peers_apart_as_their_names_say() {
    for (mapping, expected) in [
        (EndpointIndependent, 1),
        (AddressDependent, 2),
        (AddressAndPortDependent, 3),
    ] {
        let mut table = table(mapping, EndpointIndependent);
        let mut outside = PEERS.map(|peer| table.send(at(0), HOST, address(INSIDE), address(peer)));
        assert!(outside.iter().all(Option::is_some), "{mapping:?}");
        outside.sort_unstable();
        let distinct = outside.windows(2).filter(|pair| pair[0] != pair[1]).count() + 1;
        assert_eq!(distinct, expected, "{mapping:?}");
    }
}

// RFC 4787 §5: after one packet to the first peer, who may send back is the definition of each behaviour.
#[test]
fn filtering_behaviours_let_in_as_their_names_say() {
    let filtered = Err(LossReason::Filtered);
    let inside = Ok((HOST, address(INSIDE)));
    for (filtering, expected) in [
        (EndpointIndependent, [inside, inside, inside]),
        (AddressDependent, [inside, inside, filtered]),
        (AddressAndPortDependent, [inside, filtered, filtered]),
    ] {
        let mut table = table(EndpointIndependent, filtering);
        let sent = table.send(at(0), HOST, address(INSIDE), address(PEERS[0]));
        let outside = sent.expect("a port is free");
        let let_in = PEERS.map(|peer| table.receive(at(1), outside, address(peer)));
        assert_eq!(let_in, expected, "{filtering:?}");
    }
}

// REQ-6: what goes out refreshes; what comes in does so only where asked for. The last microsecond is alive.
#[test]
fn lifetime_counts_from_the_last_packet_out() {
    let just = |seconds: u64| Instant::from_micros(seconds * 1_000_000 - 1);
    for (inbound_refresh, later) in [(false, Err(LossReason::NoMapping)), (true, Ok(()))] {
        let mut table = table(EndpointIndependent, EndpointIndependent);
        table.options.inbound_refresh = inbound_refresh;
        let peer = address(PEERS[0]);
        let outside = table
            .send(at(0), HOST, address(INSIDE), peer)
            .expect("free");
        assert_eq!(
            table.send(at(20), HOST, address(INSIDE), peer),
            Some(outside)
        );
        let mut receive = |now| table.receive(now, outside, peer).map(|_| ());
        assert_eq!(receive(just(50)), Ok(()));
        assert_eq!(receive(at(50)), later, "inbound refresh {inbound_refresh}");
    }
}

// A peer that was last sent to 40 s ago is a stranger again, although the mapping lives.
#[test]
fn filter_forgets_a_peer_after_the_lifetime() {
    let mut table = table(EndpointIndependent, AddressAndPortDependent);
    let mut send = |seconds, peer| table.send(at(seconds), HOST, address(INSIDE), address(peer));
    let outside = send(0, PEERS[0]).expect("free");
    send(20, PEERS[2]).expect("free");
    assert_eq!(
        table.receive(at(40), outside, address(PEERS[0])),
        Err(LossReason::Filtered)
    );
    assert!(table.receive(at(40), outside, address(PEERS[2])).is_ok());
}

// REQ-3 and REQ-4, for every one of a thousand sockets: no port twice, parity kept, halves of the range kept.
#[test]
fn ports_are_never_shared_and_keep_parity_and_range() {
    let mut table = table(EndpointIndependent, EndpointIndependent);
    let mut seen = Vec::new();
    for port in (1..=250).chain(2000..2750) {
        let inside = SocketAddr::new([10, 0, 0, 1].into(), port);
        let outside = table
            .send(at(0), HOST, inside, address(PEERS[0]))
            .expect("free");
        assert_eq!(outside.port() % 2, port % 2);
        assert_eq!(outside.port() < 1024, port < 1024);
        seen.push(outside);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
}

// 32,256 even ports of the upper range: the next even socket finds none, an odd one does, and an expired one makes room.
#[test]
fn table_is_bounded_and_says_when_it_is_full() {
    let mut table = table(EndpointIndependent, EndpointIndependent);
    let mut send = |seconds, number: u32, port| {
        let ip = std::net::Ipv4Addr::from(0x0a00_0000 + number);
        table.send(
            at(seconds),
            HOST,
            SocketAddr::new(ip.into(), port),
            address(PEERS[0]),
        )
    };
    for number in 0..32_256 {
        assert!(send(0, number, 5060).is_some(), "{number}");
    }
    assert_eq!(send(1, 40_000, 5060), None);
    assert!(send(1, 40_000, 5061).is_some());
    assert!(
        send(30, 40_000, 5060).is_some(),
        "those of 0 s have expired"
    );
    assert_eq!(table.mappings.len(), 2, "and are gone");
    assert_eq!(table.outside.len(), 2);
}

// Two addresses have more ports than the table has room.
#[test]
fn mappings_are_bounded_whatever_the_addresses() {
    let options = NatOptions::new(vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()]);
    let mut table = Table::new(options.clone(), options.udp_lifetime, Key::new(1));
    for number in 0..70_000u32 {
        let ip = std::net::Ipv4Addr::from(0x0a00_0000 + number);
        let port = 5060 + u16::from(number.is_multiple_of(2));
        table.send(
            at(0),
            HOST,
            SocketAddr::new(ip.into(), port),
            address(PEERS[0]),
        );
    }
    assert_eq!(
        (table.mappings.len(), table.outside.len()),
        (MAPPINGS_MAX, MAPPINGS_MAX)
    );
}

// A host that talks to ever new peers must not grow its NAT without bound.
#[test]
fn peers_of_one_mapping_are_bounded() {
    let mut table = table(EndpointIndependent, AddressAndPortDependent);
    let peer = |number: u32| SocketAddr::new(std::net::Ipv4Addr::from(number).into(), 9);
    let mut outside = None;
    for number in 0..5000 {
        let now = Instant::from_micros(u64::from(number));
        outside = table.send(now, HOST, address(INSIDE), peer(0xcb00_0000 + number));
    }
    let outside = outside.expect("free");
    assert_eq!(table.mappings[&outside].peers.len(), PEERS_MAX);
    assert!(
        table
            .receive(at(1), outside, peer(0xcb00_0000 + 4999))
            .is_ok()
    );
    assert!(table.receive(at(1), outside, peer(0xcb00_0000)).is_err());
}

// Rebinding keeps who may come in and changes where; expiry leaves nothing of this host and all of another.
#[test]
fn rebinding_moves_and_expiring_ends_one_hosts_mappings() {
    let mut table = table(EndpointIndependent, AddressAndPortDependent);
    let peer = address(PEERS[0]);
    let other = HostId(1);
    let old = table
        .send(at(0), HOST, address(INSIDE), peer)
        .expect("free");
    let others = table
        .send(at(0), other, address("10.0.0.2:5060"), peer)
        .expect("free");
    assert!(table.rebind(HOST, at(1)));
    let new = table.find(address(INSIDE), peer, at(1)).expect("it moved");
    assert_ne!(new, old);
    assert_eq!(table.receive(at(1), old, peer), Err(LossReason::NoMapping));
    assert!(table.receive(at(1), new, peer).is_ok());
    assert_eq!(table.send(at(1), HOST, address(INSIDE), peer), Some(new));
    assert!(table.expire(HOST, at(1)));
    assert_eq!(table.receive(at(1), new, peer), Err(LossReason::NoMapping));
    assert!(table.receive(at(1), others, peer).is_ok());
    assert!(
        !table.expire(HOST, at(1)) && !table.rebind(HOST, at(1)),
        "nothing is left"
    );
    assert!(
        !table.rebind(other, at(99)),
        "what has expired does not move"
    );
}

// The draw depends on the endpoint and the moment alone: what others have mapped meanwhile shifts nothing.
#[test]
fn ports_are_keyed() {
    let draw = |others: u16| {
        let mut table = table(EndpointIndependent, EndpointIndependent);
        for port in 0..others {
            let inside = SocketAddr::new([10, 0, 0, 7].into(), 3000 + port);
            table.send(at(0), HOST, inside, address(PEERS[0]));
        }
        table.send(at(5), HOST, address(INSIDE), address(PEERS[0]))
    };
    assert_eq!(draw(0), draw(20));
}

// REQ-2, "paired": a host keeps to one address whatever its port and peer; over a hundred hosts both are in use.
#[test]
fn host_keeps_to_one_outside_address() {
    let options = NatOptions::new(vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()]);
    let mut table = Table::new(options.clone(), options.udp_lifetime, Key::new(1));
    let mut used = std::collections::BTreeSet::new();
    for number in 1..=100 {
        let mut own = std::collections::BTreeSet::new();
        for port in 5060..5070 {
            let inside = SocketAddr::new([10, 0, 0, number].into(), port);
            let outside = table
                .send(at(0), HOST, inside, address(PEERS[0]))
                .expect("free");
            own.insert(outside.ip());
        }
        assert_eq!(own.len(), 1, "host {number}");
        used.extend(own);
    }
    assert_eq!(used.len(), 2);
}
