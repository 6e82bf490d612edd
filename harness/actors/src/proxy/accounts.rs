//! What a scenario file says of a proxy's users and of what they may ask for.
//!
//! Owns the reading of those settings. Refuses to judge requests; the rules do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use linefault_protocol::sip::digest::{Account, Algorithm, Policy};
use linefault_protocol::sip::proxy::Rules;

use crate::catalogue::{Directory, Kind, Presence, Setting, Settings};

pub(super) const AUTHENTICATE: Setting = Setting {
    name: "authenticate",
    kind: Kind::List(&Kind::Choice(&["register", "calls"])),
    presence: Presence::Optional,
    doc: "What needs credentials: `register` the registrations (401), `calls` every other request of a user of the domain (407).",
};

pub(super) const ACCOUNTS: Setting = Setting {
    name: "accounts",
    kind: Kind::List(&Kind::Text),
    presence: Presence::Optional,
    doc: "Passwords, as `\"user:password\"`, besides those of the phones of the domain.",
};

pub(super) const BARRED: Setting = Setting {
    name: "barred",
    kind: Kind::List(&Kind::Text),
    presence: Presence::Optional,
    doc: "Users whose account is barred: they are answered 403, where credentials are needed once theirs were right.",
};

pub(super) const ALGORITHMS: Setting = Setting {
    name: "algorithms",
    kind: Kind::List(&Kind::Choice(&["MD5", "SHA-256"])),
    presence: Presence::Optional,
    doc: "The hashes that it accepts, the one that it prefers first; SHA-256 and MD5 where absent.",
};

pub(super) const NONCE_LIFETIME: Setting = Setting {
    name: "nonce_lifetime",
    kind: Kind::Duration,
    presence: Presence::Default("300s"),
    doc: "How long a nonce may be used; after that it is stale.",
};

pub(super) const MAX_BODY: Setting = Setting {
    name: "max_body",
    kind: Kind::Integer(0, 65_536),
    presence: Presence::Optional,
    doc: "Bytes of a body; a request with a larger one is refused with 413.",
};

pub(super) const BODY_ROOM: Setting = Setting {
    name: "body_room",
    kind: Kind::Integer(0, 1_000_000),
    presence: Presence::Optional,
    doc: "Bytes of the bodies of all requests that it proxies at once; what finds no room for now is refused with 413 and Retry-After.",
};

pub(super) const MAX_REQUESTS: Setting = Setting {
    name: "max_requests",
    kind: Kind::Integer(0, 65_536),
    presence: Presence::Optional,
    doc: "Requests that it proxies at once; more of those outside of dialogs are refused with 503 and Retry-After.",
};

pub(super) const RETRY_AFTER: Setting = Setting {
    name: "retry_after",
    kind: Kind::Duration,
    presence: Presence::Default("30s"),
    doc: "How long a client that is refused with 503, or with 413 for now, is asked to stay away, in whole seconds.",
};

pub(super) const RECURSE: Setting = Setting {
    name: "recurse",
    kind: Kind::Switch,
    presence: Presence::Default("false"),
    doc: "Whether it follows redirections itself instead of passing them on.",
};

/// The rules that the settings make for those users.
pub(super) fn rules(settings: &Settings, directory: &Directory, users: &BTreeSet<String>) -> Rules {
    let needed = settings.texts("authenticate").unwrap_or_default();
    let size = |name| usize::try_from(settings.integer(name)?).ok();
    Rules {
        authentication: Some(policy(settings, directory, users)),
        challenges_registrations: needed.contains(&"register"),
        challenges_requests: needed.contains(&"calls"),
        max_body: size("max_body"),
        body_room: size("body_room"),
        max_requests: size("max_requests"),
        retry_after: settings
            .duration("retry_after")
            .unwrap_or(Duration::from_secs(30)),
        recurses: settings.switch("recurse"),
    }
}

fn policy(settings: &Settings, directory: &Directory, users: &BTreeSet<String>) -> Policy {
    let domain = settings.text("domain").unwrap_or_default();
    let listed = settings.texts("algorithms");
    let named = listed.map(|names| names.into_iter().filter_map(Algorithm::named).collect());
    Policy {
        realm: domain.to_owned(),
        algorithms: named.unwrap_or_else(|| vec![Algorithm::Sha256, Algorithm::Md5]),
        nonce_lifetime: settings
            .duration("nonce_lifetime")
            .unwrap_or(Duration::from_secs(300)),
        accounts: accounts(settings, directory, users),
    }
}

fn accounts(
    settings: &Settings,
    directory: &Directory,
    users: &BTreeSet<String>,
) -> BTreeMap<String, Account> {
    let own = settings.texts("accounts").unwrap_or_default();
    let own: BTreeMap<_, _> = own.iter().filter_map(|it| it.split_once(':')).collect();
    let barred = settings.texts("barred").unwrap_or_default();
    let of_phone = |user: &str| {
        let mut phones = directory.iter().map(|(_, listing)| &listing.settings);
        let phone = phones.find(|phone| phone.text("user") == Some(user))?;
        phone.text("password").map(str::to_owned)
    };
    let account = |user: &String| Account {
        password: own
            .get(user.as_str())
            .map(|password| (*password).to_owned())
            .or_else(|| of_phone(user)),
        barred: barred.contains(&user.as_str()),
    };
    users
        .iter()
        .map(|user| (user.clone(), account(user)))
        .collect()
}
