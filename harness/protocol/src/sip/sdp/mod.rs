//! Session descriptions of one audio stream by offer and answer (RFC 3264, RFC 4566).
//!
//! Owns which codecs two ends have in common, and how that is said. Refuses media: no port is ever listened to, and
//! formats' parameters are left alone.

mod codec;
mod stream;

use std::fmt;
use std::net::IpAddr;

use sdp_types::{Connection, Media, Origin, ParserError, Session, Time};

pub use codec::{Codec, NAMES};

/// The media type of session descriptions.
pub const MEDIA_TYPE: &str = "application/sdp";

/// One end of a session, and what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    /// Where it wants its media.
    pub address: IpAddr,
    /// The session's number at this end.
    pub session: u64,
    /// The description's number; each one that differs from that before has the next (RFC 3264 §8).
    pub version: u64,
    /// What it can send and receive, best first.
    pub codecs: &'a [Codec],
}

/// Why a description leads to no session. `Malformed` blames the peer that wrote it; the others blame nobody: the two ends
/// have nothing in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SdpError {
    /// It cannot be read, for that reason.
    Malformed(String),
    /// No stream is audio.
    NoAudio,
    /// No audio stream is plain RTP.
    NoTransport,
    /// No audio stream has a codec that this end has.
    NoCodec,
}

impl Party<'_> {
    /// An offer of one audio stream with every codec.
    // RFC 3264 §5.1
    #[must_use]
    pub fn offer(&self) -> Vec<u8> {
        write(&self.session(Vec::new(), vec![stream::offered(self.codecs)]))
    }

    /// What this end supports, where no session is wanted: in a refusal.
    // RFC 3264 §9: as an offer, but with port 0.
    #[must_use]
    pub fn capabilities(&self) -> Vec<u8> {
        let mut media = stream::offered(self.codecs);
        media.port = 0;
        write(&self.session(Vec::new(), vec![media]))
    }

    /// The answer to an offer: its first audio stream with the codecs in common is taken, every other one rejected.
    ///
    /// # Errors
    /// The offer cannot be read, or wants streams of which none can be taken.
    // RFC 3264 §6
    pub fn answer(&self, offer: &[u8]) -> Result<Vec<u8>, SdpError> {
        let offer = read(offer)?;
        let (medias, taken) = self.take(&offer);
        let wanted = offer.medias.iter().any(stream::is_live);
        match taken {
            false if wanted => Err(self.mismatch(&offer)),
            _ => Ok(write(&self.session(offer.times, medias))),
        }
    }

    /// The answer to an offer of which nothing can be taken: every stream is rejected.
    ///
    /// # Errors
    /// The offer cannot be read.
    // RFC 3261 §13.2.2.4: an offer in a 2xx needs a valid answer even where the session is ended at once.
    pub fn rejection(&self, offer: &[u8]) -> Result<Vec<u8>, SdpError> {
        let offer = read(offer)?;
        let medias = offer.medias.iter().map(stream::rejected).collect();
        Ok(write(&self.session(offer.times, medias)))
    }

    /// Whether an answer leaves a session with something in it.
    ///
    /// # Errors
    /// The answer cannot be read, or takes nothing of what this end offered.
    // RFC 3264 §7
    pub fn check(&self, answer: &[u8]) -> Result<(), SdpError> {
        let answer = read(answer)?;
        let (_, taken) = self.take(&answer);
        taken.then_some(()).ok_or_else(|| self.mismatch(&answer))
    }

    /// A stream for each of theirs, and whether one is taken.
    fn take(&self, theirs: &Session) -> (Vec<Media>, bool) {
        let mut taken = false;
        let mut medias = Vec::with_capacity(theirs.medias.len());
        for media in &theirs.medias {
            let answer = (!taken).then(|| stream::answered(theirs, media, self.codecs));
            let answer = answer.flatten();
            taken |= answer.is_some();
            medias.push(answer.unwrap_or_else(|| stream::rejected(media)));
        }
        (medias, taken)
    }

    fn mismatch(&self, theirs: &Session) -> SdpError {
        let live = theirs.medias.iter().filter(|media| stream::is_live(media));
        let audio: Vec<_> = live.filter(|media| stream::is_audio(media)).collect();
        if audio.is_empty() {
            SdpError::NoAudio
        } else if !audio.iter().any(|media| stream::is_plain_rtp(media)) {
            SdpError::NoTransport
        } else {
            SdpError::NoCodec
        }
    }

    // RFC 4566 §5; RFC 3264 §6: the answer's t= is the offer's.
    fn session(&self, times: Vec<Time>, medias: Vec<Media>) -> Session {
        let (addrtype, address) = match self.address {
            IpAddr::V4(ip) => ("IP4", ip.to_string()),
            IpAddr::V6(ip) => ("IP6", ip.to_string()),
        };
        let unlimited = Time {
            start_time: 0,
            stop_time: 0,
            repeats: Vec::new(),
        };
        Session {
            origin: Origin {
                username: None,
                sess_id: self.session.to_string(),
                sess_version: self.version,
                nettype: "IN".to_owned(),
                addrtype: addrtype.to_owned(),
                unicast_address: address.clone(),
            },
            session_name: "-".to_owned(),
            session_description: None,
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: Some(Connection {
                nettype: "IN".to_owned(),
                addrtype: addrtype.to_owned(),
                connection_address: address,
            }),
            bandwidths: Vec::new(),
            times: if times.is_empty() {
                vec![unlimited]
            } else {
                times
            },
            time_zones: Vec::new(),
            key: None,
            attributes: Vec::new(),
            medias,
        }
    }
}

impl SdpError {
    /// The code and the text of the Warning that goes with it.
    // RFC 3261 §20.43
    #[must_use]
    pub fn warning(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::Malformed(_) => None,
            Self::NoTransport => Some((302, "Incompatible transport protocol")),
            Self::NoAudio => Some((304, "Media type not available")),
            Self::NoCodec => Some((305, "Incompatible media format")),
        }
    }
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(fault) => write!(f, "Malformed session description: {fault}"),
            Self::NoAudio => f.write_str("no stream is audio"),
            Self::NoTransport => f.write_str("no audio stream is plain RTP"),
            Self::NoCodec => f.write_str("no codec in common"),
        }
    }
}

impl std::error::Error for SdpError {}

fn read(bytes: &[u8]) -> Result<Session, SdpError> {
    let malformed = |fault: String| Err(SdpError::Malformed(fault));
    if let Some(line) = first_bad_line(bytes) {
        return malformed(format!("Line {line} is not a letter, \"=\" and a value"));
    }
    let session = match Session::parse(bytes) {
        Ok(session) => session,
        // The parser quotes the whole line, however long it is.
        Err(ParserError::InvalidVersion(..)) => return malformed("Version is not 0".to_owned()),
        Err(error) => return malformed(error.to_string()),
    };
    // RFC 4566 §5 and §5.7; the parser takes a description without either.
    if session.origin.nettype.is_empty() {
        return malformed("Missing o= line".to_owned());
    }
    let unplaced = |media: &Media| session.connection.is_none() && media.connections.is_empty();
    if session
        .medias
        .iter()
        .any(|media| stream::is_live(media) && unplaced(media))
    {
        return malformed("Missing c= line".to_owned());
    }
    Ok(session)
}

fn write(session: &Session) -> Vec<u8> {
    let mut bytes = Vec::new();
    session
        .write(&mut bytes)
        .expect("writing to memory does not fail");
    bytes
}

/// The parser panics where a line that is none follows a good one: it forgets the error that it saw when looking ahead.
fn first_bad_line(bytes: &[u8]) -> Option<usize> {
    let is_bad = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        !line.is_empty() && line.iter().position(|byte| *byte == b'=') != Some(1)
    };
    let place = bytes.split(|byte| *byte == b'\n').position(is_bad);
    place.map(|index| index + 1)
}

#[cfg(test)]
mod tests;
