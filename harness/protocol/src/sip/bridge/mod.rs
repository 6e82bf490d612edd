//! Conversions to and from rsip's types, for those who hold them.
//!
//! Owns which messages both sides mean the same by. Refuses to lose anything silently: what rsip 0.4 would read otherwise or
//! write otherwise is an [`Inexpressible`] with its name, and an rsip message that is no SIP message is [`Unreadable`].
//!
//! What is taken for the same: header names in any case, and the registered reason phrase, which rsip keeps as the name of
//! its status ("Not Found" is `NotFound` there) and which is written out again on the way back.
//!
//! ```
//! use linefault_protocol::sip::{Limits, Message, Verdict, parse};
//!
//! let bytes = b"OPTIONS sip:bob@sim.test SIP/2.0\r\n\
//!     Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
//!     From: <sip:alice@sim.test>;tag=a\r\nTo: <sip:bob@sim.test>\r\n\
//!     Call-ID: 1@192.0.2.1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
//! let Verdict::Accept(message) = parse(bytes, &Limits::default()) else { panic!("it is well formed") };
//!
//! let theirs = rsip::SipMessage::try_from(&message)?;
//! assert!(theirs.is_request());
//! let ours = Message::try_from(&theirs)?;
//! assert_eq!(ours.call_id(), message.call_id());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod errors;
mod from_rsip;
mod to_rsip;

pub use errors::{Inexpressible, Unreadable};

#[cfg(test)]
mod tests;
