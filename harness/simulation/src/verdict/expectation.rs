//! Whether the scenario's own expectations hold.

use std::ops::RangeInclusive;

use linefault_network::{HostId, Instant};
use tracing::Level;

use super::{Source, Violation};
use crate::evidence::Evidence;
use crate::scenario::{Expect, Scenario, Subject};
use crate::sighting::{Sighting, messages, sightings, utterances};
use crate::trace::Event;

/// As much of what happened instead is shown.
const SHOWN: usize = 4;

/// One violation for each that does not.
pub(super) fn broken(scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Violation> {
    let expects = scenario.expects.iter().enumerate();
    let broken = expects.filter_map(|(index, expect)| judge(evidence, index, expect));
    broken.collect()
}

fn judge(evidence: &Evidence<'_>, index: usize, expect: &Expect) -> Option<Violation> {
    let host = evidence.host(expect.host.0)?;
    let window = window(expect, evidence.ended_at);
    let mut seen = sightings(evidence, host, &expect.subject);
    seen.retain(|seen| window.contains(&seen.at));
    let text = breach(evidence, host, expect, &window, &seen)?;
    let first = seen.first();
    Some(Violation {
        name: expect.name.clone(),
        source: Source::Expect(index),
        host: Some(host),
        at: first.map_or(*window.end(), |seen| seen.at),
        record: first.map(|seen| seen.record),
        text,
    })
}

/// When a sighting counts; never beyond the end of the run.
fn window(expect: &Expect, ended_at: Instant) -> RangeInclusive<Instant> {
    let opens = Instant::from_micros(expect.opens.as_micros());
    let closes = expect.closes.map(|at| Instant::from_micros(at.as_micros()));
    opens..=closes.map_or(ended_at, |at| at.min(ended_at))
}

/// What is wrong, if anything is.
fn breach(
    evidence: &Evidence<'_>,
    host: HostId,
    expect: &Expect,
    window: &RangeInclusive<Instant>,
    seen: &[Sighting],
) -> Option<String> {
    let times: Vec<_> = seen.iter().map(|seen| seen.at.to_string()).collect();
    let times = times.join(", ");
    match (expect.never, expect.count) {
        (true, _) => (!seen.is_empty()).then(|| format!("seen at {times}")),
        (false, Some(count)) => {
            (usize::try_from(count) != Ok(seen.len())).then(|| match seen.len() {
                0 => format!("never seen, wanted {count} times"),
                often => format!("seen {often}×, wanted {count}×: {times}"),
            })
        }
        (false, None) => seen
            .is_empty()
            .then(|| instead(evidence, host, &expect.subject, window)),
    }
}

/// What was seen of the same kind, where the thing itself was not.
fn instead(
    evidence: &Evidence<'_>,
    host: HostId,
    subject: &Subject,
    window: &RangeInclusive<Instant>,
) -> String {
    let (what, seen) = match subject {
        Subject::Log { level, message } => (
            "no such line was logged",
            logged(evidence, host, *level, message.as_deref(), window),
        ),
        Subject::Message {
            direction, pattern, ..
        } if pattern.stream().is_some() => {
            let all = utterances(evidence, host, *direction)
                .filter(|(seen, _)| window.contains(&seen.at));
            let said = all.map(|(seen, said)| format!("{} at {}", said.what, seen.at));
            ("nothing was said on a connection", said.collect())
        }
        Subject::Message {
            direction, pattern, ..
        } => {
            let all = messages(evidence, host, *direction).filter(|(seen, message)| {
                window.contains(&seen.at) && pattern.concerns(message.method.as_str())
            });
            let seen = all.map(|(seen, message)| format!("{} at {}", message.summary(), seen.at));
            ("nothing of that method was seen", seen.collect())
        }
    };
    match seen.len() {
        0 => what.to_owned(),
        more if more > SHOWN => {
            let rest = more - SHOWN;
            format!("seen instead: {} and {rest} more", seen[..SHOWN].join(", "))
        }
        _ => format!("seen instead: {}", seen.join(", ")),
    }
}

/// Lines that were meant, perhaps: of that level with another text, or with that text at another level.
fn logged(
    evidence: &Evidence<'_>,
    host: HostId,
    level: Level,
    text: Option<&str>,
    window: &RangeInclusive<Instant>,
) -> Vec<String> {
    let records = evidence.trace.records().iter();
    let lines = records.filter(|record| record.host == Some(host) && window.contains(&record.at));
    let near = lines.filter_map(|record| match &record.event {
        Event::Log(line)
            if line.level == level || text.is_some_and(|text| line.message.contains(text)) =>
        {
            Some(format!(
                "{} \"{}\" at {}",
                line.level, line.message, record.at
            ))
        }
        _ => None,
    });
    near.collect()
}
