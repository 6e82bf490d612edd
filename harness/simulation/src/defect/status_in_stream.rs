//! Report D, broken form: it tries to send a 500 after the 200.

use std::any::Any;

use linefault_actors::token_service::{Tap, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "status-in-stream",
    actor: "token-service",
    doc: "Answers 500 when a stream fails, in the middle of the 200.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.tap = Some(|| Box::new(Status));
    }
}

struct Status;

impl Tap for Status {
    fn sent(&mut self, event: String) -> String {
        if event.contains("event: error") {
            return "HTTP/1.1 500 Internal Server Error\r\n\r\n".to_owned();
        }
        event
    }
}
