//! Report D, broken form: an error flag that is never cleared, so that text after a reconnect is ignored.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::Input;

use super::token_event::event_name;
use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "error-flag-stays",
    actor: "token-client",
    doc: "Remembers that there was an error, and ignores the tokens that come after it.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.tap = Some(|| Box::<Flag>::default());
    }
}

#[derive(Default)]
struct Flag {
    error: bool,
}

impl Tap for Flag {
    fn input(&mut self, input: Input) -> Option<Input> {
        let name = event_name(&input);
        self.error |= name == Some("error");
        (!self.error || name != Some("message")).then_some(input)
    }
}
