//! Every key of a scenario file.
//!
//! One table feeds the reader, the schema and the manual, so that they cannot disagree.

use linefault_actors::catalogue::Entry;

use super::adapter;
use super::keys::{Key, Kind, Table, Tagged, Variant};
use super::model::Platform;

/// Log levels, the gravest first.
pub(super) const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// What an expect can look for; exactly one of them.
pub(super) const VERBS: &[&str] = &[
    "receives",
    "sends",
    "logs",
    "never_receives",
    "never_sends",
    "never_logs",
];

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
        Key::optional("tags", Kind::Text.list(), "Words to select scenarios by."),
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
            Kind::Table(timeline(vocabulary)),
            "What happens, and when.",
        ),
        Key::optional(
            "outcome",
            Kind::Table(outcome()),
            "What must be seen, and what must not.",
        ),
        Key::optional(
            "known_bad",
            Kind::Table(known_bad()).list(),
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
            "What every draw of chance is keyed by. Editors that read whole numbers as 64 bits with a sign \
             stop at 9223372036854775807.",
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
    Table::new(vec![Key::required(
        "subnet",
        Kind::OneOrMore(Box::new(Kind::Subnet)),
        "Its address range in IPv4 or IPv6, or several.",
    )])
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

fn timeline(vocabulary: &Vocabulary) -> Table {
    Table::new(vec![
        Key::optional(
            "steps",
            Kind::Tagged(step(vocabulary)).list(),
            "What hosts are told to do.",
        ),
        Key::optional(
            "faults",
            Kind::Tagged(fault(vocabulary)).list(),
            "What is done to them.",
        ),
    ])
}

/// When something is due: the keys that steps and faults share.
fn due() -> [Key; 3] {
    [
        Key::optional(
            "at",
            Kind::Duration,
            "When, counted from the beginning of the run.",
        ),
        Key::optional(
            "when",
            Kind::Trigger,
            "The first time that this is seen: \"bob sends 200 INVITE\", \"proxy receives BYE\", \"proxy logs WARN\", \
             or \"proxy logs WARN 'a part of the text'\".",
        ),
        Key::optional(
            "after",
            Kind::Duration,
            "How long after `when`; at once where absent.",
        ),
    ]
}

fn step(vocabulary: &Vocabulary) -> Tagged {
    let mut variants: Vec<Variant> = vec![send()];
    variants.extend(
        vocabulary
            .actors
            .iter()
            .flat_map(|entry| adapter::commands(entry)),
    );
    let mut names: Vec<&'static str> = variants.iter().map(|variant| variant.name).collect();
    names.sort_unstable();
    names.dedup();
    let mut keys = due().to_vec();
    keys.push(Key::required("host", Kind::Host, "Who does it."));
    keys.push(Key::required(
        "do",
        Kind::Choice(names),
        "What it does; which commands there are depends on its actor.",
    ));
    Tagged {
        what: "command",
        tag: "do",
        common: Table {
            keys,
            one_of: &["at", "when"],
        },
        variants,
    }
}

fn send() -> Variant {
    Variant {
        name: "send",
        actor: None,
        doc: "Sends a datagram as it stands, from the host's own address; the actor knows nothing of it.",
        keys: vec![
            Key::required(
                "to",
                Kind::Host,
                "To whom: the address that this host serves on.",
            ),
            Key::required(
                "raw",
                Kind::Text,
                "The datagram. A bare line feed becomes carriage return and line feed.",
            ),
        ],
        hint: None,
    }
}

fn fault(vocabulary: &Vocabulary) -> Tagged {
    let names = vocabulary.faults.iter().map(|kind| kind.name).collect();
    let mut keys = vec![Key::required("fault", Kind::Choice(names), "What is done.")];
    keys.extend(due());
    keys.push(Key::optional(
        "for",
        Kind::Duration,
        "How long it lasts; for good where absent.",
    ));
    keys.push(Key::default(
        "may_miss",
        Kind::Switch,
        "false",
        "Whether the fault may pass without an effect. Otherwise a fault that changes nothing fails the run.",
    ));
    Tagged {
        what: "fault",
        tag: "fault",
        common: Table {
            keys,
            one_of: &["at", "when"],
        },
        variants: vocabulary.faults.iter().map(fault_variant).collect(),
    }
}

fn fault_variant(kind: &FaultKind) -> Variant {
    let mut keys = match kind.acts {
        Acts::Packets => place_keys(),
        Acts::Hosts => at_host(),
        Acts::Faults => [at_host(), on_link(), between()].concat(),
    };
    if kind.acts == Acts::Hosts {
        keys.iter_mut()
            .for_each(|key| key.presence = super::keys::Presence::Required);
    }
    keys.extend(kind.keys.iter().cloned());
    let hint = Some(format!(
        "say where `{}` acts with {}",
        kind.name,
        kind.acts.places()
    ));
    Variant {
        name: kind.name,
        actor: None,
        doc: kind.doc,
        keys,
        hint,
    }
}

/// The keys that say where faults act, and on which packets or messages.
pub(super) fn place_keys() -> Vec<Key> {
    [at_host(), on_link(), between(), selection()].concat()
}

fn at_host() -> Vec<Key> {
    vec![Key::optional(
        "host",
        Kind::Host,
        "The host that it concerns.",
    )]
}

fn on_link() -> Vec<Key> {
    vec![
        Key::optional("from", Kind::Host, "The sender of a directed link."),
        Key::optional("to", Kind::Host, "The receiver of a directed link."),
    ]
}

fn between() -> Vec<Key> {
    vec![
        Key::optional(
            "between",
            Kind::Host.list().list(),
            "Two groups of hosts: [[\"alice\"], [\"proxy\", \"bob\"]].",
        ),
        Key::default(
            "one_way",
            Kind::Switch,
            "false",
            "Only from the first group to the second.",
        ),
    ]
}

/// Which packets or messages a fault concerns.
fn selection() -> Vec<Key> {
    let count = |first| Kind::Integer(first, i128::from(u32::MAX));
    vec![
        Key::optional(
            "message",
            Kind::Pattern,
            "Only messages that match this pattern.",
        ),
        Key::optional("times", count(1), "So many of them at most."),
        Key::optional(
            "nth",
            count(1),
            "Only the nth distinct one, counted from 1.",
        ),
        Key::optional(
            "retransmission",
            count(0),
            "Only the nth repeat of a message, counted from 1; 0 is its first transmission.",
        ),
        Key::optional("probability", Kind::Ratio, "Each of them with this chance."),
    ]
}

fn outcome() -> Table {
    Table::new(vec![Key::optional(
        "expect",
        Kind::Table(expect()).list(),
        "What must be seen, and what must not.",
    )])
}

fn expect() -> Table {
    let pattern = |name, doc| Key::optional(name, Kind::Pattern, doc);
    let level = |name, doc| Key::optional(name, Kind::Choice(LEVELS.to_vec()), doc);
    Table {
        keys: vec![
            Key::required(
                "name",
                Kind::Name,
                "What it is called in results and in `must_fail`; unique in the file.",
            ),
            Key::required("host", Kind::Host, "Who does it."),
            pattern("receives", "A message that must reach the host."),
            pattern(
                "sends",
                "A message that the host must send, whether or not it arrives.",
            ),
            level("logs", "The level of a line that the host must log."),
            pattern("never_receives", "A message that must not reach the host."),
            pattern("never_sends", "A message that the host must not send."),
            level(
                "never_logs",
                "The level of a line that the host must not log.",
            ),
            Key::optional(
                "message",
                Kind::Text,
                "With `logs`: a part of the line's message.",
            ),
            Key::optional(
                "header",
                Kind::Fields,
                "With messages: header fields and their whole values.",
            ),
            Key::optional("body", Kind::Text, "With messages: a part of the body."),
            Key::optional(
                "count",
                Kind::Integer(0, i128::from(u32::MAX)),
                "Exactly how often; once or more where absent.",
            ),
            Key::optional(
                "after",
                Kind::Duration,
                "Counted from the beginning of the run: what is seen before does not count.",
            ),
            Key::optional(
                "within",
                Kind::Duration,
                "What is seen later does not count. Counts from `after`, or else from the last step or fault that has \
                 an `at`.",
            ),
            only(),
        ],
        one_of: VERBS,
    }
}

fn known_bad() -> Table {
    Table::new(vec![
        Key::required("host", Kind::Host, "Who is broken."),
        Key::required(
            "defects",
            Kind::Text.list(),
            "What is broken; `linefault list` names what there is.",
        ),
        Key::required(
            "must_fail",
            Kind::Text.list(),
            "Exactly the expects and oracles that must object.",
        ),
        only(),
    ])
}

fn only() -> Key {
    Key::optional(
        "only",
        Kind::Only,
        "Applies only where these keys have these values: { \"run.platform\" = \"macos\" }, or a list of values.",
    )
}
