//! The command as its users meet it, the promise that a run repeats byte for byte, and what the documents say.

mod browser;
mod captures;
mod command;
#[cfg(feature = "turmoil")]
mod cross_check;
mod determinism;
mod disturbed;
mod docs;
mod explain;
mod explore;
mod failure;
#[cfg(feature = "foreign")]
mod foreign;
mod proofs;
mod replay;
mod report;
mod rsip_bridge;
mod starter;
mod status_codes;
mod streams;
mod support;
mod verdicts;
mod zoo;
