//! Report D, broken form: it reconnects without limit.

use std::any::Any;

use linefault_actors::token_client::TokenClient;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "reconnects-without-limit",
    actor: "token-client",
    doc: "Reconnects again and again, and never gives up.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.rules.attempts = None;
    }
}
