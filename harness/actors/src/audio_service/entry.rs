//! What a scenario file can say about an audio service.

use std::time::Duration;

use crate::catalogue::{Actor, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::Checkpoint;

use super::line::HANGING_UP;
use super::{AudioService, Config, Flow};

/// Where an audio service should come by in some run, and what must hold there.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("the peer closed after the hang-up"),
    Checkpoint::reached("the peer reset the connection after the hang-up"),
    Checkpoint::reached("the peer did not close in time"),
    Checkpoint::reached("a hang-up found the connection gone"),
    Checkpoint::reached("a first frame was no UUID"),
    Checkpoint::reached("a peer sent what is no frame"),
    Checkpoint::reached("a call was taken already"),
    Checkpoint::reached("a peer reported an error"),
    Checkpoint::reached("no frame came in time"),
    Checkpoint::reached("the token service had no answer to speak"),
    Checkpoint::always("a leg has one connection"),
];

/// The audio service in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "audio-service",
    doc: "Serves AudioSocket calls of two legs, visitor and resident, each on its own port, and an HTTP API: GET /calls, POST /calls/{id}/{leg}/hangup.",
    port: 9092,
    settings: SETTINGS,
    commands: COMMANDS,
    points: &[HANGING_UP],
    build: &build,
};

const SETTINGS: &[Setting] = &[
    Setting {
        name: "resident_port",
        kind: Kind::Integer(1, 65_535),
        presence: Presence::Default("9093"),
        doc: "The port of residents' legs; visitors' legs connect to the service's own port.",
    },
    Setting {
        name: "api_port",
        kind: Kind::Integer(1, 65_535),
        presence: Presence::Default("8080"),
        doc: "The port of the HTTP API.",
    },
    Setting {
        name: "flow",
        kind: Kind::Choice(&["bridge", "echo", "tone", "silence"]),
        presence: Presence::Default("bridge"),
        doc: "What a caller hears: the other leg, itself, 1 kHz, or silence.",
    },
    Setting {
        name: "tokens",
        kind: Kind::Host,
        presence: Presence::Optional,
        doc: "Instead of `flow`: a token service, whose answer a caller hears as 1 kHz, 200 ms a token; hangs up when it cannot be had to its end.",
    },
    Setting {
        name: "hang_up_after",
        kind: Kind::Duration,
        presence: Presence::Default("0s"),
        doc: "How long after its UUID the call flow hangs up on a leg; 0s never does.",
    },
    Setting {
        name: "header_deadline",
        kind: Kind::Duration,
        presence: Presence::Default("5s"),
        doc: "How long a connection may take to say its UUID; 0s waits for ever.",
    },
    Setting {
        name: "frame_deadline",
        kind: Kind::Duration,
        presence: Presence::Default("10s"),
        doc: "How long a leg may be without a whole frame before it is hung up on; 0s waits for ever.",
    },
    Setting {
        name: "close_deadline",
        kind: Kind::Duration,
        presence: Presence::Default("2s"),
        doc: "How long after a hang-up the peer may take to close before the socket is aborted; 0s waits for ever.",
    },
    Setting {
        name: "user_timeout",
        kind: Kind::Duration,
        presence: Presence::Default("0s"),
        doc: "How long data may go unacknowledged before a leg's connection fails with ETIMEDOUT; 0s leaves it to the kernel, which takes a quarter of an hour.",
    },
    Setting {
        name: "request_deadline",
        kind: Kind::Duration,
        presence: Presence::Default("10s"),
        doc: "How long an HTTP client may take for its request and the answer.",
    },
];

const COMMANDS: &[CommandEntry] = &[CommandEntry {
    name: "hang-up",
    doc: "Lets the call flow hang up on every call, or on one leg of each.",
    arguments: &[Setting {
        name: "leg",
        kind: Kind::Choice(&["visitor", "resident"]),
        presence: Presence::Optional,
        doc: "Only on this leg.",
    }],
}];

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let mut config = Config::new();
    let port = |name, usual| {
        let port = settings.integer(name).map(u16::try_from);
        port.and_then(Result::ok).unwrap_or(usual)
    };
    config.resident_port = port("resident_port", config.resident_port);
    config.api_port = port("api_port", config.api_port);
    config.flow = match settings.text("flow") {
        Some("echo") => Flow::Echo,
        Some("tone") => Flow::Tone,
        Some("silence") => Flow::Silence,
        _ => Flow::Bridge,
    };
    let tokens = settings.text("tokens");
    if let Some(listing) = tokens.and_then(|name| directory.find(name)) {
        config.flow = Flow::Speech(listing.address);
    }
    config.hang_up_after = length(settings, "hang_up_after", None);
    let timing = config.timing;
    config.timing.first_frame = length(settings, "header_deadline", timing.first_frame);
    config.timing.next_frame = length(settings, "frame_deadline", timing.next_frame);
    config.timing.close = length(settings, "close_deadline", timing.close);
    config.user_timeout = length(settings, "user_timeout", None);
    if let Some(deadline) = settings.duration("request_deadline") {
        config.request_deadline = deadline;
    }
    Box::new(AudioService { config })
}

/// A length of time that zero switches off.
fn length(settings: &Settings, name: &str, usual: Option<Duration>) -> Option<Duration> {
    let set = settings.duration(name);
    set.map_or(usual, |length| (!length.is_zero()).then_some(length))
}
