//! A phone that does not ask who made the Call-ID.

use std::any::Any;

use linefault_actors::phone::Phone;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "glare-window-shared",
    actor: "phone",
    doc: "After a 491 it waits up to 2 s, whoever made the Call-ID.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(phone) = actor.downcast_mut::<Phone>() {
        phone.config.glare.owner = phone.config.glare.other;
    }
}
