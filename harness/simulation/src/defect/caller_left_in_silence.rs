//! A call flow that waits for an answer which will not come.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "caller-left-in-silence",
    actor: "audio-service",
    doc: "A leg whose answer cannot be had is not hung up on.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.hangs_up_without_answer = false;
    }
}
