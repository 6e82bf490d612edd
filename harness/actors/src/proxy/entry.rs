//! What a scenario file can say about a proxy.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::catalogue::{Actor, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::Checkpoint;
use crate::element::TCP;

use super::accounts::{
    ACCOUNTS, ALGORITHMS, AUTHENTICATE, BARRED, BODY_ROOM, MAX_BODY, MAX_REQUESTS, NONCE_LIFETIME,
    RECURSE, RETRY_AFTER, rules,
};
use super::{Config, Proxy, Removal};

/// Where a proxy should come by in some run.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("a request was refused by the proxy itself"),
    Checkpoint::reached("a target did not answer"),
    Checkpoint::reached("a target had no address"),
    Checkpoint::reached("a contact that was asked answered"),
    Checkpoint::reached("a binding went with the first send that failed"),
    Checkpoint::reached("a contact that seemed unreachable stayed silent"),
    Checkpoint::reached("a health check found a dead contact"),
    Checkpoint::reached("a response could not be sent"),
    Checkpoint::reached("an ACK could not be sent"),
    Checkpoint::reached("a stray response was dropped"),
    Checkpoint::reached("receiving failed for an earlier datagram"),
    Checkpoint::reached("forwarding failed inside the program"),
    Checkpoint::reached("the proxy was told to take no new requests"),
];

/// The proxy in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "proxy",
    doc: "A stateful SIP proxy and registrar for one domain.",
    port: 5060,
    settings: SETTINGS,
    commands: COMMANDS,
    points: &[FORWARDING],
    build: &build,
};

/// Between the arrival of a request for somebody else and its way out.
pub(super) const FORWARDING: &str = "while forwarding";

const COMMANDS: &[CommandEntry] = &[CommandEntry {
    name: "drain",
    doc: "Takes no new work from now on: refuses every request outside of a dialog with 503 and Retry-After.",
    arguments: &[],
}];

const SETTINGS: &[Setting] = &[
    DOMAIN,
    USERS,
    Setting {
        name: "status_policy",
        kind: Kind::Choice(&["incident", "rfc3261"]),
        presence: Presence::Default("incident"),
        doc: "What a failed delivery is answered with: statuses by kind of request, or RFC 3261 §16.9 to the letter.",
    },
    Setting {
        name: "remove_unreachable",
        kind: Kind::Choice(&["at-once", "after-probes"]),
        presence: Presence::Default("at-once"),
        doc: "When a binding goes whose contact is unreachable: at once, or only when OPTIONS stay unanswered for 64·T1.",
    },
    HEALTH_CHECK,
    Setting {
        name: "min_expires",
        kind: Kind::Duration,
        presence: Presence::Default("60s"),
        doc: "The shortest registration that it grants; shorter ones are refused with 423.",
    },
    Setting {
        name: "max_expires",
        kind: Kind::Duration,
        presence: Presence::Default("3600s"),
        doc: "The longest registration that it grants; longer ones are shortened to it.",
    },
    TCP,
    AUTHENTICATE,
    ACCOUNTS,
    BARRED,
    ALGORITHMS,
    NONCE_LIFETIME,
    MAX_BODY,
    BODY_ROOM,
    MAX_MESSAGE,
    MAX_LINE,
    MAX_REQUESTS,
    RETRY_AFTER,
    RECURSE,
];

// What every registrar is told; a B2BUA is one as well.
pub(crate) const DOMAIN: Setting = Setting {
    name: "domain",
    kind: Kind::Text,
    presence: Presence::Required,
    doc: "The domain that it serves.",
};

pub(crate) const USERS: Setting = Setting {
    name: "users",
    kind: Kind::List(&Kind::Text),
    presence: Presence::Optional,
    doc: "Who may register; without it the users of all phones that name a registrar of this domain.",
};

pub(crate) const HEALTH_CHECK: Setting = Setting {
    name: "health_check",
    kind: Kind::Duration,
    presence: Presence::Default("60s"),
    doc: "How often every binding is asked with OPTIONS whether it lives; 0s asks never.",
};

const MAX_MESSAGE: Setting = Setting {
    name: "max_message",
    kind: Kind::Integer(0, 65_536),
    presence: Presence::Default("65536"),
    doc: "Bytes of a message; a larger request is refused with 513.",
};

const MAX_LINE: Setting = Setting {
    name: "max_line",
    kind: Kind::Integer(0, 65_536),
    presence: Presence::Default("8192"),
    doc: "Bytes of a line; a longer request line is refused with 414, a longer header field with 400.",
};

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let domain = settings.text("domain").unwrap_or_default();
    let users = users_of(settings, domain, directory);
    let mut config = match settings.text("status_policy") {
        Some("rfc3261") => Config::rfc3261(domain, users),
        _ => Config::incident(domain, users),
    };
    if settings.text("remove_unreachable") == Some("after-probes") {
        config.remove_unreachable = Removal::AfterProbes;
    }
    config.health_check = health_check(settings, config.health_check);
    if let Some(shortest) = settings.duration("min_expires") {
        config.expiry.min = shortest;
    }
    if let Some(longest) = settings.duration("max_expires") {
        config.expiry.max = longest;
    }
    config.tcp = settings.switch("tcp");
    let size = |name| usize::try_from(settings.integer(name)?).ok();
    config.limits.message = size("max_message").unwrap_or(config.limits.message);
    config.limits.line = size("max_line").unwrap_or(config.limits.line);
    config.rules = rules(settings, directory, &config.users);
    Box::new(Proxy { config })
}

/// How often bindings are asked whether they live, if ever; as usual where nothing is said.
pub(crate) fn health_check(settings: &Settings, usual: Option<Duration>) -> Option<Duration> {
    let every = settings.duration("health_check");
    every.map_or(usual, |every| (!every.is_zero()).then_some(every))
}

/// Who may register: those that are listed, or the users of all phones of the domain.
pub(crate) fn users_of(
    settings: &Settings,
    domain: &str,
    directory: &Directory,
) -> BTreeSet<String> {
    settings.texts("users").map_or_else(
        || phones_of(domain, directory),
        |users| users.into_iter().map(str::to_owned).collect(),
    )
}

/// The users of all phones whose registrar serves that domain.
fn phones_of(domain: &str, directory: &Directory) -> BTreeSet<String> {
    let serves = |name: &str| {
        let registrar = directory.find(name)?.settings.text("domain")?;
        registrar.eq_ignore_ascii_case(domain).then_some(())
    };
    directory
        .iter()
        .filter(|(_, listing)| {
            listing
                .settings
                .text("registrar")
                .and_then(serves)
                .is_some()
        })
        .filter_map(|(_, listing)| listing.settings.text("user").map(str::to_owned))
        .collect()
}
