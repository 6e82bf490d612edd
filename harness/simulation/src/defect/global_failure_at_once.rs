//! A proxy that passes a 6xx on as it comes, and not when all branches have ended.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use linefault_actors::{Context, Input, Output};
use linefault_protocol::sip::{Message, Method};

use super::rewrite::sent;
use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "global-failure-at-once",
    actor: "proxy",
    doc: "A 6xx to an INVITE goes up as soon as it comes, while other branches are still open.",
    plant: Plant::Edit(|| Box::new(Planted::default())),
};

#[derive(Default)]
struct Planted {
    /// Call-ID and CSeq of what was passed on: once is enough.
    passed_on: BTreeSet<(String, u32)>,
}

impl Edit for Planted {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        if let Input::Datagram { from, bytes, .. } = &input
            && let Some(failure) = SipMessage::read(bytes).filter(is_global_failure)
            && let Some(output) = passed_on(*from, &failure.message)
        {
            self.passed_on.insert((failure.call_id, failure.cseq));
            cx.output(output);
        }
        Some(input)
    }

    fn output(&mut self, output: Output) -> Vec<Output> {
        let again = sent(&output)
            .filter(is_global_failure)
            .is_some_and(|it| self.passed_on.contains(&(it.call_id, it.cseq)));
        if again { Vec::new() } else { vec![output] }
    }
}

fn is_global_failure(message: &SipMessage) -> bool {
    message.method == Method::Invite && message.status.is_some_and(|status| status >= 600)
}

fn passed_on(from: SocketAddr, failure: &Message) -> Option<Output> {
    let mut message = failure.clone();
    message.remove_first_value("Via")?;
    message.header("Via")?;
    Some(Output::Send {
        to: message.response_destination(from),
        transport: message.transport(),
        bytes: message.to_bytes(),
        ticket: None,
    })
}
