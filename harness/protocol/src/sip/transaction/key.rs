//! Which transaction a message belongs to.
//!
//! Owns the matching rules of RFC 3261 §17.1.3 and §17.2.3, with and without the magic cookie. Branches are compared
//! byte by byte: §7.3.1 would have tokens compared without case, but elements in the field draw branches from alphabets
//! in which case counts.

use crate::fnv;
use crate::sip::via::has_cookie;
use crate::sip::{FieldError, Message, Method};

/// What identifies a transaction within a layer. Ordered by its hash first, so that a search among thousands looks at
/// hardly any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    hash: u64,
    parts: Parts,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parts {
    /// RFC 3261 §17.1.3.
    Client { branch: String, method: Method },
    /// RFC 3261 §17.2.3, first part. The host is in lower case.
    Server {
        branch: String,
        host: String,
        port: u16,
        method: Method,
    },
    /// RFC 3261 §17.2.3, second part: a client of RFC 2543. The To tag is left out, since that of an ACK is ours.
    Old {
        uri: String,
        from_tag: String,
        call_id: String,
        number: u32,
        via: String,
        method: Method,
    },
}

/// What all copies of one request have in common that reach a server over different paths (RFC 3261 §8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    hash: u64,
    from_tag: String,
    call_id: String,
    number: u32,
    method: Method,
}

impl Origin {
    /// Of a request outside of a dialog; `None` for one inside, and for ACK and CANCEL, which follow their INVITE.
    pub(super) fn of(request: &Message) -> Option<Self> {
        let method = request.method();
        if request.to_tag().is_some() || matches!(method, Method::Ack | Method::Cancel) {
            return None;
        }
        let call_id = request.call_id().ok()?.to_owned();
        Some(Self {
            hash: fnv(call_id.bytes()),
            from_tag: request.from_tag().unwrap_or_default().to_owned(),
            call_id,
            number: request.cseq().ok()?.number,
            method,
        })
    }
}

impl Key {
    fn new(parts: Parts) -> Self {
        let (Parts::Client { branch: text, .. }
        | Parts::Server { branch: text, .. }
        | Parts::Old { call_id: text, .. }) = &parts;
        Self {
            hash: fnv(text.bytes()),
            parts,
        }
    }

    /// Of the client transaction with that branch.
    pub(super) fn of_branch(branch: String, method: Method) -> Self {
        Self::new(Parts::Client { branch, method })
    }

    /// Whether the client is one of RFC 2543.
    pub(super) fn is_old(&self) -> bool {
        matches!(self.parts, Parts::Old { .. })
    }

    /// Of a request that a client transaction sends, or of a response to it.
    pub(super) fn client(message: &Message) -> Result<Self, FieldError> {
        message.top_via()?;
        let branch = message.branch().unwrap_or_default().to_owned();
        Ok(Self::of_branch(branch, message.cseq()?.method))
    }

    /// Of a request that a server transaction answers; an ACK has the key of its INVITE.
    pub(super) fn server(request: &Message) -> Result<Self, FieldError> {
        let method = match request.method() {
            Method::Ack => Method::Invite,
            method => method,
        };
        Self::of_method(request, method)
    }

    /// Of the INVITE that a CANCEL is for (RFC 3261 §9.2).
    pub(super) fn cancelled(cancel: &Message) -> Result<Self, FieldError> {
        Self::of_method(cancel, Method::Invite)
    }

    fn of_method(request: &Message, method: Method) -> Result<Self, FieldError> {
        let via = request.top_via()?;
        if let Some(branch) = request.branch().filter(|branch| has_cookie(branch)) {
            let sent_by = via.sent_by();
            let (host, port) = (
                sent_by.host.to_ascii_lowercase(),
                sent_by.port_or_default(via.transport()),
            );
            return Ok(Self::new(Parts::Server {
                branch: branch.to_owned(),
                host,
                port,
                method,
            }));
        }
        Ok(Self::new(Parts::Old {
            uri: request.request_uri().unwrap_or_default().to_owned(),
            from_tag: request.from_tag().unwrap_or_default().to_owned(),
            call_id: request.call_id()?.to_owned(),
            number: request.cseq()?.number,
            via: request.values("Via").next().unwrap_or_default().to_owned(),
            method,
        }))
    }
}
