//! Report D, broken form: it ignores Last-Event-ID.

use std::any::Any;

use linefault_actors::token_client::TokenClient;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "last-event-id-not-sent",
    actor: "token-client",
    doc: "Does not say on a reconnect where it was, and shows the beginning twice.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.rules.resumes = false;
    }
}
