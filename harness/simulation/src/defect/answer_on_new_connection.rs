//! A user agent that opens a connection for every answer, though the one of the request is there.

use linefault_actors::Output;
use linefault_protocol::sip::Transport;

use super::{Defect, Edit, Plant, rewrite};

pub(super) const DEFECT: Defect = Defect {
    name: "answer-on-new-connection",
    actor: "phone",
    doc: "Answers over TCP go to where the client listens, and not back on the connection of the request.",
    plant: Plant::Edit(|| Box::new(Elsewhere)),
};

struct Elsewhere;

impl Edit for Elsewhere {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let answer = rewrite::sent(&output).filter(|message| !message.is_request());
        let listening = answer.and_then(|answer| answer.message.listening_client());
        match (output, listening) {
            (
                Output::Send {
                    transport: Transport::Tcp,
                    bytes,
                    ticket,
                    ..
                },
                Some(to),
            ) => vec![Output::Send {
                to,
                transport: Transport::Tcp,
                bytes,
                ticket,
            }],
            (output, _) => vec![output],
        }
    }
}
