//! Report D, broken form: the attempt counter never resets.

use std::any::Any;

use linefault_actors::token_client::TokenClient;
use linefault_protocol::sse::ResetCounter;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "attempts-never-reset",
    actor: "token-client",
    doc: "Counts attempts over the whole answer, however well it got on in between.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.rules.counter = ResetCounter::Never;
    }
}
