//! Everything that a reader follows, in order: messages, faults, steps, log lines, timers.
//!
//! Owns the one reading of a run as rows, and the folding of what only repeats. Refuses to know how a row looks:
//! snapshots and reports render the same rows.

mod aliases;
mod effects;
mod local;
mod messages;
mod streams;
mod timers;

use std::net::SocketAddr;

use linefault_network::{HostId, Instant, RecordId};
use tracing::Level;

use crate::evidence::Evidence;
use crate::scenario::Scenario;

pub(crate) use aliases::Aliases;
pub use effects::effects;
pub use timers::timers;

/// One row of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The record that it shows; of what is folded, the first.
    pub record: RecordId,
    /// When it happened; of what is folded, the first.
    pub at: Instant,
    /// What happened.
    pub what: What,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// One host does something towards another.
    Message(Message),
    /// Something happens at one host, or to the network.
    Local(Local),
}

/// Something that goes from one end to another, as often as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sends.
    pub from: End,
    /// Who is to receive.
    pub to: End,
    /// What it is: "INVITE sip:bob@sim.test", "200 INVITE", "audio 8 kHz".
    pub label: String,
    /// The status code, of a SIP or HTTP response.
    pub status: Option<u16>,
    /// Whether it is SIP over TCP.
    pub over_tcp: bool,
    /// What `sendings` have in common.
    pub fold: Fold,
    /// What it was read from.
    pub origin: Origin,
    /// Each time that it was sent, in order; at least one.
    pub sendings: Vec<Sending>,
    /// Why one of them did not arrive, where that is known.
    pub trouble: Option<String>,
    /// What faults did to them other than losing them, a text for each that was altered.
    pub alterations: Vec<String>,
}

/// One end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A host of the scenario.
    Host(HostId),
    /// An address that nobody has.
    Address(SocketAddr),
}

/// What is folded into one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The same bytes to the same address.
    Repeats,
    /// Different ones of a kind, one after another on a connection: sound, tokens.
    Run,
}

/// Where [`Sending::place`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In [`Evidence::transmissions`].
    Transmissions,
    /// In [`Evidence::utterances`].
    Utterances,
    /// In [`Evidence::connections`]: it is something that an end does to a connection.
    Connection,
}

/// One time that something was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The record.
    pub record: RecordId,
    /// When.
    pub at: Instant,
    /// When it first arrived.
    pub arrived: Option<Instant>,
    /// Whether it did, or may have if the run had gone on.
    pub arrives: bool,
    /// Its place in what it was read from.
    pub place: usize,
}

/// Something that happens at one host, or to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Where; nothing for what concerns no host, or several.
    pub host: Option<HostId>,
    /// Of which kind.
    pub kind: Kind,
    /// What, in one line.
    pub text: String,
}

/// Kinds of what happens at one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An actor logs a line.
    Log(Level),
    /// The scenario tells an actor to do something.
    Step,
    /// The scenario's fault of that index begins; nothing where it is not known.
    Fault(Option<usize>),
    /// It is over.
    FaultOver(Option<usize>),
    /// That fault does something to TCP segments.
    Effect(Option<usize>),
    /// Code panics uninvited.
    Panic,
    /// A protocol timer fires.
    Timer,
}

/// The rows of a run; repeats of a message are folded into its first row. Without timers and
/// what faults do to TCP segments: see [`timers`] and [`effects`].
#[must_use]
pub fn rows(scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Row> {
    let reading = Reading::new(scenario, evidence);
    let mut rows = messages::rows(&reading);
    rows.extend(streams::rows(&reading));
    rows.extend(local::rows(&reading));
    rows.sort_by_key(|row| row.record);
    rows
}

impl Message {
    /// Whether any of it arrives.
    #[must_use]
    pub fn arrives(&self) -> bool {
        self.sendings.iter().any(|sending| sending.arrives)
    }

    /// How often what, in a few words: "×3: 1.000 1.500✗ 2.500", "×50: to 3.200"; nothing where it was sent once.
    #[must_use]
    pub fn repeats(&self) -> Option<String> {
        let (count, last) = (self.sendings.len(), self.sendings.last()?);
        if count < 2 {
            return None;
        }
        let all_lost = !self.arrives();
        let time = |sending: &Sending| {
            let lost = !all_lost && !sending.arrives;
            format!("{}{}", sending.at, if lost { "✗" } else { "" })
        };
        Some(match self.fold {
            Fold::Repeats => {
                let times: Vec<_> = self.sendings.iter().map(time).collect();
                format!("×{count}: {}", times.join(" "))
            }
            Fold::Run => format!("×{count}: to {}", last.at),
        })
    }

    /// All that is said of it behind its label, part by part.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        remarks.extend(self.over_tcp.then(|| "tcp".to_owned()));
        remarks.extend(self.repeats());
        let missing = self.sendings.iter().filter(|sending| !sending.arrives);
        let missing = missing.count();
        if self.fold == Fold::Run && 0 < missing && missing < self.sendings.len() {
            remarks.push(format!("{missing} never arrived"));
        }
        remarks.extend(self.trouble.clone());
        remarks.extend(self.alterations.iter().cloned());
        remarks
    }
}

impl End {
    /// The host's name, or the address.
    #[must_use]
    pub fn name(&self, evidence: &Evidence<'_>) -> String {
        match self {
            Self::Host(host) => evidence.name(*host).to_owned(),
            Self::Address(address) => address.to_string(),
        }
    }
}

/// What rows are read from.
struct Reading<'a> {
    scenario: &'a Scenario,
    evidence: &'a Evidence<'a>,
    aliases: Aliases,
}

impl<'a> Reading<'a> {
    fn new(scenario: &'a Scenario, evidence: &'a Evidence<'a>) -> Self {
        Self {
            scenario,
            evidence,
            aliases: Aliases::of(evidence),
        }
    }
}
