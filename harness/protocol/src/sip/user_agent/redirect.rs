//! Redirections.
//!
//! Owns where a call is looked for next (RFC 3261 §8.1.3.4), what is remembered of where somebody moved to (§21.3.2,
//! §21.3.3). Refuses to go anywhere twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::{Event, Purpose, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Class, Contacts, Message, Status, Uri};

/// Where a call is looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    left: VecDeque<String>,
    tried: BTreeSet<String>,
    /// Whether a 305 has sent it through a proxy.
    through: bool,
}

/// Where somebody moved to, by the URI that was called.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressBook(BTreeMap<String, Entry>);

#[derive(Clone, Debug)]
struct Entry {
    target: String,
    /// For good, if there is no end.
    until: Option<Instant>,
}

/// Entries of an address book, and targets of one search.
const CAPACITY: usize = 64;

impl AddressBook {
    /// What to call instead of a URI, and whether the URI itself is worth a try after that.
    fn look_up(&mut self, now: Instant, uri: &str) -> Option<(String, bool)> {
        self.0
            .retain(|_, entry| entry.until.is_none_or(|until| until > now));
        let entry = self.0.get(uri)?;
        Some((entry.target.clone(), entry.until.is_some()))
    }

    // RFC 3261 §21.3.2: 301 is for good. §21.3.3: 302 is for this call alone, unless Expires says for how long.
    fn learn(
        &mut self,
        now: Instant,
        uri: &str,
        response: &Message,
        targets: &[(String, Option<u32>)],
    ) {
        let Some((target, own)) = targets.first() else {
            return;
        };
        let until = match response.status() {
            Some(Status::MOVED_PERMANENTLY) => None,
            Some(Status::MOVED_TEMPORARILY) => {
                let seconds = own.or_else(|| response.expires().ok().flatten());
                let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else {
                    return;
                };
                Some(now + Duration::from_secs(seconds.into()))
            }
            _ => return,
        };
        if self.0.len() < CAPACITY || self.0.contains_key(uri) {
            let target = target.clone();
            self.0.insert(uri.to_owned(), Entry { target, until });
        }
    }
}

impl UserAgent {
    /// Points a fresh INVITE to where its callee has moved, if that is known.
    pub(super) fn direct(&mut self, turn: &UserAgentTurn<'_>, invite: &mut Message) -> Search {
        let uri = invite.request_uri().unwrap_or_default().to_owned();
        let mut search = Search::default();
        if let Some((target, again)) = self.book.look_up(turn.now, &uri) {
            invite.set_request_uri(&target);
            search.tried.insert(target);
            // §21.3.3: the original may be tried once more if what was remembered fails.
            search.left.extend(again.then_some(uri));
        } else {
            search.tried.insert(uri);
        }
        search
    }

    /// Looks for the callee elsewhere after a final answer, or none, to its INVITE; `false` if there is nowhere left.
    pub(super) fn look_further(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        client: TransactionId,
        response: Option<&Message>,
    ) -> bool {
        let Some((_, mut request)) = self.asked.get(client).cloned() else {
            return false;
        };
        if self.is_abandoned(id) {
            return false;
        }
        let Some(search) = self.searches.get_mut(&id) else {
            return false;
        };
        let status = response.and_then(Message::status);
        let goes_on = match (status, response) {
            // RFC 3261 §8.1.3.4: a 6xx says that no other place is better.
            (Some(status), _) if status.class() == Class::GlobalFailure => false,
            (Some(Status::USE_PROXY), Some(response)) => search.through(&mut request, response),
            (Some(status), Some(response)) if status.class() == Class::Redirection => {
                let targets = targets_of(response);
                let called = request
                    .to()
                    .map_or_else(|_| String::new(), |to| to.uri_str().to_owned());
                self.book.learn(turn.now, &called, response, &targets);
                search.add(targets);
                search.next(&mut request)
            }
            _ => search.next(&mut request),
        };
        if !goes_on {
            return false;
        }
        let target = request.request_uri().unwrap_or_default().to_owned();
        turn.above.push(Event::Redirected(id, target));
        self.clients.remove(&client);
        let purpose = Purpose::Invite(id);
        self.renumber(&purpose, &mut request);
        self.send_again(turn, purpose, request);
        true
    }
}

impl Search {
    fn add(&mut self, targets: Vec<(String, Option<u32>)>) {
        // What the peer names comes before what was known.
        for (target, _) in targets.into_iter().rev() {
            if !self.tried.contains(&target) && self.left.len() < CAPACITY {
                self.left.push_front(target);
            }
        }
    }

    fn next(&mut self, request: &mut Message) -> bool {
        while let Some(target) = self.left.pop_front() {
            if self.tried.len() < CAPACITY && self.tried.insert(target.clone()) {
                request.set_request_uri(&target);
                return true;
            }
        }
        false
    }

    // RFC 3261 §21.3.4: this single request once more, through the proxy of the Contact.
    fn through(&mut self, request: &mut Message, response: &Message) -> bool {
        let targets = targets_of(response);
        let first = targets.first().filter(|_| !self.through);
        let Some(proxy) = first.and_then(|(uri, _)| Uri::parse(uri).ok()) else {
            return false;
        };
        self.through = true;
        let loose = if proxy.params().has("lr") { "" } else { ";lr" };
        request.prepend("Route", &format!("<{proxy}{loose}>"));
        true
    }
}

/// The SIP contacts of a response, best first, each with its own lifetime in seconds.
fn targets_of(response: &Message) -> Vec<(String, Option<u32>)> {
    let Ok(Contacts::List(mut contacts)) = response.contacts() else {
        return Vec::new();
    };
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q().unwrap_or(1000)));
    let sip = contacts
        .iter()
        .filter(|contact| contact.uri().scheme().eq_ignore_ascii_case("sip"));
    sip.map(|contact| (contact.uri_str().to_owned(), contact.expires()))
        .collect()
}
