//! A B2BUA that asks an overloaded callee again without a pause, and so keeps it overloaded.

use std::any::Any;
use std::time::Duration;

use linefault_actors::b2bua::B2bua;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "retries-at-once",
    actor: "b2bua",
    doc: "A callee that answers 503 is called again after 10 ms, not after a second.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(b2bua) = actor.downcast_mut::<B2bua>() {
        b2bua.config.retry.pause = Duration::from_millis(10);
    }
}
