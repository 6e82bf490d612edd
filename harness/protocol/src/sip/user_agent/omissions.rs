//! What a broken device leaves out of what it answers.
//!
//! Owns the omissions that others have an answer to: a proxy or a B2BUA that gets such a response says 502 (RFC 3261
//! §21.5.3). Refuses anything that could not be read as a response any more.

use crate::sip::Message;

/// What is missing in every final response to an INVITE; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omissions {
    /// Every Via but the topmost, as of a parser that reads one: the way back ends at the next hop.
    pub further_vias: bool,
    /// Contact, so that a 2xx makes no dialog.
    pub contact: bool,
}

impl Omissions {
    /// Takes that out of a response.
    pub(super) fn apply(self, response: &mut Message) {
        let top = response.values("Via").next().map(str::to_owned);
        if let Some(top) = top.filter(|_| self.further_vias) {
            response.set("Via", &top);
        }
        if self.contact {
            response.remove("Contact");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Status;

    // Two values in one field and a third in its own: a way back that is kept in any spelling would still lead somewhere.
    #[test]
    fn only_the_topmost_via_and_no_contact_is_left() {
        let mut response = Message::response(Status::OK, "OK");
        response.append("Via", "SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b");
        response.append("Via", "SIP/2.0/UDP c");
        response.append("Contact", "<sip:b@192.0.2.2>");
        Omissions {
            further_vias: true,
            contact: true,
        }
        .apply(&mut response);
        let vias: Vec<&str> = response.values("Via").collect();
        assert_eq!(vias, ["SIP/2.0/UDP a;branch=z9hG4bK1"]);
        assert_eq!(response.header("Contact"), None);
    }
}
