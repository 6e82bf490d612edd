//! Report E, broken column: a CANCEL is answered, and that is all.

use linefault_actors::{Context, Input};
use linefault_protocol::sip::{Message, Method, Status};

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "cancel-only-answered",
    actor: "b2bua",
    doc: "A CANCEL is answered 200, and the call goes on: no 487 for the caller, no CANCEL for the callee.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        if let Input::Datagram {
            from,
            transport,
            bytes,
        } = &input
            && let Some(cancel) = SipMessage::read(bytes).filter(|it| it.asks(&Method::Cancel))
        {
            let mut ok = Message::response_to(&cancel.message, Status::OK, None);
            ok.add_to_tag("cancelled");
            cx.send(*from, *transport, ok.to_bytes(), None);
            return None;
        }
        Some(input)
    }
}
