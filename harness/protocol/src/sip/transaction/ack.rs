//! The ACK for a failure: RFC 3261 §17.1.1.3.

use crate::sip::{Message, Method};

/// The ACK that an INVITE client transaction sends for this final response by itself.
pub(super) fn acknowledge(invite: &Message, response: &Message) -> Message {
    let mut ack = Message::request(Method::Ack, invite.request_uri().unwrap_or_default());
    // One Via, the topmost of the INVITE: the ACK ends at the next hop.
    ack.append("Via", invite.values("Via").next().unwrap_or_default());
    ack.append("Max-Forwards", "70");
    for route in invite.fields_of("Route") {
        ack.append("Route", route.value());
    }
    ack.append("From", invite.header("From").unwrap_or_default());
    // The tag of the response tells which server is acknowledged.
    ack.append("To", response.header("To").unwrap_or_default());
    ack.append("Call-ID", invite.header("Call-ID").unwrap_or_default());
    let number = invite.cseq().map_or(0, |cseq| cseq.number);
    ack.append("CSeq", &format!("{number} {}", Method::Ack));
    // RFC 3261 §22.1: the credentials of the INVITE, since an ACK cannot be challenged.
    for name in ["Authorization", "Proxy-Authorization"] {
        for credentials in invite.fields_of(name) {
            ack.append(name, credentials.value());
        }
    }
    ack
}
