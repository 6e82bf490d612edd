//! A B2BUA that has one word for everything that goes wrong behind it.

use linefault_actors::Output;
use linefault_protocol::sip::{Message, Method, Status};

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "failure-becomes-500",
    actor: "b2bua",
    doc: "Whatever the callee refuses a call with, the caller is told 500.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let refusal = sent(&output).filter(|it| {
            let own = matches!(it.status, Some(487 | 491 | 500));
            it.is_final() && !it.is_success() && !own && it.method == Method::Invite
        });
        let (
            Some(refusal),
            Output::Send {
                to,
                transport,
                ticket,
                ..
            },
        ) = (refusal, &output)
        else {
            return vec![output];
        };
        // To comes with its tag already.
        let status = Status::SERVER_INTERNAL_ERROR;
        let response = Message::response_to(&refusal.message, status, None);
        vec![Output::Send {
            to: *to,
            transport: *transport,
            bytes: response.to_bytes(),
            ticket: *ticket,
        }]
    }
}
