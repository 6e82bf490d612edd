//! Twin runs: whether a fault changed anything, found by leaving it out.
//!
//! A change is something that a living actor does otherwise: sends, fails to send, logs, opens, closes or
//! concludes. What merely arrives, or does not, is no change; nor is the silence of a host that is down.

use linefault_actors::Report;
use linefault_network::{self as network, HostId, Instant};

use crate::lives::Lives;
use crate::run::Simulation;
use crate::trace::{Event, Record, Trace};

/// Who was the first to do something otherwise because of a fault, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// Who.
    pub by: HostId,
    /// When it did so; if it only failed to do something, when it would have.
    pub at: Instant,
}

/// The first thing that an actor does otherwise in `run` than in `twin`.
#[must_use]
pub fn first_difference(run: &Simulation, twin: &Simulation) -> Option<Noticed> {
    let (ours, theirs) = (Acts::of(&run.trace), Acts::of(&twin.trace));
    let lives = Lives::of(&run.trace);
    let hosts = run.trace.hosts().iter().map(|host| host.id);
    let noticed = hosts.filter_map(|host| {
        let (ours, theirs) = (ours.host(host), theirs.host(host));
        let same = ours
            .iter()
            .zip(theirs)
            .take_while(|(our, their)| our.same_as(their))
            .count();
        let at = ours.get(same).or_else(|| theirs.get(same))?.at;
        lives
            .is_running(host, at)
            .then_some(Noticed { by: host, at })
    });
    noticed.min_by_key(|noticed| (noticed.at, noticed.by))
}

/// What the actors did, host by host.
struct Acts<'a>(Vec<Vec<&'a Record>>);

impl<'a> Acts<'a> {
    fn of(trace: &'a Trace) -> Self {
        let mut acts = vec![Vec::new(); trace.hosts().len()];
        for record in trace
            .records()
            .iter()
            .filter(|record| is_act(&record.event))
        {
            let host = record.host.and_then(|host| acts.get_mut(host.index()));
            host.into_iter().for_each(|host| host.push(record));
        }
        Self(acts)
    }

    fn host(&self, host: HostId) -> &[&'a Record] {
        self.0.get(host.index()).map_or(&[], Vec::as_slice)
    }
}

fn is_act(event: &Event) -> bool {
    match event {
        Event::Log(_) | Event::Unsent(_) => true,
        Event::Network(network::Event::Sent { packet }) => packet.datagram().is_some(),
        Event::Network(network::Event::SocketClosed { .. } | network::Event::Panic { .. }) => true,
        Event::Report(Report::State { from, to, .. }) => from != to,
        Event::Report(Report::Opened { .. } | Report::Closed { .. }) => true,
        _ => false,
    }
}

trait SameAs {
    fn same_as(&self, other: &Self) -> bool;
}

/// The same act at the same moment. Packets and sockets are numbered over the whole run: their numbers may
/// differ for reasons that lie elsewhere.
impl SameAs for Record {
    fn same_as(&self, other: &Self) -> bool {
        use network::Event as N;
        let same = match (&self.event, &other.event) {
            (
                Event::Network(N::Sent { packet: ours }),
                Event::Network(N::Sent { packet: theirs }),
            ) => (ours.from, ours.to, &ours.payload) == (theirs.from, theirs.to, &theirs.payload),
            (Event::Network(ours), Event::Network(theirs)) => {
                std::mem::discriminant(ours) == std::mem::discriminant(theirs)
            }
            (Event::Log(ours), Event::Log(theirs)) => ours == theirs,
            (Event::Unsent(ours), Event::Unsent(theirs)) => ours == theirs,
            (Event::Report(ours), Event::Report(theirs)) => ours == theirs,
            _ => false,
        };
        self.at == other.at && same
    }
}
