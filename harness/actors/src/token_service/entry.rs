//! What a scenario file can say about a token service.

use crate::catalogue::{Actor, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::Checkpoint;

use super::{Config, Environment, Fail, FailKind, TokenService};

/// Where a token service should come by in some run.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("a stream was completed"),
    Checkpoint::reached("a stream failed"),
    Checkpoint::reached("a client left before the end of its stream"),
    Checkpoint::reached("a stream was resumed"),
    Checkpoint::reached("an event id that is none of ours was refused"),
    Checkpoint::reached("a connection that stood still was given up"),
    Checkpoint::reached("a client was told that there is no more"),
    Checkpoint::reached("an answer was given without a stream"),
];

/// The token service in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "token-service",
    doc: "Streams generated tokens over server-sent events: `POST /stream`, `GET /stream?prompt=…`, `GET /metrics`.",
    port: 8080,
    settings: SETTINGS,
    commands: COMMANDS,
    points: &[STARTING, GENERATING],
    build: &build,
};

/// An error here: it cannot stream, and answers with one JSON document.
pub(super) const STARTING: &str = "while starting a stream";
/// An error or a panic here is one of the program's own.
pub(super) const GENERATING: &str = "while generating";

const SETTINGS: &[Setting] = &[
    Setting {
        name: "seed",
        kind: Kind::Integer(0, i64::MAX),
        presence: Presence::Default("1"),
        doc: "What its answers are made from, together with a session.",
    },
    Setting {
        name: "tokens",
        kind: Kind::Integer(0, 1_000_000),
        presence: Presence::Default("12"),
        doc: "How many tokens an answer has; it stops with a timeout error after 1000.",
    },
    Setting {
        name: "interval",
        kind: Kind::Duration,
        presence: Presence::Default("50ms"),
        doc: "The time between two tokens.",
    },
    Setting {
        name: "fail",
        kind: Kind::Table(FAIL),
        presence: Presence::Optional,
        doc: "Where its source of tokens fails; for an error or a panic of the program's own there is `inject`.",
    },
    Setting {
        name: "streams",
        kind: Kind::Switch,
        presence: Presence::Default("true"),
        doc: "Whether it can stream; otherwise every answer is one JSON document.",
    },
    Setting {
        name: "environment",
        kind: Kind::Choice(&["production", "development"]),
        presence: Presence::Default("production"),
        doc: "Where it is deployed; clients of a service in development see tracebacks.",
    },
];

const FAIL: &[Setting] = &[
    Setting {
        name: "at",
        kind: Kind::Integer(1, 1_000_000),
        presence: Presence::Required,
        doc: "In place of which token, from 1.",
    },
    Setting {
        name: "kind",
        kind: Kind::Choice(&["value-error", "rate-limit", "time-out"]),
        presence: Presence::Required,
        doc: "How.",
    },
    Setting {
        name: "times",
        kind: Kind::Integer(1, 1_000_000),
        presence: Presence::Default("1"),
        doc: "How often in one life of the service.",
    },
];

const COMMANDS: &[CommandEntry] = &[CommandEntry {
    name: "drain",
    doc: "Begins no more streams: whoever asks for one gets 204, and is not to come back.",
    arguments: &[],
}];

fn build(settings: &Settings, _: &Directory) -> Box<dyn Actor> {
    let usual = Config::default();
    let config = Config {
        seed: number(settings, "seed").unwrap_or(usual.seed),
        tokens: number(settings, "tokens").unwrap_or(usual.tokens),
        interval: settings.duration("interval").unwrap_or(usual.interval),
        fail: settings.table("fail").and_then(fail),
        streams: settings.switch("streams"),
        environment: match settings.text("environment") {
            Some("development") => Environment::Development,
            _ => Environment::Production,
        },
        ..usual
    };
    Box::new(TokenService { config, tap: None })
}

fn fail(table: &Settings) -> Option<Fail> {
    Some(Fail {
        at: number(table, "at")?,
        kind: match table.text("kind")? {
            "rate-limit" => FailKind::RateLimit,
            "time-out" => FailKind::TimeOut,
            _ => FailKind::Value,
        },
        times: number(table, "times").unwrap_or(1),
    })
}

fn number(settings: &Settings, name: &str) -> Option<u64> {
    u64::try_from(settings.integer(name)?).ok()
}
