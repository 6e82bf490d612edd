//! Asking contacts with OPTIONS whether they live.
//!
//! Owns the regular health check, and the probes of a contact that seemed unreachable. Refuses to remove bindings; it
//! says which ones are dead.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use linefault_protocol::sip::registrar::{Binding, Bindings};
use linefault_protocol::sip::transaction::TransactionId;
use linefault_protocol::sip::turn::Turn;
use linefault_protocol::sip::{Message, Method};
use linefault_protocol::{Instant, Schedule};

/// All contacts that are being asked.
pub(crate) struct Probes {
    local: SocketAddr,
    domain: String,
    every: Option<Duration>,
    next_check: Option<Instant>,
    running: BTreeMap<u64, Probe>,
    by_client: BTreeMap<TransactionId, u64>,
    /// When a probe that could not be sent goes out again.
    retries: Schedule<u64>,
}

/// One contact that is being asked.
struct Probe {
    aor: String,
    occasion: Occasion,
    client: Option<TransactionId>,
    give_up_at: Instant,
}

/// Why a contact is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The regular health check.
    HealthCheck,
    /// A request to it could not be sent.
    Unreachable,
}

/// A binding that does not answer.
pub(crate) struct Dead {
    pub(crate) aor: String,
    pub(crate) binding: u64,
    pub(crate) occasion: Occasion,
}

/// How long after a probe that could not be sent the next one goes out: T2, as for any repeated request.
const RETRY: Duration = Duration::from_secs(4);

impl Probes {
    pub(crate) fn new(
        local: SocketAddr,
        domain: &str,
        every: Option<Duration>,
        now: Instant,
    ) -> Self {
        Self {
            local,
            domain: domain.to_owned(),
            every,
            next_check: every.map(|every| now + every),
            running: BTreeMap::new(),
            by_client: BTreeMap::new(),
            retries: Schedule::new(),
        }
    }

    /// Whether a client transaction is a probe.
    pub(crate) fn owns(&self, client: TransactionId) -> bool {
        self.by_client.contains_key(&client)
    }

    /// Asks a contact, unless it is being asked.
    pub(crate) fn ask<E>(
        &mut self,
        turn: &mut Turn<'_, E>,
        aor: &str,
        binding: &Binding,
        occasion: Occasion,
    ) {
        let known = self.running.contains_key(&binding.id);
        if known || binding.destination().is_none() {
            return;
        }
        let probe = Probe {
            aor: aor.to_owned(),
            occasion,
            client: None,
            give_up_at: turn.now + turn.layer.timers().t1 * 64,
        };
        self.running.insert(binding.id, probe);
        self.send(turn, binding);
    }

    /// Any response means that it lives.
    pub(crate) fn answered(&mut self, client: TransactionId) {
        if let Some(binding) = self.by_client.remove(&client) {
            self.forget(binding);
        }
    }

    /// The binding has proved to be alive, or is gone.
    pub(crate) fn forget(&mut self, binding: u64) {
        self.running.remove(&binding);
        self.retries.set(binding, None);
    }

    /// A probe heard nothing until Timer F.
    pub(crate) fn timed_out(&mut self, client: TransactionId) -> Option<Dead> {
        let binding = self.by_client.remove(&client)?;
        self.running
            .get(&binding)
            .filter(|probe| probe.client == Some(client))?;
        self.bury(binding)
    }

    /// A probe did not leave. With `persist` it is sent again until 64·T1 have passed since the first.
    pub(crate) fn not_sent(&mut self, client: TransactionId, now: Instant, persist: bool) {
        let Some(binding) = self.by_client.remove(&client) else {
            return;
        };
        if !persist {
            self.forget(binding);
        } else if let Some(probe) = self.running.get_mut(&binding) {
            probe.client = None;
            let retry_at = (now + RETRY).min(probe.give_up_at);
            self.retries.set(binding, Some(retry_at));
        }
    }

    /// When a probe is sent again or given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.retries.first()
    }

    /// When the next health check is.
    pub(crate) fn background_deadline(&self) -> Option<Instant> {
        self.next_check
    }

    /// Does what is due; returns what is given up.
    pub(crate) fn expire<E>(&mut self, turn: &mut Turn<'_, E>, bindings: &Bindings) -> Vec<Dead> {
        let now = turn.now;
        if let Some(every) = self.every
            && self.next_check.is_some_and(|at| at <= now)
        {
            self.next_check = Some(now + every);
            for (aor, binding) in bindings.iter() {
                self.ask(turn, aor, binding, Occasion::HealthCheck);
            }
        }
        let due = self.retries.due(now).into_iter();
        due.filter_map(|id| self.retry(turn, bindings, id))
            .collect()
    }

    fn retry<E>(&mut self, turn: &mut Turn<'_, E>, bindings: &Bindings, id: u64) -> Option<Dead> {
        self.retries.set(id, None);
        if self.running.get(&id)?.give_up_at <= turn.now {
            return self.bury(id);
        }
        match bindings.find(id) {
            Some((_, binding)) => self.send(turn, binding),
            None => self.forget(id),
        }
        None
    }

    fn bury(&mut self, binding: u64) -> Option<Dead> {
        let Probe { aor, occasion, .. } = self.running.remove(&binding)?;
        Some(Dead {
            aor,
            binding,
            occasion,
        })
    }

    // RFC 3261 §11.1
    fn send<E>(&mut self, turn: &mut Turn<'_, E>, binding: &Binding) {
        let Some(destination) = binding.destination() else {
            return;
        };
        let (tag, call_id) = (turn.token("tag"), turn.token("call-id"));
        let mut options = Message::request(Method::Options, binding.contact.as_str());
        let via = turn.via(self.local);
        options.append("Via", &via);
        options.append("Max-Forwards", "70");
        options.append("From", &["<sip:", &self.domain, ">;tag=", &tag].concat());
        options.append("To", &["<", binding.contact.as_str(), ">"].concat());
        options.append("Call-ID", &[&call_id, "@", &*self.domain].concat());
        options.append("CSeq", "1 OPTIONS");
        options.append("Contact", &format!("<sip:{}>", self.local));
        let client = turn.request(destination, options);
        self.by_client.insert(client, binding.id);
        if let Some(probe) = self.running.get_mut(&binding.id) {
            probe.client = Some(client);
        }
    }
}
