//! What the HTTP API says of a hang-up is true.

use linefault_network::{self as network, HostId, Instant};
use serde_json::Value;

use super::super::{Finding, Holds, Oracle};
use super::{Session, sessions};
use crate::evidence::Evidence;
use crate::evidence::stream::{Seen, Side};
use crate::evidence::talk::{HttpMessage, HttpStart, Utterance};
use crate::trace::Event;

pub(in crate::oracle) const ORACLE: Oracle = Oracle {
    name: "api-answer",
    doc: "POST /calls/{id}/{leg}/hangup is answered 200 if the leg is there or has just gone, 404 if it is not, 500 only after an error other than a reset; always in JSON.",
    source: "report C: sending hang-up on request of the HTTP API",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let sessions = sessions(evidence);
    let mut findings = Vec::new();
    for exchange in exchanges(evidence) {
        if let Some(text) = breach(evidence, &sessions, &exchange) {
            findings.push(Finding {
                host: Some(exchange.server),
                record: Some(exchange.answered.record),
                at: exchange.answered.at,
                text,
            });
        }
    }
    findings
}

/// A wish to hang up, and its answer.
struct Exchange<'a> {
    server: HostId,
    /// `uuid/leg`.
    label: String,
    asked: Instant,
    answered: Seen,
    status: u16,
    answer: &'a HttpMessage,
}

fn exchanges<'a>(evidence: &'a Evidence<'_>) -> Vec<Exchange<'a>> {
    let mut said: Vec<(Said<'_>, Said<'_>)> = Vec::new();
    said.resize_with(evidence.connections.len(), Default::default);
    for utterance in &evidence.utterances {
        if let Some(message) = utterance.http() {
            let (up, down) = &mut said[utterance.connection];
            let side = if utterance.side == Side::Up { up } else { down };
            side.push((utterance, message));
        }
    }
    let lines = evidence.connections.iter().zip(said);
    let all = lines.flat_map(|(connection, (up, down))| {
        let pairs = up.into_iter().zip(down);
        pairs.filter_map(|((question, request), (reply, answer))| {
            Some(Exchange {
                server: connection.server?,
                label: label(request)?,
                asked: question.arrived?.at,
                answered: reply.sent,
                status: answer.status()?,
                answer,
            })
        })
    });
    all.collect()
}

/// What one side of a connection said in HTTP, in order.
type Said<'a> = Vec<(&'a Utterance, &'a HttpMessage)>;

/// Which leg a request wants to hang up on, if it does.
fn label(request: &HttpMessage) -> Option<String> {
    let HttpStart::Request { method, target } = &request.start else {
        return None;
    };
    let leg = target.strip_prefix("/calls/")?.strip_suffix("/hangup")?;
    (method == "POST").then(|| leg.to_owned())
}

fn breach(evidence: &Evidence<'_>, sessions: &[Session], it: &Exchange<'_>) -> Option<String> {
    let (asked, answered) = (it.asked, it.answered.at);
    let mut named = sessions
        .iter()
        .filter(|session| session.host == it.server && session.label == it.label);
    let wrong = match it.status {
        200 if !named.any(|session| session.is_open_within(asked, answered)) => {
            "200 for a leg that is not there"
        }
        404 if named.any(|session| session.is_open_throughout(asked, answered)) => {
            "404 for a leg that is there"
        }
        500 if !has_failed(evidence, it) => "500 though nothing failed but by a reset",
        200 | 404 | 500 => return not_json(it),
        status => return Some(format!("answered a hang-up with {status}")),
    };
    Some(format!("answered {wrong}"))
}

fn not_json(it: &Exchange<'_>) -> Option<String> {
    let body: Option<Value> = serde_json::from_slice(&it.answer.body).ok();
    let says = |name: &str| body.as_ref().and_then(|body| body.get(name)?.as_str());
    let right = match it.status {
        200 => body.is_some(),
        _ => says("status") == Some("error") && says("message").is_some(),
    };
    let wanted = r#"{"status":"error","message":…}"#;
    (!right).then(|| format!("the body of its {} is not {wanted}", it.status))
}

/// Whether something other than a reset went wrong at the server meanwhile.
fn has_failed(evidence: &Evidence<'_>, it: &Exchange<'_>) -> bool {
    use network::SocketErrorKind::{BrokenPipe, ConnectionReset};
    evidence.off_the_wire().any(|(_, record)| {
        let meanwhile = it.asked <= record.at && record.at <= it.answered.at;
        let failed = match &record.event {
            Event::Injected(_) => true,
            Event::Network(network::Event::CallFailed { error, .. }) => {
                !matches!(error.kind, ConnectionReset | BrokenPipe)
            }
            _ => false,
        };
        failed && meanwhile && record.host == Some(it.server)
    })
}
