//! A service that cleans up only where the peer does its part.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "aborted-session-stays",
    actor: "audio-service",
    doc: "The session of a leg that did not close in time stays after the abort.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.reactions.timed_out.removes = false;
    }
}
