//! A service whose call flow does not hear that the call is over.

use std::any::Any;

use linefault_actors::audio_service::{AudioService, TalksUntil};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "audio-after-hang-up",
    actor: "audio-service",
    doc: "Sound goes on behind the hang-up until the peer closes.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.talks_until = TalksUntil::Close;
    }
}
