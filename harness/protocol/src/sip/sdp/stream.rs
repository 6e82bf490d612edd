//! One stream of a session description.
//!
//! Owns what an `m=` line and its attributes say about formats and direction (RFC 3264 §5.1 and §6.1).

use sdp_types::{Attribute, Media, Session};

use super::Codec;

/// Where media is said to be wanted; nobody listens there.
const PORT: u16 = 4000;

/// The first payload type whose meaning is said anew in each session (RFC 3551 §3).
const FIRST_DYNAMIC: u8 = 96;

/// The directions other than both, and what an answer makes of each (RFC 3264 §6.1).
const DIRECTIONS: [(&str, &str); 3] = [
    ("sendonly", "recvonly"),
    ("recvonly", "sendonly"),
    ("inactive", "inactive"),
];

/// An audio stream with those codecs.
pub(super) fn offered(codecs: &[Codec]) -> Media {
    let mut next = FIRST_DYNAMIC;
    let formats = codecs.iter().map(|codec| {
        let payload_type = codec.payload_type.unwrap_or(next);
        next = next.saturating_add(u8::from(codec.payload_type.is_none()));
        (payload_type, *codec)
    });
    audio(PORT, &formats.collect::<Vec<_>>())
}

/// The answer to a stream that can be taken.
// RFC 3264 §6.1: the formats in common, in the offer's order and with its payload types.
pub(super) fn answered(session: &Session, theirs: &Media, codecs: &[Codec]) -> Option<Media> {
    if !is_live(theirs) || !is_audio(theirs) || !is_plain_rtp(theirs) {
        return None;
    }
    let listed = theirs.fmt.split_ascii_whitespace();
    let common: Vec<_> = listed
        .filter_map(|format| format.parse::<u8>().ok())
        .filter_map(|format| Some((format, meaning(theirs, format, codecs)?)))
        .collect();
    if common.is_empty() {
        return None;
    }
    let mut media = audio(PORT, &common);
    media.attributes.extend(direction(session, theirs));
    Some(media)
}

/// The answer to a stream that is not taken.
// RFC 3264 §6: port 0; the formats are listed since the grammar wants one, and mean nothing.
pub(super) fn rejected(theirs: &Media) -> Media {
    Media {
        port: 0,
        num_ports: None,
        attributes: Vec::new(),
        ..plain(&theirs.media, &theirs.proto, &theirs.fmt)
    }
}

/// Whether it is wanted: port 0 says that it is not (RFC 3264 §5.1).
pub(super) fn is_live(media: &Media) -> bool {
    media.port != 0
}

pub(super) fn is_audio(media: &Media) -> bool {
    media.media == "audio"
}

pub(super) fn is_plain_rtp(media: &Media) -> bool {
    media.proto == "RTP/AVP"
}

/// What a payload type means, if that is one of those codecs. A mapping goes before the static meaning.
fn meaning(theirs: &Media, format: u8, codecs: &[Codec]) -> Option<Codec> {
    let mappings = theirs
        .attributes
        .iter()
        .filter(|it| it.attribute == "rtpmap");
    let mut mappings = mappings.filter_map(|it| it.value.as_deref()?.split_once(' '));
    let mapping = mappings.find(|(number, _)| number.parse() == Ok(format));
    codecs.iter().copied().find(|codec| match mapping {
        Some((_, encoding)) => codec.is_mapped_as(encoding),
        None => codec.payload_type == Some(format),
    })
}

// RFC 3264 §6.1; a direction of the session is that of each stream that has none (RFC 4566 §6).
fn direction(session: &Session, theirs: &Media) -> Option<Attribute> {
    let of = |attributes: &[Attribute]| {
        let names = attributes.iter().map(|it| it.attribute.as_str());
        let mut names = names.filter(|name| *name == "sendrecv" || opposite(name).is_some());
        names.next().map(str::to_owned)
    };
    let said = of(&theirs.attributes).or_else(|| of(&session.attributes))?;
    opposite(&said).map(|name| attribute(name, None))
}

fn opposite(direction: &str) -> Option<&'static str> {
    let known = DIRECTIONS.iter().find(|(name, _)| *name == direction);
    known.map(|(_, opposite)| *opposite)
}

fn audio(port: u16, formats: &[(u8, Codec)]) -> Media {
    let types: Vec<_> = formats
        .iter()
        .map(|(format, _)| format.to_string())
        .collect();
    let mappings = formats
        .iter()
        .map(|(format, codec)| attribute("rtpmap", Some(codec.mapping(*format))));
    Media {
        port,
        attributes: mappings.collect(),
        ..plain("audio", "RTP/AVP", &types.join(" "))
    }
}

fn plain(media: &str, proto: &str, fmt: &str) -> Media {
    Media {
        media: media.to_owned(),
        port: 0,
        num_ports: None,
        proto: proto.to_owned(),
        fmt: fmt.to_owned(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn attribute(name: &str, value: Option<String>) -> Attribute {
    Attribute {
        attribute: name.to_owned(),
        value,
    }
}
