//! The Session Initiation Protocol.
