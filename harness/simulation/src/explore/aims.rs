//! What faults can be aimed at: read off a run in which nothing goes wrong.

use std::collections::BTreeMap;

use linefault_network::{HostId, Instant};

use crate::evidence::Evidence;
use crate::evidence::talk::What;
use crate::scenario::{Scenario, StreamPattern};

/// As many moments of one kind of message as are aimed at.
const MOMENTS: usize = 16;

/// What faults can be aimed at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aims {
    /// The hosts, in the scenario's order.
    pub hosts: Vec<Target>,
    /// Who sends to whom, by place in `hosts`.
    pub links: Vec<(usize, usize)>,
    /// The kinds of message that are sent.
    pub messages: Vec<Aimed>,
    /// Whether there is TCP.
    pub tcp: bool,
}

/// A host as a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Whether a NAT stands between it and others.
    pub behind_nat: bool,
    /// The points at which its program can be made to fail.
    pub points: &'static [&'static str],
}

/// One kind of message between two hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aimed {
    /// The pattern that means it, as scenario files write it.
    pub pattern: String,
    /// Who sends it, by place in [`Aims::hosts`].
    pub from: usize,
    /// Who is to receive it.
    pub to: usize,
    /// When it is sent, in microseconds; spread evenly where that is often.
    pub moments: Vec<u64>,
}

impl Aims {
    /// What there is to aim at up to a moment.
    pub(super) fn of(evidence: &Evidence<'_>, scenario: &Scenario, until: Instant) -> Self {
        let mut sent: BTreeMap<(usize, usize, String), Vec<u64>> = BTreeMap::new();
        for (from, to, pattern, at) in sightings(evidence) {
            if at <= until && from != to {
                let key = (from.index(), to.index(), pattern);
                sent.entry(key).or_default().push(at.as_micros());
            }
        }
        let mut links: Vec<_> = sent.keys().map(|(from, to, _)| (*from, *to)).collect();
        links.dedup();
        let messages = sent
            .into_iter()
            .map(|((from, to, pattern), moments)| Aimed {
                pattern,
                from,
                to,
                moments: spread(&moments),
            });
        Self {
            messages: messages.collect(),
            hosts: scenario
                .hosts
                .iter()
                .map(|host| target(scenario, host))
                .collect(),
            links,
            tcp: !evidence.connections.is_empty(),
        }
    }
}

fn target(scenario: &Scenario, host: &crate::scenario::Host) -> Target {
    Target {
        name: host.name.clone(),
        behind_nat: scenario.lans[host.lan].nat.is_some(),
        points: host.actor.points,
    }
}

/// Every message that was sent to somebody: by whom, to whom, its pattern, when.
fn sightings<'e>(
    evidence: &'e Evidence<'_>,
) -> impl Iterator<Item = (HostId, HostId, String, Instant)> + 'e {
    let sip = evidence.transmissions.iter().filter_map(|sent| {
        let message = sent.message.as_ref()?;
        let method = message.method.as_str();
        let pattern = match message.status {
            Some(status) => format!("{status} {method}"),
            None => method.to_owned(),
        };
        Some((sent.from, sent.to?, pattern, sent.at))
    });
    let said = evidence.utterances.iter().flat_map(|said| {
        let ends = said
            .from(&evidence.connections)
            .zip(said.to(&evidence.connections));
        let patterns = patterns(&said.what);
        let at = said.sent.at;
        ends.into_iter().flat_map(move |(from, to)| {
            patterns
                .clone()
                .into_iter()
                .map(move |pattern| (from, to, pattern, at))
        })
    });
    sip.chain(said)
}

/// The patterns that mean what was said on a connection.
pub(super) fn patterns(what: &What) -> Vec<String> {
    StreamPattern::of(what)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// At most [`MOMENTS`] of them, the first and the last included.
fn spread(moments: &[u64]) -> Vec<u64> {
    if moments.len() <= MOMENTS {
        return moments.to_vec();
    }
    let last = moments.len() - 1;
    (0..MOMENTS)
        .map(|place| moments[place * last / (MOMENTS - 1)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn many_moments_are_thinned_out_to_both_ends() {
        let all: Vec<u64> = (0..1000).collect();
        let thin = spread(&all);
        assert_eq!((thin.len(), thin[0], thin[15]), (16, 0, 999));
        assert_eq!(spread(&[3, 4]), [3, 4]);
    }
}
