//! Report E, broken column: the first 503 is the last word.

use std::any::Any;

use linefault_actors::b2bua::B2bua;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "unavailable-not-retried",
    actor: "b2bua",
    doc: "A callee that answers 503 is not called again.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(b2bua) = actor.downcast_mut::<B2bua>() {
        b2bua.config.retry.times = 0;
    }
}
