//! What a client shows of an answer is what the service made of it: a beginning, without a gap and without a repeat.

use std::collections::BTreeMap;

use linefault_network::{HostId, Instant, RecordId};

use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::evidence::tokens::Exchange;
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "stream-text",
    doc: "The text of a token client is a beginning of what the service made, without gap or repeat, and is called complete only if it is all.",
    source: "report D: Last-Event-ID goes out on reconnect, the generator replays from session and seed; an incomplete text is not shown as complete",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let exchanges = evidence.token_exchanges();
    let unclear = evidence.several_answers();
    let mut by_client: BTreeMap<HostId, Vec<&Exchange>> = BTreeMap::new();
    for exchange in exchanges {
        by_client.entry(exchange.client).or_default().push(exchange);
    }
    let gaps = exchanges.iter().filter_map(gap);
    let texts = endings(evidence)
        .into_iter()
        .filter(|ending| !unclear.contains(&ending.client))
        .filter_map(|ending| {
            let own = by_client.get(&ending.client);
            misread(own.map_or(&[], Vec::as_slice), &ending)
        });
    gaps.chain(texts).collect()
}

/// An answer that ended, as its client said.
struct Ending<'a> {
    client: HostId,
    record: RecordId,
    /// When the answer before it had ended.
    since: Instant,
    at: Instant,
    complete: bool,
    text: &'a str,
}

fn endings<'a>(evidence: &Evidence<'a>) -> Vec<Ending<'a>> {
    let mut since: BTreeMap<HostId, Instant> = BTreeMap::new();
    let mut endings = Vec::new();
    for (record, entry) in evidence.off_the_wire() {
        let (Some(client), Event::Log(line)) = (entry.host, &entry.event) else {
            continue;
        };
        let complete = line.message == "answer complete";
        if !complete && line.message != "answer incomplete" && line.message != "answer failed" {
            continue;
        }
        let text = line.fields.iter().find(|(name, _)| *name == "text");
        endings.push(Ending {
            client,
            record,
            since: since.get(&client).copied().unwrap_or_default(),
            at: entry.at,
            complete,
            text: text.map_or("", |(_, text)| text),
        });
        since.insert(client, entry.at);
    }
    endings
}

/// What a service sent of one session, by number.
#[derive(Default)]
struct Made<'a> {
    tokens: BTreeMap<u64, &'a str>,
    count: Option<u64>,
}

impl Made<'_> {
    fn text(&self) -> String {
        self.tokens.values().copied().collect()
    }

    fn is_all(&self) -> bool {
        self.count == u64::try_from(self.tokens.len()).ok()
    }
}

fn misread(of_client: &[&Exchange], ending: &Ending<'_>) -> Option<Finding> {
    let own = of_client
        .iter()
        .filter(|it| ending.since <= it.asked.at && it.asked.at <= ending.at);
    let own: Vec<_> = own.copied().collect();
    let sessions = sessions(&own);
    let whole: Vec<_> = own
        .iter()
        .filter_map(|exchange| exchange.json_text())
        .collect();
    let begins = sessions
        .values()
        .any(|made| made.text().starts_with(ending.text))
        || whole.iter().any(|text| text.starts_with(ending.text));
    let is_all = sessions
        .values()
        .any(|made| made.is_all() && made.text() == ending.text)
        || whole.iter().any(|text| text == ending.text);
    let text = if !begins && !ending.text.is_empty() {
        "shows a text that is no beginning of what the service made"
    } else if ending.complete && !is_all {
        "calls a text complete that is not all of what the service made"
    } else {
        return None;
    };
    Some(Finding {
        host: Some(ending.client),
        record: Some(ending.record),
        at: ending.at,
        text: format!("{text}: {:?}", ending.text),
    })
}

fn sessions<'a>(own: &[&'a Exchange]) -> BTreeMap<&'a str, Made<'a>> {
    let mut sessions: BTreeMap<&str, Made<'_>> = BTreeMap::new();
    for told in own.iter().flat_map(|exchange| &exchange.events) {
        let Some((session, number)) = told.place() else {
            continue;
        };
        let made = sessions.entry(session).or_default();
        if told.is_token() {
            made.tokens.entry(number).or_insert(&told.event.data);
        } else if told.event.name == "done" {
            let data: Option<serde_json::Value> = serde_json::from_str(&told.event.data).ok();
            made.count = data.and_then(|data| data.get("token_count")?.as_u64());
        }
    }
    sessions
}

/// A stream whose tokens do not follow one another, or not what the client has.
fn gap(exchange: &Exchange) -> Option<Finding> {
    let behind = exchange.last_id.rsplit_once('-');
    let mut last = behind.map_or(Some(0), |(_, number)| number.parse().ok())?;
    for told in exchange.events.iter().filter(|told| told.is_token()) {
        let (_, number) = told.place()?;
        if number != last + 1 {
            return Some(Finding {
                host: exchange.server,
                record: Some(told.sent.record),
                at: told.sent.at,
                text: format!("sent token {number} where {} was next", last + 1),
            });
        }
        last = number;
    }
    None
}
