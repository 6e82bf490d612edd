//! Digest authentication: RFC 3261 §22, RFC 7616, RFC 8760.
//!
//! Owns challenges, credentials, the count of a nonce on both sides, and who is let in. Refuses `auth-int`, session
//! algorithms and Basic, which no SIP element may use (RFC 3261 §22): a challenge of theirs is one that is not supported.

mod challenge;
mod credentials;
mod guard;
mod keyring;
mod nonces;
mod read;

use std::fmt;

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::{Message, Method, Status};

pub use challenge::Challenge;
pub use credentials::{Credentials, Protection};
pub use guard::{Account, Admission, Guard, Policy};
pub use keyring::Keyring;

/// The hash of a challenge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RFC 3261 §22.4: what a challenge without an algorithm means.
    #[default]
    Md5,
    /// RFC 8760 §2.
    Sha256,
}

/// Who asks for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// The server that the request ends at: a registrar (RFC 3261 §22.2).
    Server,
    /// A proxy on the way (RFC 3261 §22.3).
    Proxy,
}

impl Algorithm {
    /// The algorithm of that name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The hash of that text in lower-case hexadecimal digits.
    pub(super) fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(text)),
        }
    }
}

impl Asker {
    /// The status of its challenges.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Server => Status::UNAUTHORIZED,
            Self::Proxy => Status::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    /// The header field of its challenges.
    #[must_use]
    pub const fn challenge_field(self) -> &'static str {
        match self {
            Self::Server => "WWW-Authenticate",
            Self::Proxy => "Proxy-Authenticate",
        }
    }

    /// The header field of credentials for it.
    #[must_use]
    pub const fn credentials_field(self) -> &'static str {
        match self {
            Self::Server => "Authorization",
            Self::Proxy => "Proxy-Authorization",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a request of that method may be challenged.
// RFC 3261 §22.1: an ACK cannot be answered and a CANCEL cannot be sent again.
#[must_use]
pub fn may_be_challenged(method: &Method) -> bool {
    !matches!(method, Method::Ack | Method::Cancel)
}

/// The credentials of a request for that asker, those that can be read.
pub fn credentials_for(request: &Message, asker: Asker) -> impl Iterator<Item = Credentials> {
    let fields = request.fields_of(asker.credentials_field());
    fields.filter_map(|field| Credentials::parse(field.value()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
