//! Deterministic network fault injection for SIP and other real-time services.
//!
//! A scenario file describes hosts, what they do and what goes wrong; [`suite::Suite`] turns a folder of
//! them into tests; [`verdict::judge`] runs one in virtual time and says what was wrong; [`snapshot`] shows
//! it to a reviewer.
//!
//! This crate joins the layers: it knows the network, the protocols and the actors. What judges a run
//! (oracles, expectations, snapshots) reads nothing but its [`trace`].

mod backend;
#[cfg(feature = "turmoil")]
pub mod bridge;
#[cfg(feature = "cli")]
pub mod cli;
pub mod coverage;
pub mod defect;
pub mod divergence;
pub mod evidence;
pub mod explain;
pub mod explore;
mod failure;
#[cfg(feature = "suite")]
pub mod harness;
mod injection;
pub mod ladder;
mod lives;
mod logging;
pub mod oracle;
pub mod panics;
#[cfg(feature = "pcap")]
pub mod pcap;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
pub mod scenario;
mod sighting;
pub mod snapshot;
pub mod standing;
pub mod status_codes;
pub mod suite;
pub mod trace;
pub mod twin;
pub mod verdict;

pub use linefault_actors as actors;
#[cfg(feature = "foreign")]
pub use linefault_actors::foreign;

#[cfg(feature = "suite")]
pub use harness::suite;
