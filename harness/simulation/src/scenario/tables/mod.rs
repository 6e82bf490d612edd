//! Every key of a scenario file.
//!
//! One table feeds the reader, the schema and the manual, so that they cannot disagree.

mod outcome;
mod timeline;

use linefault_actors::catalogue::Entry;

use super::adapter;
use super::keys::{Key, Kind, Table, Tagged};
use super::model::Platform;

pub(super) use self::outcome::{LEVELS, VERBS};
pub(super) use self::timeline::place_keys;

/// Who there is to play with: the actors, and the faults that can be done to them.
#[derive(Clone)]
pub(super) struct Vocabulary {
    pub(super) actors: Vec<&'static Entry>,
    pub(super) faults: Vec<FaultKind>,
}

/// One kind of fault.
#[derive(Clone, Debug)]
pub(super) struct FaultKind {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) acts: Acts,
    pub(super) keys: Vec<Key>,
}

/// What a fault acts on, and so how a file says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acts {
    /// Packets, on the wire or as they are sent: at a host, on a directed link, between two groups, or
    /// everywhere if a pattern says which.
    Packets,
    /// A host.
    Hosts,
    /// Earlier faults, by where they are.
    Faults,
}

impl Acts {
    /// The ways to say where, one of which a fault needs.
    pub(super) const fn places(self) -> &'static str {
        match self {
            Self::Packets => "`host`, `from` and `to`, `between`, or a `message` pattern",
            Self::Hosts => "`host`",
            Self::Faults => "`host`, `from` and `to`, or `between`",
        }
    }
}

/// The whole file.
pub(super) fn root(vocabulary: &Vocabulary) -> Table {
    Table::new(vec![
        Key::required(
            "title",
            Kind::Text,
            "What the scenario shows, in one line; the head of its snapshot.",
        ),
        Key::optional("description", Kind::Text, "What it shows, at length."),
        Key::optional(
            "tags",
            Kind::Text.list(),
            "Words to select scenarios by, as in `linefault run --tag`.",
        ),
        Key::default("run", Kind::Table(run()), "", "The run as a whole."),
        Key::optional(
            "matrix",
            Kind::Matrix,
            "One test and one snapshot for each combination of these values. An axis is a dotted path to \
             another key, as in `--set`.",
        ),
        Key::default(
            "network",
            Kind::Table(network()),
            "",
            "What holds for the whole network.",
        ),
        Key::optional(
            "link",
            Kind::Table(link()).list(),
            "Links with a latency of their own.",
        ),
        Key::optional(
            "lan",
            Kind::Named("LAN", Box::new(Kind::Table(lan()))),
            "Local networks by name. Hosts on one are neighbours; a router stands between two. Without any, \
             all hosts are on one, 10.0.0.0/24.",
        ),
        Key::required(
            "host",
            Kind::Named("host", Box::new(Kind::Tagged(host(vocabulary)))),
            "Hosts by name. The keys depend on the actor that runs there.",
        ),
        Key::optional(
            "timeline",
            Kind::Table(timeline::timeline(vocabulary)),
            "What happens, and when.",
        ),
        Key::optional(
            "outcome",
            Kind::Table(outcome::outcome()),
            "What must be seen, and what must not.",
        ),
        Key::optional(
            "known_bad",
            Kind::Table(outcome::known_bad()).list(),
            "Broken twins: the same run with defects planted, each one more test and snapshot. It passes if \
             exactly what `must_fail` names objects.",
        ),
    ])
}

fn run() -> Table {
    let platforms = Platform::ALL.map(Platform::name).to_vec();
    Table::new(vec![
        Key::default(
            "seed",
            Kind::Integer(0, i128::from(u64::MAX)),
            "1",
            "What every draw of chance is keyed by.",
        ),
        Key::default(
            "platform",
            Kind::Choice(platforms),
            "linux",
            "Whose kernel the hosts' sockets behave like.",
        ),
        Key::default(
            "time_max",
            Kind::Duration,
            "10min",
            "Simulated time after which a run that is not over has failed.",
        ),
        Key::optional(
            "run_until",
            Kind::Duration,
            "Run until exactly then, however quiet it is.",
        ),
    ])
}

fn network() -> Table {
    Table::new(vec![Key::default(
        "latency",
        Kind::Latency,
        "5ms",
        "How long a packet takes, one way; a range is for jitter and exploration.",
    )])
}

fn link() -> Table {
    Table::new(vec![
        Key::required("from", Kind::Host, "Who sends."),
        Key::required("to", Kind::Host, "Who receives."),
        Key::required(
            "latency",
            Kind::Latency,
            "How long a packet takes, one way.",
        ),
        Key::default(
            "both_ways",
            Kind::Switch,
            "true",
            "Whether the way back takes as long.",
        ),
    ])
}

fn lan() -> Table {
    Table::new(vec![
        Key::required(
            "subnet",
            Kind::OneOrMore(Box::new(Kind::Subnet)),
            "Its address range in IPv4 or IPv6, or several.",
        ),
        Key::optional(
            "nat",
            Kind::Table(nat()),
            "The NAT that stands between it and everybody else; without it a router does.",
        ),
    ])
}

/// RFC 4787's words.
fn nat() -> Table {
    let behaviours = || {
        Kind::Choice(vec![
            "endpoint-independent",
            "address-dependent",
            "address-and-port-dependent",
        ])
    };
    Table::new(vec![
        Key::required(
            "outside",
            Kind::OneOrMore(Box::new(Kind::Address)),
            "Its address outside, or several; without a port.",
        ),
        Key::default(
            "mapping",
            behaviours(),
            "endpoint-independent",
            "Whether a socket has one port outside, or one for each peer's address, or for each peer.",
        ),
        Key::default(
            "filtering",
            behaviours(),
            "address-and-port-dependent",
            "Who may answer: anybody, addresses that were sent to, or exactly the peers that were.",
        ),
        Key::default(
            "udp_lifetime",
            Kind::Duration,
            "30s",
            "How long a UDP mapping lives without traffic that refreshes it.",
        ),
        Key::default(
            "tcp_lifetime",
            Kind::Duration,
            "124min",
            "How long a TCP mapping lives without traffic that refreshes it.",
        ),
        Key::default(
            "inbound_refresh",
            Kind::Switch,
            "false",
            "Whether traffic from outside refreshes a mapping, as that from inside always does.",
        ),
    ])
}

fn host(vocabulary: &Vocabulary) -> Tagged {
    let platforms = Platform::ALL.map(Platform::name).to_vec();
    let actors = vocabulary.actors.iter().map(|entry| entry.name).collect();
    Tagged {
        what: "actor",
        tag: "actor",
        common: Table::new(vec![
            Key::required("actor", Kind::Choice(actors), "What runs on the host."),
            Key::optional(
                "lan",
                Kind::Lan,
                "The LAN that it is on; needed only where there are several.",
            ),
            Key::optional(
                "address",
                Kind::Address,
                "Where it serves: \"192.168.8.120\", \"192.168.8.120:5062\" or \"[fd00::2]:5062\". Without it, the \
                 next free address of its LAN, and the actor's usual port.",
            ),
            Key::optional(
                "platform",
                Kind::Choice(platforms),
                "Whose kernel this host has, if not the run's.",
            ),
        ]),
        variants: vocabulary
            .actors
            .iter()
            .map(|entry| adapter::actor(entry))
            .collect(),
    }
}
