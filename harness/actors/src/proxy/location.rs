//! The bindings of a registrar's domain, with what the log and the trace say of them.

use linefault_protocol::Instant;
use linefault_protocol::sip::registrar::{Binding, Bindings, Change, Limits, Refusal};
use linefault_protocol::sip::transaction::TransactionId;
use linefault_protocol::sip::turn::Turn;
use linefault_protocol::sip::{Message, Status};

use crate::checkpoint::{Checkpoint, always, reached, sometimes};
use crate::{Context, Report};

/// What a deployment can bear, whatever is configured: more would be an attack.
const MOST_CONTACTS: usize = 10;

/// Where a registrar should come by in some run, and what must hold there.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("a registration was refused"),
    Checkpoint::reached("a binding expired"),
    Checkpoint::sometimes("an address-of-record has several contacts"),
    Checkpoint::always("an address-of-record has ten contacts at most"),
    Checkpoint::always("a binding expires when its time is over"),
];

/// The location service as an actor keeps it.
pub(crate) struct Location {
    pub(crate) bindings: Bindings,
}

impl Location {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            bindings: Bindings::new(limits),
        }
    }

    /// Carries out a REGISTER; returns the ids of the bindings that it shows to be alive, or gone.
    pub(crate) fn register(
        &mut self,
        cx: &mut Context<'_>,
        aor: &str,
        request: &Message,
    ) -> Result<Vec<u64>, Refusal> {
        let changes = self.bindings.register(cx.now(), aor, request);
        let changes = changes.inspect_err(|refusal| {
            reached!(cx, "a registration was refused");
            tracing::info!(
                aor,
                status = refusal.status().code(),
                "registration refused: {refusal}"
            );
        })?;
        let contacts = self.bindings.targets(aor).len();
        sometimes!(
            cx,
            contacts > 1,
            "an address-of-record has several contacts"
        );
        always!(
            cx,
            contacts <= MOST_CONTACTS,
            "an address-of-record has ten contacts at most"
        );
        Ok(changes.iter().map(|change| note(cx, aor, change)).collect())
    }

    /// Answers a REGISTER that was carried out or refused.
    pub(crate) fn answer<E>(
        &self,
        turn: &mut Turn<'_, E>,
        id: TransactionId,
        aor: &str,
        request: &Message,
        outcome: Result<(), Refusal>,
    ) {
        let response = match outcome {
            Ok(()) => {
                let mut ok = turn.response(request, Status::OK);
                self.bindings.list(turn.now, aor, &mut ok);
                ok
            }
            Err(refusal) => {
                let mut response =
                    turn.response_saying(request, refusal.status(), &refusal.to_string());
                // RFC 3261 §10.3 step 7
                if let Refusal::TooBrief(least) = refusal {
                    response.append("Min-Expires", &least.as_secs().to_string());
                }
                response
            }
        };
        turn.respond(id, response);
    }

    /// Removes a binding for whatever reason; `false` if it was gone already.
    pub(crate) fn remove(&mut self, cx: &mut Context<'_>, aor: &str, id: u64) -> bool {
        let removed = self.bindings.remove(aor, id);
        if removed.is_some() {
            close(cx, id);
        }
        removed.is_some()
    }

    /// Removes what has expired; returns the ids.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>) -> Vec<u64> {
        let expired = self.bindings.expire(cx.now());
        expired
            .iter()
            .map(|(aor, binding)| {
                reached!(cx, "a binding expired");
                always!(
                    cx,
                    binding.expires <= cx.now(),
                    "a binding expires when its time is over"
                );
                tracing::info!(aor, contact = %binding.contact, "binding expired");
                close(cx, binding.id);
                binding.id
            })
            .collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.bindings.deadline()
    }
}

fn note(cx: &mut Context<'_>, aor: &str, change: &Change) -> u64 {
    match change {
        Change::Added(binding) => {
            tracing::info!(aor, contact = %binding.contact, "registered");
            cx.report(Report::Opened {
                kind: "binding",
                id: binding.id,
                label: label(aor, binding),
                target: binding.destination(),
            });
            binding.id
        }
        Change::Refreshed(binding) => {
            tracing::info!(aor, contact = %binding.contact, "registration refreshed");
            binding.id
        }
        Change::Removed(binding) => {
            tracing::info!(aor, contact = %binding.contact, "unregistered");
            close(cx, binding.id);
            binding.id
        }
    }
}

fn close(cx: &mut Context<'_>, id: u64) {
    cx.report(Report::Closed {
        kind: "binding",
        id,
    });
}

/// `sip:1002@sim.test → 192.168.8.120:41303`, or the whole contact where that is no address.
fn label(aor: &str, binding: &Binding) -> String {
    match binding.contact.socket_address() {
        Some(address) => format!("{aor} → {address}"),
        None => format!("{aor} → {}", binding.contact),
    }
}
