//! Planted defects: ways in which a service can be wrong, for the broken twins of scenarios.
//!
//! The machines and actors know nothing of them. A defect is either another value of one of an actor's
//! policies or an edit of what goes into and comes out of its machine. A new one is a file and a line here.

mod aborted_session_stays;
mod accept_loop_dies;
mod answer_after_global_failure_lost;
mod api_500_on_reset;
mod audio_after_hang_up;
mod bye_goes_out_late;
mod bye_ignored;
mod bye_panics;
mod bye_stops_at_first_contact;
mod bye_without_consequence;
mod call_record_kept;
mod cancel_challenged;
mod cancel_is_481;
mod cancel_only_answered;
mod dead_binding_stays;
mod digest_loop;
mod expired_bindings_stay;
mod failure_becomes_500;
mod failure_not_acknowledged;
mod failure_swallowed;
mod glare_window_shared;
mod global_failure_at_once;
mod grant_not_kept;
mod leg_taken_over;
mod losers_not_cancelled;
mod max_forwards_kept;
mod network_error_is_502;
mod no_close_deadline;
mod no_frame_deadline;
mod no_header_deadline;
mod no_health_check;
mod nonce_count_stuck;
mod notify_forgotten;
mod offer_altered;
mod own_fault_is_warning;
mod prack_not_sent;
mod provisional_not_repeated;
mod reads_are_frames;
mod refresh_forgotten;
mod reset_unhandled;
mod retries_at_once;
mod retry_after_unread;
mod rewrite;
mod second_final;
mod session_expiry_ignored;
mod skipped_repeat;
mod subscription_never_ends;
mod tag_changes;
mod time_out_is_408;
mod unavailable_not_retried;
mod undeliverable_ack_is_502;
mod unknown_call_is_200;
mod unreachable_is_502;
mod unreachable_is_error;

use std::any::Any;
use std::collections::VecDeque;

use linefault_actors::catalogue::Actor;
use linefault_actors::{Context, Deadlines, Input, Machine, Output};

/// Every defect there is.
pub const CATALOGUE: &[&Defect] = &[
    &aborted_session_stays::DEFECT,
    &accept_loop_dies::DEFECT,
    &answer_after_global_failure_lost::DEFECT,
    &api_500_on_reset::DEFECT,
    &audio_after_hang_up::DEFECT,
    &bye_goes_out_late::DEFECT,
    &bye_ignored::DEFECT,
    &bye_panics::DEFECT,
    &bye_stops_at_first_contact::DEFECT,
    &bye_without_consequence::DEFECT,
    &call_record_kept::DEFECT,
    &cancel_challenged::DEFECT,
    &cancel_is_481::DEFECT,
    &cancel_only_answered::DEFECT,
    &dead_binding_stays::DEFECT,
    &digest_loop::DEFECT,
    &expired_bindings_stay::DEFECT,
    &failure_becomes_500::DEFECT,
    &failure_not_acknowledged::DEFECT,
    &failure_swallowed::DEFECT,
    &glare_window_shared::DEFECT,
    &global_failure_at_once::DEFECT,
    &grant_not_kept::DEFECT,
    &leg_taken_over::DEFECT,
    &losers_not_cancelled::DEFECT,
    &max_forwards_kept::DEFECT,
    &network_error_is_502::DEFECT,
    &no_close_deadline::DEFECT,
    &no_frame_deadline::DEFECT,
    &no_header_deadline::DEFECT,
    &no_health_check::DEFECT,
    &nonce_count_stuck::DEFECT,
    &notify_forgotten::DEFECT,
    &offer_altered::DEFECT,
    &own_fault_is_warning::DEFECT,
    &prack_not_sent::DEFECT,
    &provisional_not_repeated::DEFECT,
    &reads_are_frames::DEFECT,
    &refresh_forgotten::DEFECT,
    &reset_unhandled::DEFECT,
    &retries_at_once::DEFECT,
    &retry_after_unread::DEFECT,
    &second_final::DEFECT,
    &session_expiry_ignored::DEFECT,
    &skipped_repeat::DEFECT,
    &subscription_never_ends::DEFECT,
    &tag_changes::DEFECT,
    &time_out_is_408::DEFECT,
    &unavailable_not_retried::DEFECT,
    &undeliverable_ack_is_502::DEFECT,
    &unknown_call_is_200::DEFECT,
    &unreachable_is_502::DEFECT,
    &unreachable_is_error::DEFECT,
];

/// The defect of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Defect> {
    CATALOGUE.iter().copied().find(|defect| defect.name == name)
}

/// One way in which an actor can be wrong.
#[derive(Debug)]
pub struct Defect {
    /// What scenario files call it.
    pub name: &'static str,
    /// The actor that can have it.
    pub actor: &'static str,
    /// What is wrong, in one sentence.
    pub doc: &'static str,
    /// How it is planted.
    pub plant: Plant,
}

/// How a defect is planted.
#[derive(Debug)]
pub enum Plant {
    /// Sets a policy of the configured actor to another value. Gets the actor itself to downcast.
    Policy(fn(&mut dyn Any)),
    /// Edits what the actor's machine is told and what it says.
    Edit(fn() -> Box<dyn Edit>),
}

/// An edit of a machine's inputs and outputs. One a life.
pub trait Edit {
    /// What the machine is told instead; nothing if it is to hear nothing. What `cx` is given is done first.
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        Some(input)
    }

    /// What is done instead of what the machine wants done; nothing if nothing is to be done.
    fn output(&mut self, output: Output) -> Vec<Output> {
        vec![output]
    }
}

/// Sets the policies of `actor` that the defects change.
pub fn plant_policies(actor: &mut dyn Actor, defects: &[&'static Defect]) {
    for defect in defects {
        if let Plant::Policy(set) = defect.plant {
            set(actor);
        }
    }
}

/// Wraps `machine` in the edits of the defects, the first innermost.
pub fn plant_edits(machine: Box<dyn Machine>, defects: &[&'static Defect]) -> Box<dyn Machine> {
    let edits = defects.iter().filter_map(|defect| match defect.plant {
        Plant::Edit(make) => Some(make()),
        Plant::Policy(_) => None,
    });
    edits.fold(machine, |machine, edit| Box::new(Edited { machine, edit }))
}

struct Edited {
    machine: Box<dyn Machine>,
    edit: Box<dyn Edit>,
}

impl Machine for Edited {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        let Some(input) = self.edit.input(input, cx) else {
            return;
        };
        let mut wanted = VecDeque::new();
        let now = cx.now();
        self.machine
            .handle(input, &mut Context::new(now, cx, &mut wanted));
        for output in wanted
            .into_iter()
            .flat_map(|output| self.edit.output(output))
        {
            cx.output(output);
        }
    }

    fn deadlines(&self) -> Deadlines {
        self.machine.deadlines()
    }

    fn accepts_connections(&self) -> bool {
        self.machine.accepts_connections()
    }
}
