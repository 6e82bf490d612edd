//! Planted defects: ways in which a service can be wrong, for the broken twins of scenarios.
//!
//! The machines and actors know nothing of them. A defect is either another value of one of an actor's
//! policies or an edit of what goes into and comes out of its machine. A new one is a file and a line here.

mod aborted_session_stays;
mod accept_loop_dies;
mod answer_after_global_failure_lost;
mod answer_on_new_connection;
mod api_500_on_reset;
mod attempts_never_count;
mod attempts_never_reset;
mod attempts_reset_at_init;
mod audio_after_hang_up;
mod bye_goes_out_late;
mod bye_ignored;
mod bye_panics;
mod bye_stops_at_first_contact;
mod bye_without_consequence;
mod call_record_kept;
mod caller_left_in_silence;
mod cancel_branch_differs;
mod cancel_challenged;
mod cancel_is_481;
mod cancel_only_answered;
mod close_deadline_too_long;
mod contacts_without_limit;
mod dead_binding_stays;
mod digest_loop;
mod done_after_error;
mod end_is_done;
mod error_event_not_sent;
mod error_event_swallowed;
mod error_flag_stays;
mod error_of_no_known_type;
mod errors_not_counted;
mod expired_bindings_stay;
mod failure_becomes_500;
mod failure_not_acknowledged;
mod failure_swallowed;
mod further_vias_lost;
mod generates_for_nobody;
mod glare_window_shared;
mod global_failure_at_once;
mod grant_not_kept;
mod last_event_id_not_sent;
mod leading_space_lost;
mod leg_taken_over;
mod line_break_lost;
mod line_without_end;
mod lock_held_over_reconnect;
mod losers_not_cancelled;
mod lost_is_an_error_event;
mod max_forwards_kept;
mod network_error_is_502;
mod no_close_deadline;
mod no_frame_deadline;
mod no_header_deadline;
mod no_health_check;
mod no_idle_deadline;
mod nonce_count_stuck;
mod notify_forgotten;
mod offer_altered;
mod own_fault_is_warning;
mod prack_not_sent;
mod provisional_not_repeated;
mod reads_are_frames;
mod reconnects_at_once;
mod reconnects_without_limit;
mod refresh_forgotten;
mod repeated_answer_panics;
mod reset_is_warning;
mod reset_unhandled;
mod resumes_from_start;
mod resumes_too_late;
mod retransmits_over_tcp;
mod retries_at_once;
mod retry_after_unread;
mod retry_beside_the_stream;
mod rewrite;
mod second_final;
mod second_in_segment_lost;
mod session_expiry_ignored;
mod skipped_repeat;
mod status_in_stream;
mod subscription_never_ends;
mod success_not_acknowledged;
mod tag_changes;
mod time_out_is_408;
mod token_event;
mod traceback_leaks;
mod unavailable_not_retried;
mod undeliverable_ack_is_502;
mod unknown_call_is_200;
mod unreachable_is_502;
mod unreachable_is_error;
mod validates_in_stream;
mod wrong_leg_ended;

use std::any::Any;
use std::collections::VecDeque;
use std::task::Poll;

use linefault_actors::catalogue::{Actor, Command};
use linefault_actors::{Context, Deadlines, Input, Machine, Output};

/// Every defect there is.
pub const CATALOGUE: &[&Defect] = &[
    &aborted_session_stays::DEFECT,
    &accept_loop_dies::DEFECT,
    &answer_after_global_failure_lost::DEFECT,
    &answer_on_new_connection::DEFECT,
    &api_500_on_reset::DEFECT,
    &attempts_never_count::DEFECT,
    &attempts_never_reset::DEFECT,
    &attempts_reset_at_init::DEFECT,
    &audio_after_hang_up::DEFECT,
    &bye_goes_out_late::DEFECT,
    &bye_ignored::DEFECT,
    &bye_panics::DEFECT,
    &bye_stops_at_first_contact::DEFECT,
    &bye_without_consequence::DEFECT,
    &call_record_kept::DEFECT,
    &caller_left_in_silence::DEFECT,
    &cancel_branch_differs::DEFECT,
    &cancel_challenged::DEFECT,
    &cancel_is_481::DEFECT,
    &cancel_only_answered::DEFECT,
    &close_deadline_too_long::DEFECT,
    &contacts_without_limit::DEFECT,
    &dead_binding_stays::DEFECT,
    &digest_loop::DEFECT,
    &done_after_error::DEFECT,
    &end_is_done::DEFECT,
    &error_event_not_sent::DEFECT,
    &error_event_swallowed::DEFECT,
    &error_flag_stays::DEFECT,
    &error_of_no_known_type::DEFECT,
    &errors_not_counted::DEFECT,
    &expired_bindings_stay::DEFECT,
    &failure_becomes_500::DEFECT,
    &failure_not_acknowledged::DEFECT,
    &failure_swallowed::DEFECT,
    &further_vias_lost::DEFECT,
    &generates_for_nobody::DEFECT,
    &glare_window_shared::DEFECT,
    &global_failure_at_once::DEFECT,
    &grant_not_kept::DEFECT,
    &last_event_id_not_sent::DEFECT,
    &leading_space_lost::DEFECT,
    &leg_taken_over::DEFECT,
    &line_break_lost::DEFECT,
    &line_without_end::DEFECT,
    &lock_held_over_reconnect::DEFECT,
    &losers_not_cancelled::DEFECT,
    &lost_is_an_error_event::DEFECT,
    &max_forwards_kept::DEFECT,
    &network_error_is_502::DEFECT,
    &no_close_deadline::DEFECT,
    &no_frame_deadline::DEFECT,
    &no_header_deadline::DEFECT,
    &no_health_check::DEFECT,
    &no_idle_deadline::DEFECT,
    &nonce_count_stuck::DEFECT,
    &notify_forgotten::DEFECT,
    &offer_altered::DEFECT,
    &own_fault_is_warning::DEFECT,
    &prack_not_sent::DEFECT,
    &provisional_not_repeated::DEFECT,
    &reads_are_frames::DEFECT,
    &reconnects_at_once::DEFECT,
    &reconnects_without_limit::DEFECT,
    &refresh_forgotten::DEFECT,
    &repeated_answer_panics::DEFECT,
    &reset_is_warning::DEFECT,
    &reset_unhandled::DEFECT,
    &resumes_from_start::DEFECT,
    &resumes_too_late::DEFECT,
    &retransmits_over_tcp::DEFECT,
    &retries_at_once::DEFECT,
    &retry_after_unread::DEFECT,
    &retry_beside_the_stream::DEFECT,
    &second_final::DEFECT,
    &second_in_segment_lost::DEFECT,
    &session_expiry_ignored::DEFECT,
    &skipped_repeat::DEFECT,
    &status_in_stream::DEFECT,
    &subscription_never_ends::DEFECT,
    &success_not_acknowledged::DEFECT,
    &tag_changes::DEFECT,
    &time_out_is_408::DEFECT,
    &traceback_leaks::DEFECT,
    &unavailable_not_retried::DEFECT,
    &undeliverable_ack_is_502::DEFECT,
    &unknown_call_is_200::DEFECT,
    &unreachable_is_502::DEFECT,
    &unreachable_is_error::DEFECT,
    &validates_in_stream::DEFECT,
    &wrong_leg_ended::DEFECT,
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

    fn poll_beside(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Command> {
        self.machine.poll_beside(cx)
    }

    fn accepts_connections(&self) -> bool {
        self.machine.accepts_connections()
    }
}
