//! A service that takes silence for patience.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "no-frame-deadline",
    actor: "audio-service",
    doc: "A leg may be without a frame for ever.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.timing.next_frame = None;
    }
}
