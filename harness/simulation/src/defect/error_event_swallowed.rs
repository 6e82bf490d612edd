//! Report D, broken form: it swallows the error event.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::Input;

use super::token_event::event_name;
use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "error-event-swallowed",
    actor: "token-client",
    doc: "Does not look at error events.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.tap = Some(|| Box::new(Swallow));
    }
}

struct Swallow;

impl Tap for Swallow {
    fn input(&mut self, input: Input) -> Option<Input> {
        (event_name(&input) != Some("error")).then_some(input)
    }
}
