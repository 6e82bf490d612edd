//! Report A, broken column: the dead binding is kept for ever; every later call fails the same way.

use std::any::Any;

use linefault_actors::proxy::{Proxy, Removal};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "dead-binding-stays",
    actor: "proxy",
    doc: "A binding whose contact is unreachable or silent is never removed before it expires.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.remove_unreachable = Removal::Never;
        proxy.config.health_check = None;
    }
}
