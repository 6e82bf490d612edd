//! Challenges: what a server asks of a client.

use std::fmt;

use super::read::{Parameters, quoted};
use super::{Algorithm, Asker};
use crate::sip::Message;

/// One challenge that can be answered here (RFC 7616 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose users it asks for.
    pub realm: String,
    /// What the answer has to be made with.
    pub nonce: String,
    /// How it is to be hashed.
    pub algorithm: Algorithm,
    /// Whether `qop=auth` is offered: the answer then counts how often the nonce was used.
    pub protects: bool,
    /// To be given back as it is.
    pub opaque: Option<String>,
    /// Whether the credentials were right, and only their nonce was not.
    pub stale: bool,
}

impl Challenge {
    /// Reads a header field. `None` if it is malformed, or asks for what is not supported: another scheme, another
    /// algorithm, or protection other than `auth`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parameters = Parameters::read(text)?;
        let algorithm = match parameters.text("algorithm") {
            Some(name) => Algorithm::named(&name)?,
            None => Algorithm::default(),
        };
        let offered = parameters.text("qop");
        let offers = |qop: &String| {
            qop.split(',')
                .any(|one| one.trim().eq_ignore_ascii_case("auth"))
        };
        let protects = offered.as_ref().is_some_and(offers);
        let supported = offered.is_none() || protects;
        let stale = parameters.text("stale");
        Some(Self {
            realm: parameters.text("realm")?,
            nonce: parameters.text("nonce").filter(|_| supported)?,
            algorithm,
            protects,
            opaque: parameters.text("opaque"),
            stale: stale.is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// What a response asks for, one challenge a realm: the first that is supported.
    // RFC 8760 §2.4: a server lists them by preference, and a client takes the first that it supports.
    pub(super) fn all_of(response: &Message) -> Vec<(Asker, Self)> {
        let mut chosen: Vec<(Asker, Self)> = Vec::new();
        for asker in [Asker::Server, Asker::Proxy] {
            let fields = response.fields_of(asker.challenge_field());
            for challenge in fields.filter_map(|field| Self::parse(field.value())) {
                let known =
                    |(who, old): &(Asker, Self)| *who == asker && old.realm == challenge.realm;
                if !chosen.iter().any(known) {
                    chosen.push((asker, challenge));
                }
            }
        }
        chosen
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (realm, nonce) = (quoted(&self.realm), quoted(&self.nonce));
        write!(
            f,
            "Digest realm={realm}, nonce={nonce}, algorithm={}",
            self.algorithm
        )?;
        if self.protects {
            f.write_str(", qop=\"auth\"")?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quoted(opaque))?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        Ok(())
    }
}
