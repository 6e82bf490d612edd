//! Pattern, number, count and probability work for every fault that judges packets or sends.

use super::faults::some_args;
use super::*;
use crate::fault::{Acts, ArgValue, CATALOGUE, Entry, Fault};
use crate::{FaultReport, Injection, PartsPerMillion, Scope};

/// The faults of the catalogue that judge, with parameters under which a datagram of a hundred bytes is concerned;
/// without `reset`, which concerns TCP alone and is tested there.
fn judging() -> impl Iterator<Item = &'static Entry> {
    let entries = CATALOGUE.iter().filter(|entry| entry.name != "reset");
    entries.filter(|entry| matches!(entry.acts, Acts::Packets | Acts::Sends))
}

fn make(entry: &Entry) -> Fault {
    let args = match entry.name {
        "fragmentation-needed" => some_args(entry).with("mtu", ArgValue::Count(68)),
        _ => some_args(entry),
    };
    entry.make(&args).expect("valid")
}

/// What Alice's sends of so many numbered datagrams, 10 ms apart, came to, and what Bob received and when.
struct Outcome {
    sends: Vec<bool>,
    received: Vec<(u64, Vec<u8>)>,
    report: FaultReport,
}

impl Outcome {
    /// The numbers of the datagrams that fared otherwise than without the fault.
    fn altered(&self) -> Vec<u64> {
        let arrived = |number: u64| {
            let mut whole = vec![b'.'; 100];
            whole[0] = u8::try_from(number).unwrap_or(u8::MAX);
            let ours = self.received.iter().filter(|(_, data)| data[0] == whole[0]);
            let ours: Vec<_> = ours.collect();
            self.sends[usize::try_from(number - 1).unwrap_or(0)]
                && ours.len() == 1
                && *ours[0] == (number * 10 + 5, whole)
        };
        (1..=self.sends.len() as u64)
            .filter(|number| !arrived(*number))
            .collect()
    }
}

fn run(count: u64, inject: impl FnOnce(&World) -> Injection) -> Outcome {
    let world = World::new(1, Platform::Linux);
    let receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let sender = bind(&world.idle(world.alice), "10.0.8.1:9");
    let id = world.network.inject(inject(&world));
    let (mut sends, mut received) = (Vec::new(), Vec::new());
    for number in 1..=count {
        take_until(&world, &receiver, number * 10, &mut received);
        let mut data = vec![b'.'; 100];
        data[0] = u8::try_from(number).unwrap_or(u8::MAX);
        sends.push(
            sender
                .send_to(data, "10.0.8.2:9".parse().expect("valid"))
                .is_ok(),
        );
    }
    take_until(&world, &receiver, 1_000_000, &mut received);
    let report = world.network.fault_report(id);
    Outcome {
        sends,
        received,
        report,
    }
}

fn take_until(world: &World, socket: &UdpSocket, millis: u64, into: &mut Vec<(u64, Vec<u8>)>) {
    world.network.schedule(at(millis), |_| {});
    while world.network.advance(at(millis)) == Advance::Moved {
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Ok((data, _))) = socket.poll_recv_from(&mut cx) {
            into.push((world.network.now().as_micros() / 1000, data.to_vec()));
        }
    }
}

fn from_alice(world: &World, entry: &Entry) -> Injection {
    let scope = Scope::Link {
        from: world.alice,
        to: world.bob,
    };
    Injection::new(make(entry), scope)
}

// Corruption may hit the first byte, by which a datagram is told: then it is missing, which is as good as altered.
#[test]
fn nth_acts_on_that_one_alone() {
    for entry in judging() {
        let outcome = run(5, |world| from_alice(world, entry).nth(2));
        assert_eq!(outcome.altered(), [2], "{}", entry.name);
        assert_eq!(
            (outcome.report.matched, outcome.report.applied),
            (2, 1),
            "{}",
            entry.name
        );
        assert_eq!(outcome.report.ended_at, Some(at(20)), "{}", entry.name);
    }
}

// A held packet overtakes none, so that reordering takes every second one; and once told of an MTU, a sender fragments.
#[test]
fn times_ends_after_as_many() {
    for entry in judging() {
        let outcome = run(5, |world| from_alice(world, entry).times(2));
        let (altered, ended) = match entry.name {
            "reorder" => (vec![1, 3], Some(at(30))),
            "fragmentation-needed" => (vec![1], None),
            _ => (vec![1, 2], Some(at(20))),
        };
        let report = outcome.report;
        assert_eq!(outcome.altered(), altered, "{}", entry.name);
        assert_eq!(report.applied, altered.len() as u64, "{}", entry.name);
        assert_eq!(report.ended_at, ended, "{}", entry.name);
    }
}

#[test]
fn pattern_acts_on_what_matches_alone() {
    for entry in judging() {
        let fourth = |packet: &crate::Packet| packet.datagram().is_some_and(|data| data[0] == 4);
        let outcome = run(5, |world| from_alice(world, entry).matching(fourth));
        assert_eq!(outcome.altered(), [4], "{}", entry.name);
        assert_eq!(
            (outcome.report.matched, outcome.report.applied),
            (1, 1),
            "{}",
            entry.name
        );
    }
}

// 200 datagrams at 30 %: 60 expected, standard deviation 6.5; never must be never, and one seed one choice.
#[test]
fn probability_chooses_by_the_seed() {
    for entry in judging() {
        let chosen = |parts| {
            let parts = PartsPerMillion::new(parts).expect("in range");
            let outcome = run(200, |world| from_alice(world, entry).probability(parts));
            assert_eq!(outcome.report.matched, 200, "{}", entry.name);
            (outcome.altered(), outcome.report.applied)
        };
        assert_eq!(chosen(0), (vec![], 0), "{}", entry.name);
        let some = chosen(300_000);
        let (few, all) = match entry.name {
            "reorder" => (20..60, 100),
            "fragmentation-needed" => (1..2, 1),
            _ => (34..86, 200),
        };
        assert!(few.contains(&some.1), "{} {some:?}", entry.name);
        assert_eq!(chosen(300_000), some, "{}", entry.name);
        assert_eq!(chosen(1_000_000).1, all, "{}", entry.name);
    }
}

// Under each of the faults, on everything: what it does to IPv4 datagrams it does to those of IPv6.
#[test]
fn every_fault_knows_ipv6() {
    for entry in judging() {
        let world = World::new(1, Platform::Linux);
        let receiver = bind(&world.idle(world.bob), "[fd00:8::2]:9");
        let sender = bind(&world.idle(world.alice), "[fd00:8::1]:9");
        let id = world.network.inject(from_alice(&world, entry));
        let sent = sender.send_to(vec![b'.'; 100], "[fd00:8::2]:9".parse().expect("valid"));
        world.run_to(5);
        let plain = receive(&receiver) == Some(Ok(".".repeat(100)));
        world.run_to(10);
        let more = receive(&receiver).is_some();
        assert!(sent.is_err() || !plain || more, "{}", entry.name);
        assert_eq!(world.network.fault_report(id).applied, 1, "{}", entry.name);
    }
}
