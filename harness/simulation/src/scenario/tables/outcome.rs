//! The keys of expects and broken twins.

use super::super::keys::{Key, Kind, Table};

/// The log levels that a trace keeps, the gravest first: an expectation of any other could not fail, or not hold.
pub(in crate::scenario) const LEVELS: [&str; 3] = ["ERROR", "WARN", "INFO"];

/// What an expect can look for; exactly one of them.
pub(in crate::scenario) const VERBS: &[&str] = &[
    "receives",
    "sends",
    "logs",
    "never_receives",
    "never_sends",
    "never_logs",
];

pub(super) fn outcome() -> Table {
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

pub(super) fn known_bad() -> Table {
    Table::new(vec![
        Key::required("host", Kind::Host, "Who is broken."),
        Key::required(
            "defects",
            Kind::Text.list(),
            "What is broken; `scenarios/README.md` lists what there is.",
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
