//! What a REGISTER says of its client.
//!
//! Owns the order of two REGISTERs, and where the client is seen when a NAT stands before it.

use std::net::SocketAddr;

use super::{Binding, Refusal};
use crate::sip::uri::read_ip;
use crate::sip::{Message, Uri};

/// What orders two REGISTERs of one client.
pub(super) struct Order {
    pub(super) call_id: String,
    pub(super) cseq: u32,
    pub(super) nat: Option<Nat>,
}

/// What a NAT did to the address of a client.
#[derive(Clone, Copy)]
pub(super) struct Nat {
    inside: SocketAddr,
    outside: SocketAddr,
}

impl Nat {
    // RFC 3581 §4: the receiver wrote down where the request came from; sent-by says where its sender thinks it is.
    fn before(request: &Message) -> Option<Self> {
        let via = request.top_via().ok()?;
        let sent_by = via.sent_by();
        let inside = SocketAddr::new(
            read_ip(sent_by.host)?,
            sent_by.port_or_default(via.transport()),
        );
        let outside = SocketAddr::new(via.received()?, via.rport()??);
        // The source port of a connection is never the one that its client listens on.
        let behind = if via.is_reliable() {
            inside.ip() != outside.ip()
        } else {
            inside != outside
        };
        behind.then_some(Self { inside, outside })
    }

    /// Where a contact is seen from here; `None` if it is somebody else's and not that of the sender.
    pub(super) fn of(self, contact: &Uri) -> Option<SocketAddr> {
        (contact.socket_address() == Some(self.inside)).then_some(self.outside)
    }
}

impl Order {
    pub(super) fn of(request: &Message) -> Result<Self, Refusal> {
        let call_id = request
            .call_id()
            .map_err(|_| Refusal::Malformed("Malformed Call-ID header field"))?;
        let cseq = request
            .cseq()
            .map_err(|_| Refusal::Malformed("Malformed CSeq header field"))?;
        Ok(Self {
            call_id: call_id.to_owned(),
            cseq: cseq.number,
            nat: Nat::before(request),
        })
    }

    // RFC 3261 §10.3 step 7: CSeq counts only within one Call-ID.
    pub(super) fn may_change(&self, binding: &Binding) -> bool {
        self.call_id != binding.call_id || self.cseq > binding.cseq
    }
}
