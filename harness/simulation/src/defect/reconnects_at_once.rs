//! Report D, broken form: it reconnects without waiting.

use std::any::Any;

use linefault_actors::token_client::TokenClient;
use linefault_protocol::sse::Backoff;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "reconnects-at-once",
    actor: "token-client",
    doc: "Reconnects without waiting.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.rules.backoff = Backoff {
            first: 0,
            ceiling: 0,
        };
    }
}
