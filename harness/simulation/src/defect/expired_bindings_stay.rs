//! Report A, broken column: expired bindings stay.

use std::any::Any;

use linefault_actors::proxy::Proxy;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "expired-bindings-stay",
    actor: "proxy",
    doc: "A binding whose time is over is not removed.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.remove_expired = false;
    }
}
