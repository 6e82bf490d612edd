//! Requests and bodies that a user agent makes.
//!
//! Owns what RFC 3261 §8.1.1 asks of a request outside of a dialog, and the one session description there is.

use std::net::{IpAddr, SocketAddr};

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
        request.append("From", &format!("<{}>;tag={tag}", self.aor()));
        request.append("To", &format!("<{uri}>"));
        request.append(
            "Call-ID",
            &format!("{call_id}@{}", self.config.address.ip()),
        );
        request.append("CSeq", &format!("1 {method}"));
        request
    }
}

/// Puts the session description into a message: PCMU, which everybody has, at a port where nobody listens.
// RFC 4566 §5, RFC 3551 §6
pub(super) fn offer(message: &mut Message, local: SocketAddr) {
    let ip = local.ip();
    let family = match ip {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    };
    let body = format!(
        "v=0\r\no=- 0 0 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    );
    message.set_body("application/sdp", body);
}
