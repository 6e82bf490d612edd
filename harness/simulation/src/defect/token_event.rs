//! What a token client is told, as its defects look at it.

use linefault_protocol::sse::{Heard, Input, Item};

/// The name of the event that an input brings, if it brings one.
pub(super) fn event_name(input: &Input) -> Option<&str> {
    match input {
        Input::From(_, Heard::Item(Item::Event(event))) => Some(&event.name),
        _ => None,
    }
}
