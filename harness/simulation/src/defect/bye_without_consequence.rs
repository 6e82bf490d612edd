//! A phone whose transaction answers a BYE that its call never hears of.

use linefault_actors::{Context, Input};
use linefault_protocol::sip::{Message, Status};

use super::bye_ignored::is_bye;
use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "bye-without-consequence",
    actor: "phone",
    doc: "A BYE is answered 200, and the call goes on.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        if !is_bye(&input) {
            return Some(input);
        }
        if let Input::Datagram {
            from,
            transport,
            bytes,
        } = input
            && let Some(bye) = SipMessage::read(&bytes)
        {
            let ok = Message::response_to(&bye.message, Status::OK, None);
            cx.send(from, transport, ok.to_bytes(), None);
        }
        None
    }
}
