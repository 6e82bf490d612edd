//! An API that takes a call that is over for a failure.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "api-500-on-reset",
    actor: "audio-service",
    doc: "A hang-up on request that finds the peer gone is answered 500.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.already_gone = 500;
    }
}
