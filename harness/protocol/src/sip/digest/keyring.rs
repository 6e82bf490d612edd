//! The client's side: answering challenges.
//!
//! Owns the password, the nonces in use and their counts. Refuses to send; its owner repeats the request.

use std::collections::BTreeMap;

use super::{Asker, Challenge, Credentials, Protection, credentials_for, may_be_challenged};
use crate::sip::{Message, Method};

/// A user's name and password, and the last challenge of each realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    username: String,
    password: String,
    known: BTreeMap<(Asker, String), Known>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    challenge: Challenge,
    count: u32,
}

/// Realms that are remembered: more than any user has.
const CAPACITY: usize = 16;

impl Keyring {
    /// A user who was not asked yet.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            known: BTreeMap::new(),
        }
    }

    /// Puts credentials into a request for every realm that has asked before, in place of those that it has.
    // RFC 3261 §22.2 and §22.3: credentials are used again without being asked. A nonce whose use is not counted is not:
    // it may serve once only.
    pub fn sign(&mut self, request: &mut Message, mut draw: impl FnMut() -> String) {
        let method = request.method();
        if !may_be_challenged(&method) {
            return;
        }
        for asker in [Asker::Server, Asker::Proxy] {
            request.remove(asker.credentials_field());
        }
        let user = (self.username.as_str(), self.password.as_str());
        for ((asker, _), known) in &mut self.known {
            if known.count == 0 || known.challenge.protects {
                known.count = known.count.saturating_add(1);
                append(request, *asker, known, user, &method, draw());
            }
        }
    }

    /// Takes the challenges of a 401 or 407 to a request, and says whether it is worth being signed and sent again.
    // RFC 3261 §22.1, RFC 7616 §3.3: what was made for a fresh nonce and refused will be refused again. What was made for an
    // older one may be right.
    #[must_use]
    pub fn take(&mut self, request: &Message, response: &Message) -> bool {
        let challenges = Challenge::all_of(response);
        let worth = !challenges.is_empty()
            && may_be_challenged(&request.method())
            && challenges.iter().all(|(asker, challenge)| {
                let refused =
                    credentials_for(request, *asker).find(|it| it.realm == challenge.realm);
                refused.is_none_or(|it| it.protection.is_some_and(|it| it.count > 1))
            });
        for (asker, challenge) in challenges {
            let key = (asker, challenge.realm.clone());
            let fits = self.known.len() < CAPACITY || self.known.contains_key(&key);
            if worth && fits {
                self.known.insert(
                    key,
                    Known {
                        challenge,
                        count: 0,
                    },
                );
            } else {
                self.known.remove(&key);
            }
        }
        worth
    }
}

fn append(
    request: &mut Message,
    asker: Asker,
    known: &Known,
    user: (&str, &str),
    method: &Method,
    cnonce: String,
) {
    let uri = request.request_uri().unwrap_or_default().to_owned();
    let protection = Protection {
        cnonce,
        count: known.count,
    };
    let credentials = Credentials::answering(&known.challenge, user, (method, &uri), protection);
    request.append(asker.credentials_field(), &credentials.to_string());
}
