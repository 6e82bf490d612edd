//! Requests that a user agent makes.
//!
//! Owns what RFC 3261 §8.1.1 asks of a request outside of a dialog.

use super::{UserAgent, UserAgentTurn};
use crate::sip::{Message, Method};

/// What a user agent takes part in.
pub(super) const ALLOW: &str =
    "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, PRACK, REFER, NOTIFY";

impl UserAgent {
    /// A request outside of a dialog, without Via; To is the Request-URI.
    // RFC 3261 §8.1.1
    pub(super) fn outside_dialog(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        method: &Method,
        uri: &str,
    ) -> Message {
        let (tag, call_id) = (turn.token("tag"), turn.token("call-id"));
        let mut request = Message::request(method.clone(), uri);
        request.append("Max-Forwards", "70");
        request.append("From", &["<", &self.aor, ">;tag=", &tag].concat());
        request.append("To", &["<", uri, ">"].concat());
        request.append(
            "Call-ID",
            &format!("{call_id}@{}", self.config.address.ip()),
        );
        request.append("CSeq", &format!("1 {method}"));
        request
    }
}
