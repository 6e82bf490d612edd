//! The settings of a phone that concern extensions of SIP.
//!
//! Owns their words and their ranges.

use std::time::Duration;

use linefault_protocol::sip::Refresher;
use linefault_protocol::sip::user_agent::{Extensions, Refresh, Reliable, SessionTimer, Transfers};

use crate::catalogue::{Kind, Presence, Setting, Settings};

pub(super) const RELIABLE_PROVISIONAL: Setting = Setting {
    name: "reliable_provisional",
    kind: Kind::Choice(&["no", "supported", "required"]),
    presence: Presence::Default("no"),
    doc: "Whether its 180 and 183 are repeated until a PRACK comes (100rel, RFC 3262): never, with peers that know it, or else no call at all (421).",
};

pub(super) const SESSION_EXPIRES: Setting = Setting {
    name: "session_expires",
    kind: Kind::Duration,
    presence: Presence::Optional,
    doc: "Keeps sessions alive by refreshes (timer, RFC 4028): the interval that it asks for and the longest that it grants, in whole seconds; no less than min_se.",
};

pub(super) const MIN_SE: Setting = Setting {
    name: "min_se",
    kind: Kind::Duration,
    presence: Presence::Default("90s"),
    doc: "With session_expires: the shortest interval that it takes (422), in whole seconds; no less than 90 s.",
};

pub(super) const REFRESHER: Setting = Setting {
    name: "refresher",
    kind: Kind::Choice(&["uac", "uas"]),
    presence: Presence::Optional,
    doc: "With session_expires: who is to refresh, the caller or the callee, where it is this phone that may say so.",
};

pub(super) const REFRESH: Setting = Setting {
    name: "refresh",
    kind: Kind::Choice(&["re-invite", "update"]),
    presence: Presence::Default("re-invite"),
    doc: "With session_expires: how it refreshes.",
};

pub(super) const ON_REFER: Setting = Setting {
    name: "on_refer",
    kind: Kind::Choice(&["call", "decline"]),
    presence: Presence::Default("call"),
    doc: "What it does when it is referred to somebody else in a call: calls them, or declines with 603.",
};

pub(super) const AFTER_TRANSFER: Setting = Setting {
    name: "after_transfer",
    kind: Kind::Choice(&["hang-up", "stay"]),
    presence: Presence::Default("hang-up"),
    doc: "What it does with the call once its other end has reached whom it was transferred to.",
};

/// RFC 4028 §4.
const SHORTEST: Duration = Duration::from_secs(90);

pub(super) fn of(settings: &Settings) -> Extensions {
    let reliable = match settings.text("reliable_provisional") {
        Some("supported") => Reliable::Supported,
        Some("required") => Reliable::Required,
        _ => Reliable::No,
    };
    let timer = settings.duration("session_expires");
    Extensions {
        reliable,
        timer: timer.map(|expires| session_timer(settings, expires)),
        transfers: Transfers {
            accepted: settings.text("on_refer") != Some("decline"),
            hang_up: settings.text("after_transfer") != Some("stay"),
        },
    }
}

fn session_timer(settings: &Settings, expires: Duration) -> SessionTimer {
    let least = settings
        .duration("min_se")
        .unwrap_or(SHORTEST)
        .max(SHORTEST);
    SessionTimer {
        expires: expires.max(least),
        least,
        refresher: match settings.text("refresher") {
            Some("uac") => Some(Refresher::Uac),
            Some("uas") => Some(Refresher::Uas),
            _ => None,
        },
        refresh: match settings.text("refresh") {
            Some("update") => Refresh::Update,
            _ => Refresh::Reinvite,
        },
    }
}
