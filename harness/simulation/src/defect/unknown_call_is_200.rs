//! An API that is content with whatever it is asked.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "unknown-call-is-200",
    actor: "audio-service",
    doc: "A hang-up of a call that is not there is answered 200.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.unknown = 200;
    }
}
