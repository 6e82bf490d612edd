//! A service that takes what one read gives for whole frames.

use std::any::Any;

use linefault_actors::Instant;
use linefault_actors::audio_service::AudioService;
use linefault_protocol::audiosocket::Decoder;
use linefault_protocol::audiosocket::session::{Context, Input, Machine, Session};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "reads-are-frames",
    actor: "audio-service",
    doc: "The part of a frame at the end of a read is lost, and the next read begins in its middle.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.machine = |timing| Box::new(ReadsAreFrames(Session::new(timing)));
    }
}

struct ReadsAreFrames(Session);

impl Machine for ReadsAreFrames {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        let Input::Bytes(bytes) = input else {
            return self.0.handle(input, cx);
        };
        let mut whole = Decoder::new();
        whole.push(&bytes);
        while let Ok(Some(_)) = whole.next() {}
        let kept = bytes.len() - whole.pending();
        self.0.handle(Input::Bytes(bytes.slice(..kept)), cx);
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}
