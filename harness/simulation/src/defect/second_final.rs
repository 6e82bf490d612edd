//! An element that changes its mind: a second, different final answer follows the first.

use linefault_actors::Output;

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "second-final-answer",
    actor: "phone",
    doc: "A final answer to a BYE is followed at once by 500.",
    plant: Plant::Edit(|| Box::new(SecondThought)),
};

struct SecondThought;

impl Edit for SecondThought {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let second = second_answer(&output);
        std::iter::once(output).chain(second).collect()
    }
}

fn second_answer(output: &Output) -> Option<Output> {
    let Output::Send {
        to,
        transport,
        bytes,
        ticket,
    } = output
    else {
        return None;
    };
    let answer = SipMessage::read(bytes).filter(|answer| answer.summary() == "200 BYE")?;
    let text = String::from_utf8(answer.message.to_bytes().to_vec()).ok()?;
    let bytes = text.replacen("SIP/2.0 200 OK", "SIP/2.0 500 Server Internal Error", 1);
    Some(Output::Send {
        to: *to,
        transport: *transport,
        bytes: bytes.into(),
        ticket: *ticket,
    })
}
