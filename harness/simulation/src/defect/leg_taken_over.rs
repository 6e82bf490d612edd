//! A service that lets anybody be anybody.

use std::any::Any;

use linefault_actors::Instant;
use linefault_actors::audio_service::AudioService;
use linefault_protocol::audiosocket::session::{Context, Input, Machine, Session};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "leg-taken-over",
    actor: "audio-service",
    doc: "A second connection with the UUID of a call takes its leg over.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.machine = |timing| Box::new(Credulous(Session::new(timing)));
    }
}

struct Credulous(Session);

impl Machine for Credulous {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        let mut cx = Context {
            now: cx.now,
            is_free: &|_| true,
            outputs: cx.outputs,
        };
        self.0.handle(input, &mut cx);
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}
