//! A B2BUA that mixes its legs up when one of them ends.

use std::net::SocketAddr;

use linefault_actors::{Context, Input, Output};
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "wrong-leg-ended",
    actor: "b2bua",
    doc: "The BYE that should end the other leg is sent to whoever has just hung up.",
    plant: Plant::Edit(|| Box::<Planted>::default()),
};

/// Who hung up last.
#[derive(Default)]
struct Planted {
    peer: Option<SocketAddr>,
}

impl Edit for Planted {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        if let Input::Datagram { from, bytes, .. } = &input
            && SipMessage::read(bytes).is_some_and(|it| it.asks(&Method::Bye))
        {
            self.peer = Some(*from);
        }
        Some(input)
    }

    fn output(&mut self, mut output: Output) -> Vec<Output> {
        let bye = sent(&output).is_some_and(|it| it.asks(&Method::Bye));
        if let (true, Output::Send { to, .. }, Some(peer)) = (bye, &mut output, self.peer) {
            *to = peer;
        }
        vec![output]
    }
}
