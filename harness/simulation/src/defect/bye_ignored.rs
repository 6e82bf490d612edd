//! A phone that never answers a BYE: its user interface hangs, or its dispatcher lost the route.

use linefault_actors::{Context, Input};
use linefault_protocol::sip::Method;

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "bye-ignored",
    actor: "phone",
    doc: "A BYE is thrown away unanswered, and the call goes on.",
    plant: Plant::Edit(|| Box::new(Ignore)),
};

struct Ignore;

impl Edit for Ignore {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        (!is_bye(&input)).then_some(input)
    }
}

/// Whether a BYE request arrives.
pub(super) fn is_bye(input: &Input) -> bool {
    let Input::Datagram { bytes, .. } = input else {
        return false;
    };
    SipMessage::read(bytes)
        .is_some_and(|message| message.is_request() && message.method == Method::Bye)
}
