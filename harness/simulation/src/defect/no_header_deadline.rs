//! A service that trusts whoever connects to speak.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "no-header-deadline",
    actor: "audio-service",
    doc: "A connection may say nothing for ever.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.timing.first_frame = None;
    }
}
