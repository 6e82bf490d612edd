//! A service whose close lets "Connection reset by peer" through to whoever logs crashes.

use std::any::Any;

use linefault_actors::audio_service::{AudioService, Reaction};
use tracing::Level;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "reset-unhandled",
    actor: "audio-service",
    doc: "A reset after a hang-up is logged at ERROR with a traceback, and the session stays.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.reactions.reset = Reaction {
            level: Level::ERROR,
            text: "Unhandled exception in client_connected_cb: Traceback (most recent call last): ConnectionResetError: [Errno 104] Connection reset by peer",
            removes: false,
            listens: true,
        };
    }
}
