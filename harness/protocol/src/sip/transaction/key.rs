//! Which transaction a message belongs to.
//!
//! Owns the matching rules of RFC 3261 §17.1.3 and §17.2.3, with and without the magic cookie. Branches are compared
//! byte by byte: §7.3.1 would have tokens compared without case, but elements in the field draw branches from alphabets
//! in which case counts.

use crate::sip::{FieldError, Message, Method};

/// What identifies a transaction within a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
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
        Some(Self {
            from_tag: request.from_tag().unwrap_or_default().to_owned(),
            call_id: request.call_id().ok()?.to_owned(),
            number: request.cseq().ok()?.number,
            method,
        })
    }
}

impl Key {
    /// Of a request that a client transaction sends, or of a response to it.
    pub(super) fn client(message: &Message) -> Result<Self, FieldError> {
        let branch = message.top_via()?.branch().unwrap_or_default().to_owned();
        Ok(Self::Client {
            branch,
            method: message.cseq()?.method,
        })
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
        if let Some(branch) = via.branch().filter(|_| via.has_cookie()) {
            let sent_by = via.sent_by();
            let (host, port) = (
                sent_by.host.to_ascii_lowercase(),
                sent_by.port_or_default(via.transport()),
            );
            return Ok(Self::Server {
                branch: branch.to_owned(),
                host,
                port,
                method,
            });
        }
        Ok(Self::Old {
            uri: request.request_uri().unwrap_or_default().to_owned(),
            from_tag: request.from_tag().unwrap_or_default().to_owned(),
            call_id: request.call_id()?.to_owned(),
            number: request.cseq()?.number,
            via: request.values("Via").next().unwrap_or_default().to_owned(),
            method,
        })
    }
}
