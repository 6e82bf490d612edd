//! A client that takes every challenge for a new one.

use linefault_actors::{Context, Input, Output};

use super::rewrite::sent;
use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "digest-loop",
    actor: "phone",
    doc: "A REGISTER whose credentials were refused goes out again at once, ten times over.",
    plant: Plant::Edit(|| Box::<Loop>::default()),
};

const TIMES: u32 = 10;

#[derive(Default)]
struct Loop {
    last: Option<Output>,
    times: u32,
}

impl Edit for Loop {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        let refused = match &input {
            Input::Datagram { bytes, .. } => SipMessage::read(bytes),
            _ => None,
        };
        let refused = refused.filter(|it| it.status == Some(401) && self.times < TIMES);
        if let Some(again) = refused.and_then(|_| self.again()) {
            self.last = Some(again.clone());
            cx.output(again);
        }
        Some(input)
    }

    fn output(&mut self, output: Output) -> Vec<Output> {
        let signed = sent(&output).filter(|it| it.message.header("Authorization").is_some());
        if signed.is_some() {
            self.last = Some(output.clone());
        }
        vec![output]
    }
}

impl Loop {
    /// The last REGISTER with credentials, under the next number.
    fn again(&mut self) -> Option<Output> {
        let Output::Send {
            to,
            transport,
            bytes,
            ..
        } = self.last.as_ref()?
        else {
            return None;
        };
        let mut request = SipMessage::read(bytes)?;
        self.times += 1;
        let via = request.message.remove_first_value("Via")?;
        let branch = format!("{}{}", request.branch, self.times);
        let via = via.replacen(&request.branch, &branch, 1);
        request.message.prepend("Via", &via);
        let cseq = format!("{} {}", request.cseq + 1, request.method);
        request.message.set("CSeq", &cseq);
        Some(Output::Send {
            to: *to,
            transport: *transport,
            bytes: request.message.to_bytes(),
            ticket: None,
        })
    }
}
