//! Report D, broken form: the attempt counter resets too early.

use std::any::Any;

use linefault_actors::token_client::TokenClient;
use linefault_protocol::sse::ResetCounter;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "attempts-reset-at-init",
    actor: "token-client",
    doc: "Takes an `init` for progress: an error after each reconnects for ever.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.rules.counter = ResetCounter::OnInit;
    }
}
