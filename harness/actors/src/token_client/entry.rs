//! What a scenario file can say about a token client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use linefault_protocol::sse::Rules;

use crate::catalogue::{Actor, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::Checkpoint;

use super::TokenClient;

/// Where a token client should come by in some run.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("an answer was complete"),
    Checkpoint::reached("an answer was given up"),
    Checkpoint::reached("the client waited before it connected again"),
    Checkpoint::reached("the service told of a failure"),
    Checkpoint::reached("the service warned"),
    Checkpoint::sometimes("the client asks for the rest of an answer"),
];

/// The token client in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "token-client",
    doc: "Asks a token service, shows the text as it comes, and reconnects by report D's rules.",
    port: 0,
    settings: SETTINGS,
    commands: COMMANDS,
    points: &[],
    build: &build,
};

const SETTINGS: &[Setting] = &[
    Setting {
        name: "service",
        kind: Kind::Host,
        presence: Presence::Required,
        doc: "Whom it asks.",
    },
    Setting {
        name: "idle",
        kind: Kind::Duration,
        presence: Presence::Default("30s"),
        doc: "How long it goes without an event before it gives up.",
    },
];

const COMMANDS: &[CommandEntry] = &[
    CommandEntry {
        name: "ask",
        doc: "Asks, unless an answer is under way.",
        arguments: &[
            Setting {
                name: "prompt",
                kind: Kind::Text,
                presence: Presence::Default("hello"),
                doc: "What it asks.",
            },
            Setting {
                name: "repeat",
                kind: Kind::Integer(1, 100_000),
                presence: Presence::Default("1"),
                doc: "How often the prompt is written, so that it grows long.",
            },
        ],
    },
    CommandEntry {
        name: "retry",
        doc: "Tries again at once where it waits or has given up; otherwise does nothing.",
        arguments: &[],
    },
    CommandEntry {
        name: "stop",
        doc: "Has had enough of the answer.",
        arguments: &[],
    },
];

/// For settings that were not checked against the directory.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let service = settings
        .text("service")
        .and_then(|name| directory.find(name));
    let usual = Rules::default();
    Box::new(TokenClient {
        service: service.map_or(NOWHERE, |listing| listing.address),
        rules: Rules {
            idle: settings.duration("idle").or(usual.idle),
            ..usual
        },
        tap: None,
    })
}
