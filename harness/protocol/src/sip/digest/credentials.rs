//! Credentials: what a client answers a challenge with.

use std::fmt;

use super::read::{Parameters, quoted};
use super::{Algorithm, Challenge};
use crate::sip::Method;

/// The answer to a challenge (RFC 7616 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The realm of the challenge.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// The Request-URI, as the client wrote it: a proxy may have changed it since (RFC 3261 §22.4).
    pub uri: String,
    /// What proves that the user knows the password.
    pub response: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// With `qop=auth`.
    pub protection: Option<Protection>,
    /// As in the challenge.
    pub opaque: Option<String>,
}

/// What `qop=auth` adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Drawn by the client.
    pub cnonce: String,
    /// How often the client has used the nonce, this time included.
    pub count: u32,
}

impl Credentials {
    /// Answers a challenge for a request of that method to that Request-URI.
    #[must_use]
    pub fn answering(
        challenge: &Challenge,
        (username, password): (&str, &str),
        (method, uri): (&Method, &str),
        protection: Protection,
    ) -> Self {
        let mut credentials = Self {
            username: username.to_owned(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: uri.to_owned(),
            response: String::new(),
            algorithm: challenge.algorithm,
            protection: challenge.protects.then_some(protection),
            opaque: challenge.opaque.clone(),
        };
        credentials.response = credentials.proof(password, method);
        credentials
    }

    /// Reads a header field. `None` if it is malformed, lacks what it needs, or is of an unknown algorithm or protection.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parameters = Parameters::read(text)?;
        let algorithm = match parameters.text("algorithm") {
            Some(name) => Algorithm::named(&name)?,
            None => Algorithm::default(),
        };
        let protection = match parameters.text("qop") {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some(Protection {
                cnonce: parameters.text("cnonce")?,
                count: read_count(&parameters.text("nc")?)?,
            }),
            Some(_) => return None,
            None => None,
        };
        Some(Self {
            username: parameters.text("username")?,
            realm: parameters.text("realm")?,
            nonce: parameters.text("nonce")?,
            uri: parameters.text("uri")?,
            response: parameters.text("response")?,
            algorithm,
            protection,
            opaque: parameters.text("opaque"),
        })
    }

    /// Whether they were made with that password for that method.
    #[must_use]
    pub fn prove(&self, password: &str, method: &Method) -> bool {
        self.response
            .eq_ignore_ascii_case(&self.proof(password, method))
    }

    // RFC 7616 §3.4.1 to §3.4.3, RFC 3261 §22.4; without qop as RFC 2069 had it.
    fn proof(&self, password: &str, method: &Method) -> String {
        let Self {
            username,
            realm,
            nonce,
            uri,
            algorithm,
            ..
        } = self;
        let secret = algorithm.hash(&format!("{username}:{realm}:{password}"));
        let request = algorithm.hash(&format!("{method}:{uri}"));
        let text = match &self.protection {
            Some(Protection { cnonce, count }) => {
                format!("{secret}:{nonce}:{count:08x}:{cnonce}:auth:{request}")
            }
            None => format!("{secret}:{nonce}:{request}"),
        };
        algorithm.hash(&text)
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\", algorithm={}",
            quoted(&self.username),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(&self.uri),
            self.response,
            self.algorithm,
        )?;
        if let Some(Protection { cnonce, count }) = &self.protection {
            write!(f, ", qop=auth, nc={count:08x}, cnonce={}", quoted(cnonce))?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quoted(opaque))?;
        }
        Ok(())
    }
}

// RFC 7616 §3.4: eight hexadecimal digits.
fn read_count(text: &str) -> Option<u32> {
    let well_formed = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    well_formed.then(|| u32::from_str_radix(text, 16).ok())?
}
