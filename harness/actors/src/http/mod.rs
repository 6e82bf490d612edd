//! HTTP/1.1 over a host's TCP, for actors that serve or ask a little of it.
//!
//! Owns one exchange per connection, with a deadline and bounded bodies, through hyper without a clock of its own. Refuses
//! routes and what answers mean.

mod ask;
mod client;
mod reply;
mod serve;

pub(crate) use reply::Reply;
pub(crate) use serve::serve;

pub use client::{ENTRY, HttpClient};
