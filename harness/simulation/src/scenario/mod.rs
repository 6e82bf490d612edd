//! Scenario files: read, checked for every combination of their matrix, and lowered to what a run consumes.
//!
//! Owns the format: its keys, their kinds, the mistakes that can be made with them, and how a mistake is
//! shown. Refuses to run anything, and refuses to guess: whatever is not right is reported at its place.
//!
//! One table of keys (`tables`) feeds the reader, the schema and the manual. The way of a file: `tree` (TOML
//! with places), `matrix` and `path` (values put at dotted paths), `reader` and `value` (each table by
//! itself), `lower` (tables against each other), `model`.

mod adapter;
mod conditions;
mod diagnostic;
mod draft;
mod file;
mod keys;
mod lower;
mod manual;
mod matrix;
mod model;
mod names;
mod path;
mod pattern;
mod reader;
mod record;
mod schema;
mod stream_pattern;
mod subnet;
mod suggest;
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod trigger;
mod units;
mod value;

pub(crate) use adapter::network_fault;
pub use diagnostic::{Diagnostic, Diagnostics, Span};
pub use draft::Draft;
pub use file::File;
pub use matrix::{Combination, NoAssignment, Override};
pub use model::{
    Direction, Expect, Fault, Host, HostIndex, KnownBad, Lan, Latency, Link, Place, Platform, Run,
    Scenario, Selection, Step, StepAction, Subject, Trigger, When,
};
pub use names::Names;
pub(crate) use pattern::METHODS;
pub use pattern::Pattern;
pub use stream_pattern::{FrameKind, HttpPart, SsePart, StreamPattern};
pub use subnet::Subnet;
pub(crate) use suggest::nearest;

/// Reads a length of time, "500ms".
#[must_use]
pub fn duration(text: &str) -> Option<std::time::Duration> {
    units::duration(text).ok()
}

/// The JSON Schema of scenario files, as of draft 2020-12.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema::document(&tables::root(&adapter::vocabulary()))
}

/// The reference of the format in Markdown: every table and key, actor and command, fault and notation.
#[must_use]
pub fn manual() -> String {
    let vocabulary = adapter::vocabulary();
    manual::document(&tables::root(&vocabulary), &vocabulary)
}
