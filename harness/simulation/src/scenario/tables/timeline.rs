//! The keys of steps and faults.

use super::super::adapter;
use super::super::keys::{Hint, Key, Kind, Presence, Table, Tagged, Variant};
use super::{Acts, FaultKind, Vocabulary};

pub(super) fn timeline(vocabulary: &Vocabulary) -> Table {
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
    keys.push(Key::default(
        "may_miss",
        Kind::Switch,
        "false",
        "Whether the host may be down by then. Otherwise a step that cannot be taken fails the run.",
    ));
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
            .for_each(|key| key.presence = Presence::Required);
    }
    keys.extend(kind.keys.iter().cloned());
    let hint = Hint {
        keys: place_keys().iter().map(|key| key.name).collect(),
        text: format!("say where `{}` acts with {}", kind.name, kind.acts.places()),
    };
    Variant {
        name: kind.name,
        actor: None,
        doc: kind.doc,
        keys,
        hint: Some(hint),
    }
}

/// The keys that say where faults act, and on which packets or messages.
pub(in crate::scenario) fn place_keys() -> Vec<Key> {
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
