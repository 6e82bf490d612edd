//! The command as its users meet it, and the promise that a run repeats byte for byte.

mod command;
mod determinism;
mod support;
