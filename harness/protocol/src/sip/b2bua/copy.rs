//! What goes from a message of one leg into its counterpart on the other.
//!
//! Owns the list of header fields that mean the same on both legs. Refuses those of a hop or a dialog: each leg has its
//! own.

use crate::sip::Message;

/// End-to-end fields of requests and responses. Supported and Require are no such: an extension that changes how a leg
/// behaves would have to be understood here.
const PASSED: &[&str] = &[
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Authorization",
    "Call-Info",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Error-Info",
    "Info-Package",
    "MIME-Version",
    "Min-SE",
    "Organization",
    "Priority",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Reason",
    "Retry-After",
    "Subject",
    "Unsupported",
    "Warning",
    "WWW-Authenticate",
];

/// Copies body and end-to-end fields; the body byte for byte.
pub(super) fn content(from: &Message, to: &mut Message) {
    for name in PASSED {
        for field in from.fields_of(name) {
            to.append(name, field.value());
        }
    }
    if let Some(kind) = from.header("Content-Type") {
        to.set_body(kind, from.body().clone());
    }
}

/// Where a redirect or an ambiguous address leads is for the caller to know.
// RFC 3261 §21.3, §21.4.23
pub(super) fn contacts(from: &Message, to: &mut Message) {
    for contact in from.values("Contact") {
        to.append("Contact", contact);
    }
}

/// The answer to an offer that takes nothing of it: every stream at port 0.
// RFC 3261 §13.2.2.4: the ACK for a 2xx with an offer must answer it, even if a BYE follows. RFC 3264 §6: a stream is
// refused with port 0.
pub(super) fn refusing(offer: &Message, ack: &mut Message) {
    let (Some(kind), Ok(text)) = (offer.header("Content-Type"), str::from_utf8(offer.body()))
    else {
        return;
    };
    let lines = text.split_inclusive('\n').map(|line| {
        let Some(stream) = line.strip_prefix("m=") else {
            return line.to_owned();
        };
        let mut words: Vec<&str> = stream.split(' ').collect();
        if let Some(port) = words.get_mut(1) {
            *port = "0";
        }
        format!("m={}", words.join(" "))
    });
    ack.set_body(kind, lines.collect::<String>());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Method, Status};

    #[test]
    fn a_refused_offer_keeps_its_streams_and_loses_their_ports() {
        let mut ok = Message::response(Status::OK, "OK");
        ok.set_body(
            "application/sdp",
            "v=0\r\nm=audio 4000 RTP/AVP 0 8\r\na=x\r\n",
        );
        let mut ack = Message::request(Method::Ack, "sip:x@y");
        refusing(&ok, &mut ack);
        // RFC 3264 §6: as many m-lines as the offer, in its order, with port 0.
        assert_eq!(
            ack.body().as_ref(),
            b"v=0\r\nm=audio 0 RTP/AVP 0 8\r\na=x\r\n"
        );
    }
}
