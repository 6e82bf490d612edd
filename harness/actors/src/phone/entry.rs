//! What a scenario file can say about a phone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use linefault_protocol::sip::sdp::{self, Codec};
use linefault_protocol::sip::{Status, Transport, Uri};

use crate::catalogue::{
    Actor, CommandEntry, Directory, Entry, Kind, Listing, Presence, Setting, Settings,
};
use crate::checkpoint::Checkpoint;
use crate::element::TCP;

use super::{Answer, Body, Config, Glare, Media, Phone, Refusal};

/// Where a phone should come by in some run, and what must hold there.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("a registration failed"),
    Checkpoint::reached("a call was refused"),
    Checkpoint::reached("a call timed out"),
    Checkpoint::reached("a call was redirected"),
    Checkpoint::reached("the other end hung up"),
    Checkpoint::reached("the other end had lost the call"),
    Checkpoint::reached("an answer was never acknowledged"),
    Checkpoint::reached("a session was not refreshed"),
    Checkpoint::reached("a session was changed"),
    Checkpoint::reached("a session could not be changed"),
    Checkpoint::reached("a BYE was not answered"),
    Checkpoint::reached("a call was transferred"),
    Checkpoint::reached("a call could not be transferred"),
    Checkpoint::reached("a request could not be sent"),
    Checkpoint::always("a dialog begins once"),
];

/// The phone in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "phone",
    doc: "A SIP user agent with one line: registers, calls, rings, answers, hangs up.",
    port: 5060,
    settings: SETTINGS,
    commands: COMMANDS,
    points: &[],
    build: &build,
};

const SETTINGS: &[Setting] = &[
    Setting {
        name: "user",
        kind: Kind::Text,
        presence: Presence::Required,
        doc: "The user part of its address-of-record.",
    },
    Setting {
        name: "password",
        kind: Kind::Text,
        presence: Presence::Optional,
        doc: "What it answers challenges with; without one it answers none. A proxy of its domain knows it.",
    },
    Setting {
        name: "registrar",
        kind: Kind::Host,
        presence: Presence::Required,
        doc: "The proxy that it registers with and sends its requests to; its domain is the phone's.",
    },
    Setting {
        name: "expires",
        kind: Kind::Duration,
        presence: Presence::Default("3600s"),
        doc: "The registration lifetime that it asks for, in whole seconds; a registrar grants 60 s to an hour.",
    },
    Setting {
        name: "keep_alive",
        kind: Kind::Duration,
        presence: Presence::Default("0s"),
        doc: "How often it sends line breaks to the registrar, so that a NAT keeps its mapping; 0s sends none.",
    },
    super::extensions::RELIABLE_PROVISIONAL,
    super::extensions::SESSION_EXPIRES,
    super::extensions::MIN_SE,
    super::extensions::REFRESHER,
    super::extensions::REFRESH,
    super::extensions::ON_REFER,
    super::extensions::AFTER_TRANSFER,
    Setting {
        name: "transport",
        kind: Kind::Choice(&["udp", "tcp"]),
        presence: Presence::Default("udp"),
        doc: "What carries its requests to the registrar, and what its contact asks others to use.",
    },
    TCP,
    Setting {
        name: "audio",
        kind: Kind::Host,
        presence: Presence::Optional,
        doc: "The audio service that each call is bridged to while it is up, as the visitor's leg under a UUID made from its Call-ID; when that leg ends, the phone hangs up.",
    },
    Setting {
        name: "servers",
        kind: Kind::List(&Kind::Host),
        presence: Presence::Optional,
        doc: "Where its requests go, in that order, when the registrar answers 503 with Retry-After.",
    },
    Setting {
        name: "require",
        kind: Kind::List(&Kind::Text),
        presence: Presence::Optional,
        doc: "Option tags that a caller must support; one that does not is refused with 421.",
    },
    Setting {
        name: "answer",
        kind: Kind::Table(ANSWER),
        presence: Presence::Optional,
        doc: "How it takes calls; without it rings at once and is picked up after a second.",
    },
    Setting {
        name: "codecs",
        kind: CODECS,
        presence: Presence::Optional,
        doc: "The audio codecs that it has, best first; without it PCMU.",
    },
    Setting {
        name: "delayed_offer",
        kind: Kind::Switch,
        presence: Presence::Default("false"),
        doc: "Leaves the offer to the other end: its INVITEs carry none, and its ACK the answer.",
    },
    Setting {
        name: "not_acceptable",
        kind: Kind::Choice(&["here", ANYWHERE]),
        presence: Presence::Default("here"),
        doc: "What no codec in common means: not acceptable here (488), or on no device of its user (606).",
    },
];

const ANSWER: &[Setting] = &[
    Setting {
        name: "ring",
        kind: Kind::Duration,
        presence: Presence::Default("0s"),
        doc: "From the arrival of the call to its 180.",
    },
    Setting {
        name: "early_media",
        kind: Kind::Duration,
        presence: Presence::Optional,
        doc: "Sends a 183 with a session description first, so long before its 180.",
    },
    Setting {
        name: "pick_up",
        kind: Kind::Duration,
        presence: Presence::Default("1s"),
        doc: "From the 180 to the final answer.",
    },
    Setting {
        name: "status",
        kind: Kind::Integer(300, 699),
        presence: Presence::Optional,
        doc: "Refuses the call with this status instead of taking it; without a ring if `pick_up` is 0s.",
    },
    Setting {
        name: "refuse_times",
        kind: Kind::Integer(1, 1000),
        presence: Presence::Optional,
        doc: "How many calls `status` refuses, after which they are taken; all where absent.",
    },
    Setting {
        name: "expires",
        kind: Kind::Duration,
        presence: Presence::Optional,
        doc: "How long a redirection holds, in whole seconds; for one call where absent.",
    },
    Setting {
        name: "do_not_disturb",
        kind: Kind::Switch,
        presence: Presence::Default("false"),
        doc: "Refuses every call with 480 at once, without a ring.",
    },
    Setting {
        name: "retry_after",
        kind: Kind::Duration,
        presence: Presence::Optional,
        doc: "Retry-After of the refusal, in whole seconds; RFC 3261 §20.33 has it with 404, 413, 480, 486, 500, 503, 600 and 603.",
    },
    Setting {
        name: "contacts",
        kind: Kind::List(&Kind::HostOrUri),
        presence: Presence::Optional,
        doc: "Contact of the refusal, phones by their hosts' names or URIs: where else to try (3xx), or who may be meant (485).",
    },
    Setting {
        name: "body",
        kind: Kind::Text,
        presence: Presence::Optional,
        doc: "The body of the refusal: the alternatives of a 380, the key to use of a 493.",
    },
    Setting {
        name: "body_type",
        kind: Kind::Text,
        presence: Presence::Default("text/plain"),
        doc: "The media type of that body.",
    },
    Setting {
        name: "contact",
        kind: Kind::Switch,
        presence: Presence::Default("true"),
        doc: "Whether its 2xx names a Contact; that of a broken device does not, and makes no dialog.",
    },
];

const COMMANDS: &[CommandEntry] = &[
    CommandEntry {
        name: "register",
        doc: "Registers, and keeps the registration alive until told otherwise.",
        arguments: &[],
    },
    CommandEntry {
        name: "unregister",
        doc: "Removes its registration (Expires: 0) and refreshes it no more.",
        arguments: &[],
    },
    CommandEntry {
        name: "exit",
        doc: "Leaves as an application does that is closed properly: ends the call and removes the registration.",
        arguments: &[],
    },
    CommandEntry {
        name: "call",
        doc: "Calls somebody.",
        arguments: &[
            TO,
            Setting {
                name: "expires",
                kind: Kind::Duration,
                presence: Presence::Optional,
                doc: "Gives up when nobody has answered by then, in whole seconds, and says so in the INVITE.",
            },
        ],
    },
    CommandEntry {
        name: "re-invite",
        doc: "Offers the session of the call anew; tries again after a 491.",
        arguments: &[Setting {
            name: "codecs",
            kind: CODECS,
            presence: Presence::Optional,
            doc: "The codecs to offer, best first; without it those of the session.",
        }],
    },
    CommandEntry {
        name: "update",
        doc: "Sends an UPDATE without an offer in the call that is up.",
        arguments: &[],
    },
    CommandEntry {
        name: "info",
        doc: "Sends an empty INFO in the call that is up.",
        arguments: &[],
    },
    CommandEntry {
        name: "transfer",
        doc: "Refers the other end of the call that is up to somebody else (REFER).",
        arguments: &[TO],
    },
    CommandEntry {
        name: "message",
        doc: "Sends somebody a text, in a MESSAGE outside of any call.",
        arguments: &[
            TO,
            Setting {
                name: "text",
                kind: Kind::Text,
                presence: Presence::Default("hello"),
                doc: "The text.",
            },
        ],
    },
    CommandEntry {
        name: "options",
        doc: "Asks somebody with OPTIONS whether they are there and willing.",
        arguments: &[TO],
    },
    CommandEntry {
        name: "do-not-disturb",
        doc: "Refuses every call with 480 from now on, or no longer.",
        arguments: &[Setting {
            name: "on",
            kind: Kind::Switch,
            presence: Presence::Default("true"),
            doc: "Whether it is on.",
        }],
    },
    CommandEntry {
        name: "hang-up",
        doc: "Ends the call: BYE, or CANCEL before the answer; refuses with 603 what still rings here.",
        arguments: &[],
    },
];

const CODECS: Kind = Kind::List(&Kind::Choice(sdp::NAMES));

const ANYWHERE: &str = "anywhere";

const TO: Setting = Setting {
    name: "to",
    kind: Kind::HostOrUri,
    presence: Presence::Required,
    doc: "Another phone by its host's name, or any SIP URI.",
};

/// For settings that were not checked against the directory.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let registrar = settings
        .text("registrar")
        .and_then(|name| directory.find(name));
    Box::new(Phone::new(
        Config {
            user: settings.text("user").unwrap_or_default().to_owned(),
            password: settings.text("password").map(str::to_owned),
            domain: registrar.map(domain_of).unwrap_or_default(),
            proxy: registrar.map_or(NOWHERE, |listing| listing.address),
            expires: settings
                .duration("expires")
                .unwrap_or(Duration::from_secs(3600)),
            extensions: super::extensions::of(settings),
            media: media(settings),
            glare: Glare::default(),
            answer: settings
                .table("answer")
                .map(|table| answer(table, directory))
                .unwrap_or_default(),
            required: texts(settings, "require"),
            other_servers: servers(settings, directory),
            keep_alive: settings
                .duration("keep_alive")
                .filter(|every| !every.is_zero()),
            transport: settings
                .text("transport")
                .and_then(Transport::named)
                .unwrap_or_default(),
            tcp: settings.switch("tcp"),
            audio: settings
                .text("audio")
                .and_then(|name| Some(directory.find(name)?.address)),
        },
        directory.clone(),
    ))
}

/// The domain that a registrar serves; the address of one that names none.
pub(super) fn domain_of(listing: &Listing) -> String {
    let domain = listing.settings.text("domain").map(str::to_owned);
    domain.unwrap_or_else(|| listing.address.to_string())
}

/// The URI that a name or a text means: that of a phone in the directory, or what it says.
pub(super) fn uri_of(directory: &Directory, to: &str) -> Option<Uri> {
    let Some(listing) = directory.find(to) else {
        return Uri::parse(to).ok();
    };
    let registrar = listing.settings.text("registrar");
    let domain = registrar
        .and_then(|name| directory.find(name))
        .map(domain_of);
    let uri = match (listing.settings.text("user"), domain) {
        (Some(user), Some(domain)) => format!("sip:{user}@{domain}"),
        _ => format!("sip:{}", listing.address),
    };
    Uri::parse(&uri).ok()
}

fn servers(settings: &Settings, directory: &Directory) -> Vec<SocketAddr> {
    let names = settings.texts("servers").unwrap_or_default().into_iter();
    names
        .filter_map(|name| Some(directory.find(name)?.address))
        .collect()
}

fn answer(table: &Settings, directory: &Directory) -> Answer {
    let contacts = texts(table, "contacts").into_iter();
    let usual = Answer::default();
    Answer {
        ring: table.duration("ring").unwrap_or(usual.ring),
        early_media: table.duration("early_media"),
        pick_up: table.duration("pick_up").unwrap_or(usual.pick_up),
        status: table
            .integer("status")
            .and_then(|code| Status::new(u16::try_from(code).ok()?)),
        refuse_times: table
            .integer("refuse_times")
            .and_then(|times| u32::try_from(times).ok()),
        do_not_disturb: table.switch("do_not_disturb"),
        refusal: Refusal {
            retry_after: table.duration("retry_after"),
            contacts: contacts
                .filter_map(|to| Some(uri_of(directory, &to)?.to_string()))
                .collect(),
            expires: table.duration("expires"),
            body: table.text("body").map(|text| Body {
                media_type: table.text("body_type").unwrap_or("text/plain").to_owned(),
                text: text.to_owned(),
            }),
        },
        names_contact: table.switch("contact"),
    }
}

fn texts(table: &Settings, name: &str) -> Vec<String> {
    let texts = table.texts(name).unwrap_or_default();
    texts.into_iter().map(str::to_owned).collect()
}

fn media(settings: &Settings) -> Media {
    let usual = Media::default();
    Media {
        codecs: codecs(settings).unwrap_or(usual.codecs),
        delayed_offer: settings.switch("delayed_offer"),
        not_acceptable: match settings.text("not_acceptable") {
            Some(ANYWHERE) => Status::NOT_ACCEPTABLE_ANYWHERE,
            _ => usual.not_acceptable,
        },
    }
}

/// The codecs that are named, if any are.
pub(super) fn codecs(settings: &Settings) -> Option<Vec<Codec>> {
    let names = settings.texts("codecs")?;
    Some(names.into_iter().filter_map(Codec::find).collect())
}
