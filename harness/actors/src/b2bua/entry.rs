//! What a scenario file can say about a B2BUA.

use linefault_protocol::sip::Uri;

use super::{B2bua, Config};
use crate::catalogue::{Actor, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::Checkpoint;
use crate::element::TCP;
use crate::proxy::{DOMAIN, HEALTH_CHECK, USERS, health_check, users_of};

/// Where a B2BUA should come by in some run.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("a callee did not answer"),
    Checkpoint::reached("an unavailable callee was called again"),
    Checkpoint::reached("a call was forwarded"),
    Checkpoint::reached("a redirection was followed"),
    Checkpoint::reached("a call was queued"),
    Checkpoint::reached("a caller cancelled"),
    Checkpoint::reached("a call failed on its offer"),
    Checkpoint::reached("a leg was lost"),
    Checkpoint::reached("a leg never acknowledged its answer"),
    Checkpoint::reached("a user that nobody knows was called"),
    Checkpoint::reached("a registered contact fell silent"),
];

/// The B2BUA in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "b2bua",
    doc: "A back-to-back user agent and registrar for one domain: each call has a leg of its own to either side.",
    port: 5060,
    settings: SETTINGS,
    commands: &[],
    points: &[CALLING],
    build: &build,
};

/// Between the arrival of an INVITE and the call that comes of it.
pub(super) const CALLING: &str = "while taking a call";

const SETTINGS: &[Setting] = &[
    DOMAIN,
    USERS,
    HEALTH_CHECK,
    Setting {
        name: "calls_max",
        kind: Kind::Integer(1, 100_000),
        presence: Presence::Default("1000"),
        doc: "How many calls it holds at once; one more is refused with 503 and Retry-After.",
    },
    Setting {
        name: "ring_limit",
        kind: Kind::Duration,
        presence: Presence::Default("180s"),
        doc: "How long a callee may take to answer before the INVITE is cancelled and the caller told 408; 0s waits for ever.",
    },
    Setting {
        name: "retries",
        kind: Kind::Integer(0, 100),
        presence: Presence::Default("3"),
        doc: "How often a callee that answers 503 is called again, a second apart, unless its Retry-After is longer.",
    },
    Setting {
        name: "forward_to",
        kind: Kind::HostOrUri,
        presence: Presence::Optional,
        doc: "Who is called instead, with a 181 to the caller, when the callee is busy or does not answer (408, 480, 486).",
    },
    Setting {
        name: "queue",
        kind: Kind::Integer(1, 1000),
        presence: Presence::Optional,
        doc: "How many calls one callee has at once; further ones wait and are told their place with 182. Without it nobody waits.",
    },
    Setting {
        name: "follow_redirects",
        kind: Kind::Switch,
        presence: Presence::Default("false"),
        doc: "Whether a 3xx of the callee is followed instead of relayed.",
    },
    TCP,
];

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let domain = settings.text("domain").unwrap_or_default();
    let users = users_of(settings, domain, directory);
    let mut config = Config::new(domain, users);
    let number = |name: &str| usize::try_from(settings.integer(name)?).ok();
    config.health_check = health_check(settings, config.health_check);
    if let Some(most) = number("calls_max") {
        config.calls_max = most;
    }
    if let Some(limit) = settings.duration("ring_limit") {
        config.ring_limit = (!limit.is_zero()).then_some(limit);
    }
    if let Some(times) = number("retries").and_then(|times| u32::try_from(times).ok()) {
        config.retry.times = times;
    }
    let forward_to = settings.text("forward_to");
    config.forward_to = forward_to.and_then(|to| uri_of(to, domain, directory));
    config.queue = number("queue");
    config.follow_redirects = settings.switch("follow_redirects");
    config.tcp = settings.switch("tcp");
    Box::new(B2bua { config })
}

/// The URI of a phone of that domain by its host's name, or what it says.
fn uri_of(to: &str, domain: &str, directory: &Directory) -> Option<Uri> {
    let Some(listing) = directory.find(to) else {
        return Uri::parse(to).ok();
    };
    let uri = match listing.settings.text("user") {
        Some(user) => format!("sip:{user}@{domain}"),
        None => format!("sip:{}", listing.address),
    };
    Uri::parse(&uri).ok()
}
