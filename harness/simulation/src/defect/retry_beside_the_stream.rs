//! Report D, broken form: automatic and manual reconnect together give two streams.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::{Connection, Effect, Heard, Input, Item};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "retry-beside-the-stream",
    actor: "token-client",
    doc: "Opens a second stream when it is told to try again, whatever the first one does.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.tap = Some(|| Box::<Beside>::default());
    }
}

#[derive(Default)]
struct Beside {
    last_id: String,
    extra: u32,
}

impl Tap for Beside {
    fn input(&mut self, input: Input) -> Option<Input> {
        if let Input::From(_, Heard::Item(Item::Event(event))) = &input {
            event.last_id.clone_into(&mut self.last_id);
        }
        Some(input)
    }

    fn effects(&mut self, input: &Input, effects: &mut Vec<Effect>) {
        if *input == Input::Retry {
            self.extra += 1;
            effects.push(Effect::Connect {
                // Far from what the rules count.
                connection: Connection(1_000_000 + self.extra),
                last_id: self.last_id.clone(),
            });
        }
    }
}
