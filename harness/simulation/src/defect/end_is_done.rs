//! Report D, broken form: it shows an incomplete text as complete.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::{Event, Heard, Input, Item};

use super::token_event::event_name;
use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "end-is-done",
    actor: "token-client",
    doc: "Takes the end of a stream for the end of the answer.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.tap = Some(|| Box::<Done>::default());
    }
}

#[derive(Default)]
struct Done {
    flows: bool,
}

impl Tap for Done {
    fn input(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::From(connection, Heard::Lost) if self.flows => Some(Input::From(
                connection,
                Heard::Item(Item::Event(Event {
                    name: "done".to_owned(),
                    data: "{}".to_owned(),
                    last_id: String::new(),
                })),
            )),
            other => {
                self.flows |= event_name(&other) == Some("message");
                Some(other)
            }
        }
    }
}
