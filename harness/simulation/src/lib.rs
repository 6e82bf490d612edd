//! Placeholder, replaced below.
pub mod scenario;
