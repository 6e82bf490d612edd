//! A phone that agrees to refresh its sessions and has no timer for it.

use std::any::Any;

use linefault_actors::phone::{Phone, Refresh};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "refresh-forgotten",
    actor: "phone",
    doc: "A session that it is to refresh is never refreshed, so that its peer ends the call.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(phone) = actor.downcast_mut::<Phone>()
        && let Some(timer) = &mut phone.config.extensions.timer
    {
        timer.refresh = Refresh::Never;
    }
}
