//! Report A, broken column: a user who vanished while idle stays registered until expiry.

use std::any::Any;

use linefault_actors::proxy::Proxy;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "no-health-check",
    actor: "proxy",
    doc: "Nobody is asked with OPTIONS whether it lives: who vanished while idle stays registered until expiry.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.health_check = None;
    }
}
