//! Report E, broken column: a dispatcher that knows 180, 183 and 200, and drops every other answer before the transaction
//! that would acknowledge it.

use linefault_actors::{Context, Input};
use linefault_protocol::sip::Method;

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "failure-swallowed",
    actor: "b2bua",
    doc: "A final answer of 300 to 699 to an INVITE is thrown away before the transaction sees it: nobody acknowledges it, and the caller never hears of it.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        let failure = match &input {
            Input::Datagram { bytes, .. } => SipMessage::read(bytes)
                .is_some_and(|it| it.is_final() && !it.is_success() && it.method == Method::Invite),
            _ => false,
        };
        (!failure).then_some(input)
    }
}
