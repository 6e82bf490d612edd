//! Report D, broken form: it hangs for ever on a half-open connection.

use std::any::Any;

use linefault_actors::token_client::TokenClient;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "no-idle-deadline",
    actor: "token-client",
    doc: "Waits for ever on a connection on which nothing comes any more.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.rules.idle = None;
    }
}
