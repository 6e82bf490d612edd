//! A stack that was written for UDP and repeats its requests over TCP as well.

use linefault_actors::{Context, Input, Output};
use linefault_protocol::sip::Transport;

use super::{Defect, Edit, Plant, rewrite};

pub(super) const DEFECT: Defect = Defect {
    name: "retransmits-over-tcp",
    actor: "proxy",
    doc: "A request that went over TCP is sent once more when the next thing happens.",
    plant: Plant::Edit(|| Box::<Again>::default()),
};

#[derive(Default)]
struct Again {
    latest: Option<Output>,
}

impl Edit for Again {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        if let Some(again) = self.latest.take() {
            cx.output(again);
        }
        Some(input)
    }

    fn output(&mut self, output: Output) -> Vec<Output> {
        let over_tcp = matches!(
            output,
            Output::Send {
                transport: Transport::Tcp,
                ..
            }
        );
        if over_tcp && rewrite::sent(&output).is_some_and(|message| message.is_request()) {
            self.latest = Some(output.clone());
        }
        vec![output]
    }
}
