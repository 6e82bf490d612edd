//! Scenario files: read, checked for every combination of their matrix, and lowered to what a run consumes.
//!
//! Owns the format: its keys, their kinds, the mistakes that can be made with them, and how a mistake is
//! shown. Refuses to run anything, and refuses to guess: whatever is not right is reported at its place.

mod diagnostic;
mod model;
mod pattern;
mod subnet;
mod suggest;

pub use diagnostic::{Diagnostic, Diagnostics, Span};
pub use model::{
    Direction, Expect, Fault, Host, HostIndex, KnownBad, Lan, Latency, Link, Place, Platform, Run,
    Scenario, Selection, Step, StepAction, Subject, Trigger, When,
};
pub use pattern::Pattern;
pub use subnet::Subnet;
