//! The server's side: who is let in.
//!
//! Owns accounts, challenges and the verdict on credentials. Refuses to know which requests need any; its owner asks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::nonces::Nonces;
use super::{Algorithm, Asker, Challenge, Credentials, credentials_for};
use crate::Instant;
use crate::sip::{Message, Status};

/// What a guard asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The realm of its challenges.
    pub realm: String,
    /// The hashes that it accepts, the one that it prefers first.
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce may be used.
    pub nonce_lifetime: Duration,
    /// The users of the realm.
    pub accounts: BTreeMap<String, Account>,
}

/// What is known of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Without one, no credentials are right.
    pub password: Option<String>,
    /// Whether the user is refused, whatever the credentials.
    pub barred: bool,
}

/// The guard of one realm.
#[derive(Clone, Debug)]
pub struct Guard {
    policy: Policy,
    nonces: Nonces,
}

/// What a guard thinks of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It comes from that user.
    Granted(String),
    /// It has to come again with credentials for one of these.
    Challenged(Vec<Challenge>),
    /// It comes from a user who is barred: asking again does not help (RFC 3261 §21.4.4).
    Barred(String),
}

impl Guard {
    /// A guard who has given out nothing yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            nonces: Nonces::new(policy.nonce_lifetime),
            policy,
        }
    }

    /// Looks at the credentials of a request; `draw` gives a fresh nonce if one is needed.
    pub fn admit(
        &mut self,
        now: Instant,
        request: &Message,
        asker: Asker,
        draw: impl FnOnce() -> String,
    ) -> Admission {
        // RFC 3261 §22.3: of several credentials those of the own realm count.
        let proven: Option<Credentials> =
            credentials_for(request, asker).find(|it| self.is_proven(it, request));
        let Some(credentials) = proven else {
            return self.challenge(now, false, draw);
        };
        let fresh = self
            .nonces
            .use_up(now, &credentials.nonce, credentials.protection.as_ref());
        if !fresh {
            return self.challenge(now, true, draw);
        }
        let user = credentials.username;
        match self.policy.accounts.get(&user) {
            Some(account) if account.barred => Admission::Barred(user),
            _ => Admission::Granted(user),
        }
    }

    /// Whether the user is known to be barred.
    #[must_use]
    pub fn bars(&self, user: &str) -> bool {
        let account = self.policy.accounts.get(user);
        account.is_some_and(|account| account.barred)
    }

    fn is_proven(&self, credentials: &Credentials, request: &Message) -> bool {
        let account = self.policy.accounts.get(&credentials.username);
        let password = account.and_then(|account| account.password.as_deref());
        credentials.realm == self.policy.realm
            && self.policy.algorithms.contains(&credentials.algorithm)
            && password.is_some_and(|password| credentials.prove(password, &request.method()))
    }

    // RFC 7616 §3.3: stale says that the password was right.
    fn challenge(&mut self, now: Instant, stale: bool, draw: impl FnOnce() -> String) -> Admission {
        let nonce = draw();
        self.nonces.issue(now, &nonce);
        let of = |algorithm: &Algorithm| Challenge {
            realm: self.policy.realm.clone(),
            nonce: nonce.clone(),
            algorithm: *algorithm,
            protects: true,
            opaque: None,
            stale,
        };
        Admission::Challenged(self.policy.algorithms.iter().map(of).collect())
    }
}

impl Policy {
    /// The users of the realm.
    #[must_use]
    pub fn users(&self) -> BTreeSet<String> {
        self.accounts.keys().cloned().collect()
    }
}

impl Admission {
    /// What the request is answered with, if it is not let in.
    #[must_use]
    pub fn refusal(&self, asker: Asker) -> Option<Status> {
        match self {
            Self::Granted(_) => None,
            Self::Challenged(_) => Some(asker.status()),
            Self::Barred(_) => Some(Status::FORBIDDEN),
        }
    }
}
