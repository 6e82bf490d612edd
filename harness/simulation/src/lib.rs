//! Deterministic network fault injection for SIP and other real-time services.
//!
//! A scenario file describes hosts, what they do and what goes wrong; [`suite::Suite`] turns a folder of
//! them into tests; [`verdict::judge`] runs one in virtual time and says what was wrong; [`snapshot`] shows
//! it to a reviewer.
//!
//! This crate joins the layers: it knows the network, the protocols and the actors. What judges a run
//! (oracles, expectations, snapshots) reads nothing but its [`trace`].
//!
//! # What for what
//!
//! | to | there is | feature |
//! |---|---|---|
//! | make every scenario of a folder a test of your crate | `linefault::suite` | `suite` |
//! | put a server of your own into them | `harness::Scenarios::actor`, `machine` and `entry` | `suite` |
//! | know what a server may ask of its host | [`actors::Host`], [`actors::Machine`] | |
//! | run and judge scenarios in code | [`suite::Suite`], [`suite::Test`], [`verdict::Outcome`] | |
//! | read or change a scenario as data | [`scenario::File`], [`scenario::Draft`] | |
//! | look for faults that nobody wrote down | [`explore`] | |
//! | find where two runs part | [`divergence`] | |
//! | draw ladders: pages, pictures, diagrams | `report` | `report` |
//! | write captures for Wireshark | `pcap` | `pcap` |
//! | run linefault's phones and proxies in your `turmoil::Sim` | `bridge` | `turmoil` |
//! | convert messages to `rsip`'s types and back | `protocol::sip` | `rsip` |
//! | use the simulated network without any protocol | [`network`] | |
//!
//! The command `linefault` is the feature `cli`, on by default; a crate that only tests turns it off with
//! `default-features = false`.
//!
//! # A scenario in code
//!
//! ```
//! use linefault::suite::{Suite, names};
//!
//! let text = r#"
//!     title = "A call to a phone that lost power"
//!     run.platform = "macos"
//!     host.proxy = { actor = "proxy", domain = "sim.test" }
//!     host.alice = { actor = "phone", user = "1001", registrar = "proxy" }
//!     host.bob = { actor = "phone", user = "1002", registrar = "proxy" }
//!     timeline.steps = [
//!       { at = "0s", host = "bob", do = "register" },
//!       { at = "2s", host = "alice", do = "call", to = "bob" },
//!     ]
//!     timeline.faults = [{ at = "1s", fault = "power-off", host = "bob" }]
//!     outcome.expect = [{ name = "told-at-once", host = "alice", receives = "480 INVITE", within = "1s" }]
//! "#;
//! let suite = Suite::read_with("lost-power", text, &names());
//! assert!(suite.mistakes.is_empty(), "{:?}", suite.mistakes);
//!
//! let outcome = suite.tests[0].run();
//! assert!(outcome.verdict.is_pass(), "{}", suite.tests[0].failure(&outcome, false));
//! assert!(suite.tests[0].snapshot(&outcome).contains("proxy  INFO 2 · WARN 1 · ERROR 0"));
//! ```

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
pub use linefault_network as network;
pub use linefault_protocol as protocol;

#[cfg(feature = "suite")]
pub use harness::suite;
