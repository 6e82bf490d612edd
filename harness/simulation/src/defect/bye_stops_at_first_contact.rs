//! Report A, broken column: a second contact of the same user is never tried.

use std::any::Any;

use linefault_actors::proxy::Proxy;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "bye-stops-at-first-contact",
    actor: "proxy",
    doc: "A BYE whose target is unreachable is not tried on the user's next contact.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.statuses.bye_tries_next_contact = false;
    }
}
