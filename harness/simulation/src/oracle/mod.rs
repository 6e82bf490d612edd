//! What must hold in every run, whatever the scenario: judged from the trace alone.
//!
//! Owns the list of oracles. Refuses to look inside an actor: whatever serves the same messages is judged
//! the same. A new oracle is a file and a line here.

mod acknowledged;
mod agreement;
mod asking;
mod audio;
mod bindings;
mod bridge;
mod cancel;
mod credentials;
mod error_events;
mod expiry;
mod final_answer;
mod forwarding;
mod generation;
mod glare;
mod global_failure;
mod held_up;
mod identifiers;
mod invariants;
mod left_over;
mod legs;
mod log_levels;
mod non_invite_408;
mod panic;
mod provisionals;
mod reconnects;
mod relayed;
mod retransmission;
mod retry_after;
mod ringing;
mod sessions;
mod stream_metrics;
mod stream_text;
mod timers;
mod transfers;
mod vanished;
mod way_back;

use linefault_network::{HostId, Instant, RecordId};

use crate::evidence::Evidence;

pub use left_over::{LeftOver, left_over};
pub(crate) use vanished::keeps_a_dead_call;

/// Every oracle that judges a single trace.
pub const CATALOGUE: &[&Oracle] = &[
    &final_answer::ORACLE,
    &retransmission::ORACLE,
    &acknowledged::ORACLE,
    &cancel::ORACLE,
    &forwarding::ORACLE,
    &relayed::ORACLE,
    &legs::ORACLE,
    &global_failure::ORACLE,
    &glare::ORACLE,
    &identifiers::ORACLE,
    &log_levels::ORACLE,
    &agreement::ORACLE,
    &ringing::ORACLE,
    &provisionals::ORACLE,
    &sessions::ORACLE,
    &transfers::ORACLE,
    &bindings::ORACLE,
    &expiry::ORACLE,
    &way_back::ORACLE,
    &credentials::ORACLE,
    &retry_after::ORACLE,
    &non_invite_408::ORACLE,
    &audio::after_hang_up::ORACLE,
    &audio::close::ORACLE,
    &audio::reset_level::ORACLE,
    &audio::next_call::ORACLE,
    &audio::api::ORACLE,
    &stream_text::ORACLE,
    &reconnects::ORACLE,
    &error_events::ORACLE,
    &generation::ORACLE,
    &stream_metrics::ORACLE,
    &left_over::ORACLE,
    &panic::ORACLE,
    &invariants::ORACLE,
];

/// One rule.
#[derive(Debug)]
pub struct Oracle {
    /// What a scenario file and a verdict call it.
    pub name: &'static str,
    /// What it demands, in one sentence.
    pub doc: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// When it must hold.
    pub holds: Holds,
    /// Finds what breaks the rule.
    pub judge: fn(&Evidence<'_>) -> Vec<Finding>,
}

/// When a rule must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// At every moment, also while faults last.
    Always,
    /// Once the faults are over and the run has become quiet.
    AfterHealing,
}

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who broke it, if one host did.
    pub host: Option<HostId>,
    /// The record that shows it best.
    pub record: Option<RecordId>,
    /// When it showed.
    pub at: Instant,
    /// What was found, and what the rule wants instead.
    pub text: String,
}

#[cfg(test)]
mod tests;
