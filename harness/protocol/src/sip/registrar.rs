//! The location service of a registrar.
//!
//! Owns the bindings of addresses-of-record to contacts and the rules of RFC 3261 §10.3 by which a REGISTER changes
//! them. Refuses to know users, domains and transactions: who may register is decided before it comes here.

mod order;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::{Contacts, Message, NameAddr, Uri};
use crate::{Instant, Schedule};
use order::Order;

pub use refusal::Refusal;

/// All bindings of a domain. Iteration is by address-of-record, then oldest first.
///
/// Nothing but iteration looks at all of them, so that a storm of registrations costs each one no more than the
/// logarithm of their number.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    limits: Limits,
    by_aor: BTreeMap<String, Vec<Binding>>,
    aors: BTreeMap<u64, String>,
    /// By what equivalent URIs have in common.
    by_contact: BTreeMap<String, BTreeSet<u64>>,
    expiry: Schedule<u64>,
    created: u64,
    updates: u64,
}

/// What a registration may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Shorter lifetimes are refused with 423.
    pub min: Duration,
    /// Longer lifetimes are shortened to this, and what asks for none gets it.
    pub max: Duration,
    /// Contacts of one address-of-record; a registration that would exceed it fails as a whole.
    pub contacts: usize,
}

/// One contact of an address-of-record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Unique among all bindings that this service ever made.
    pub id: u64,
    /// The contact.
    pub contact: Uri,
    /// When it ends.
    pub expires: Instant,
    /// Where the client was seen if a NAT stands before it, which its contact does not know of.
    pub seen_at: Option<SocketAddr>,
    call_id: String,
    cseq: u32,
    updated: u64,
}

/// What a REGISTER did to one binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(Binding),
    /// It lives on, perhaps longer.
    Refreshed(Binding),
    /// The client removed it.
    Removed(Binding),
}

impl Bindings {
    /// None yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Carries out a REGISTER for `aor`: all of it, or nothing.
    ///
    /// # Errors
    /// Says why nothing was changed.
    // RFC 3261 §10.3 steps 6 and 7
    pub fn register(
        &mut self,
        now: Instant,
        aor: &str,
        request: &Message,
    ) -> Result<Vec<Change>, Refusal> {
        let order = Order::of(request)?;
        let expires = request
            .expires()
            .map_err(|_| Refusal::Malformed("Malformed Expires header field"))?;
        let mut bindings = self.by_aor.get(aor).cloned().unwrap_or_default();
        let changes = match request
            .contacts()
            .map_err(|_| Refusal::Malformed("Malformed Contact header field"))?
        {
            Contacts::Star if expires != Some(0) => return Err(Refusal::Star),
            Contacts::Star => remove_all(&mut bindings, &order)?,
            Contacts::List(contacts) => {
                let mut changes = Vec::new();
                for contact in &contacts {
                    let lifetime = self.lifetime(contact, expires)?;
                    changes.extend(self.apply(now, &mut bindings, &order, contact, lifetime)?);
                }
                changes
            }
        };
        if bindings.len() > self.limits.contacts {
            return Err(Refusal::TooManyContacts);
        }
        self.put(aor, bindings);
        Ok(changes)
    }

    /// Lists the bindings of `aor` in the 200 to a REGISTER, each with what is left of its lifetime.
    // RFC 3261 §10.3 step 8
    pub fn list(&self, now: Instant, aor: &str, response: &mut Message) {
        for binding in self.of(aor) {
            let left = binding.expires.since(now).as_secs();
            response.append("Contact", &format!("<{}>;expires={left}", binding.contact));
        }
    }

    /// The bindings of one address-of-record, oldest first.
    #[must_use]
    pub fn of(&self, aor: &str) -> &[Binding] {
        self.by_aor.get(aor).map_or(&[], Vec::as_slice)
    }

    /// The contacts of one address-of-record, the most recently registered first.
    #[must_use]
    pub fn targets(&self, aor: &str) -> Vec<&Binding> {
        let mut bindings: Vec<_> = self.of(aor).iter().collect();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.updated));
        bindings
    }

    /// The first binding to that contact and its address-of-record.
    #[must_use]
    pub fn of_contact(&self, contact: &Uri) -> Option<(&str, &Binding)> {
        let ids = self.by_contact.get(&contact.bucket())?;
        ids.iter()
            .filter_map(|id| self.find(*id))
            .find(|(_, binding)| binding.contact.equivalent(contact))
    }

    /// The binding of that number and its address-of-record.
    #[must_use]
    pub fn find(&self, id: u64) -> Option<(&str, &Binding)> {
        let aor = self.aors.get(&id)?;
        let binding = self.of(aor).iter().find(|binding| binding.id == id)?;
        Some((aor, binding))
    }

    /// All bindings with their address-of-record.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Binding)> {
        self.by_aor
            .iter()
            .flat_map(|(aor, bindings)| bindings.iter().map(|binding| (aor.as_str(), binding)))
    }

    /// Removes one binding, if it still exists.
    pub fn remove(&mut self, aor: &str, id: u64) -> Option<Binding> {
        let mut bindings = self.of(aor).to_vec();
        let at = bindings.iter().position(|binding| binding.id == id)?;
        let removed = bindings.remove(at);
        self.put(aor, bindings);
        Some(removed)
    }

    /// When the next binding ends.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.expiry.first()
    }

    /// Removes the bindings whose time is over, in the order in which they ended.
    pub fn expire(&mut self, now: Instant) -> Vec<(String, Binding)> {
        let over = self.expiry.due(now);
        let remove = |id: u64| {
            let aor = self.aors.get(&id)?.clone();
            self.remove(&aor, id).map(|binding| (aor, binding))
        };
        over.into_iter().filter_map(remove).collect()
    }

    // RFC 3261 §10.3 step 7: the contact's own parameter, then the Expires header field, then the registrar's choice.
    fn lifetime(&self, contact: &NameAddr<'_>, expires: Option<u32>) -> Result<Duration, Refusal> {
        let asked = contact.expires().or(expires);
        let Some(asked) = asked.map(|seconds| Duration::from_secs(seconds.into())) else {
            return Ok(self.limits.max);
        };
        // "greater than zero AND smaller than one hour AND less than a registrar-configured minimum"
        let brief =
            !asked.is_zero() && asked < Duration::from_secs(3600) && asked < self.limits.min;
        if brief {
            Err(Refusal::TooBrief(self.limits.min))
        } else {
            Ok(asked.min(self.limits.max))
        }
    }

    fn apply(
        &mut self,
        now: Instant,
        bindings: &mut Vec<Binding>,
        order: &Order,
        contact: &NameAddr<'_>,
        lifetime: Duration,
    ) -> Result<Option<Change>, Refusal> {
        let uri = contact.uri();
        let known = bindings
            .iter()
            .position(|binding| binding.contact.equivalent(&uri));
        if let Some(at) = known
            && !order.may_change(&bindings[at])
        {
            return Err(Refusal::OutOfOrder);
        }
        if lifetime.is_zero() {
            return Ok(known.map(|at| Change::Removed(bindings.remove(at))));
        }
        self.updates += 1;
        let id = known.map_or(self.created + 1, |at| bindings[at].id);
        let (call_id, cseq) = (order.call_id.clone(), order.cseq);
        let binding = Binding {
            id,
            seen_at: order.nat.and_then(|nat| nat.of(&uri)),
            contact: uri,
            expires: now + lifetime,
            call_id,
            cseq,
            updated: self.updates,
        };
        Ok(Some(match known {
            Some(at) => {
                bindings[at] = binding.clone();
                Change::Refreshed(binding)
            }
            None => {
                self.created = id;
                bindings.push(binding.clone());
                Change::Added(binding)
            }
        }))
    }

    /// Replaces all bindings of one address-of-record.
    fn put(&mut self, aor: &str, bindings: Vec<Binding>) {
        for old in self.by_aor.remove(aor).unwrap_or_default() {
            self.aors.remove(&old.id);
            self.expiry.set(old.id, None);
            let bucket = old.contact.bucket();
            if let Some(ids) = self.by_contact.get_mut(&bucket) {
                ids.remove(&old.id);
                if ids.is_empty() {
                    self.by_contact.remove(&bucket);
                }
            }
        }
        for new in &bindings {
            self.aors.insert(new.id, aor.to_owned());
            self.expiry.set(new.id, Some(new.expires));
            let bucket = self.by_contact.entry(new.contact.bucket()).or_default();
            bucket.insert(new.id);
        }
        if !bindings.is_empty() {
            self.by_aor.insert(aor.to_owned(), bindings);
        }
    }
}

impl Binding {
    /// Where requests for it go; `None` if its contact is a name, which nothing here resolves.
    #[must_use]
    pub fn destination(&self) -> Option<SocketAddr> {
        self.seen_at.or_else(|| self.contact.socket_address())
    }
}

impl Default for Limits {
    /// 60 s to an hour, ten contacts.
    fn default() -> Self {
        Self {
            min: Duration::from_secs(60),
            max: Duration::from_secs(3600),
            contacts: 10,
        }
    }
}

// RFC 3261 §10.3 step 6
fn remove_all(bindings: &mut Vec<Binding>, order: &Order) -> Result<Vec<Change>, Refusal> {
    if !bindings.iter().all(|binding| order.may_change(binding)) {
        return Err(Refusal::OutOfOrder);
    }
    Ok(bindings.drain(..).map(Change::Removed).collect())
}

#[cfg(test)]
mod tests;
