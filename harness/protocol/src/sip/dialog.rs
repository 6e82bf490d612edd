//! Dialogs, RFC 3261 §12.
//!
//! Owns what both ends must remember: tags, sequence numbers, route set, remote target; and the requests made from it.
//! Refuses to know what the dialog is for.

use std::fmt;

use super::{Contacts, Message, Method, NameAddr, Status, Uri};

/// One end of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    call_id: String,
    local: Party,
    remote: Party,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    target: Uri,
    routes: Vec<String>,
}

/// A From or To value and the tag in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Party {
    value: String,
    tag: Option<String>,
}

/// Why no dialog comes of a message, or a request is not taken in one. Blames the peer that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogError {
    /// There is no Contact to send requests to, or more than one.
    Contact,
    /// From, To, Call-ID, CSeq or a route cannot be read.
    Malformed,
    /// The sequence number is lower than one seen before; the answer is 500.
    OutOfOrder,
}

impl Dialog {
    /// The caller's end, from its request and a response to it that has a To tag.
    ///
    /// # Errors
    /// The response lacks what a dialog is made of.
    // RFC 3261 §12.1.2: the route set is the Record-Route list in reverse order.
    pub fn caller(request: &Message, response: &Message) -> Result<Self, DialogError> {
        let mut routes = routes_of(response)?;
        routes.reverse();
        Ok(Self {
            call_id: call_id(request)?,
            local: Party::read(response, "From")?,
            remote: Party::read(response, "To")?,
            local_cseq: cseq(request)?,
            remote_cseq: None,
            target: target_of(response)?,
            routes,
        })
    }

    /// The callee's end, from a request and the To value that it answers with.
    ///
    /// # Errors
    /// The request lacks what a dialog is made of.
    // RFC 3261 §12.1.1: the route set is the Record-Route list in order.
    pub fn callee(request: &Message, response: &Message) -> Result<Self, DialogError> {
        Ok(Self {
            call_id: call_id(request)?,
            local: Party::read(response, "To")?,
            remote: Party::read(request, "From")?,
            local_cseq: 0,
            remote_cseq: Some(cseq(request)?),
            target: target_of(request)?,
            routes: routes_of(request)?,
        })
    }

    /// Turns the caller's early dialog into a confirmed one, with a 2xx of its callee.
    ///
    /// # Errors
    /// The response lacks what a dialog is made of; the dialog stays as it was.
    // RFC 3261 §13.2.2.4: the route set is computed anew from the 2xx, the sequence number stays.
    pub fn confirm(&mut self, response: &Message) -> Result<(), DialogError> {
        let (mut routes, target) = (routes_of(response)?, target_of(response)?);
        routes.reverse();
        self.routes = routes;
        self.target = target;
        Ok(())
    }

    /// Whether a request from the peer belongs to this dialog.
    // RFC 3261 §12.2.2; a tag that is missing, as from an RFC 2543 element, equals a missing one (§12.1.1).
    #[must_use]
    pub fn has_request(&self, request: &Message) -> bool {
        self.is(request, &self.remote, &self.local)
    }

    /// Whether a response from the peer belongs to this dialog.
    #[must_use]
    pub fn has_response(&self, response: &Message) -> bool {
        self.is(response, &self.local, &self.remote)
    }

    /// Takes note of a request from the peer.
    ///
    /// # Errors
    /// It is older than one that was seen before.
    // RFC 3261 §12.2.2; ACK and CANCEL carry the number of their INVITE.
    pub fn take(&mut self, request: &Message) -> Result<(), DialogError> {
        let number = cseq(request)?;
        if matches!(request.method(), Method::Ack | Method::Cancel) {
            return Ok(());
        }
        if self.remote_cseq.is_some_and(|seen| number < seen) {
            return Err(DialogError::OutOfOrder);
        }
        self.remote_cseq = Some(number);
        Ok(())
    }

    /// Moves the remote target to the Contact of a target refresh request or its 2xx, if it has one.
    // RFC 3261 §12.2.1.2 and §12.2.2
    pub fn refresh_target(&mut self, message: &Message) {
        if let Ok(target) = target_of(message) {
            self.target = target;
        }
    }

    /// The next request in this dialog, without Via.
    // RFC 3261 §12.2.1.1
    pub fn request(&mut self, method: &Method) -> Message {
        let number = self.next_number();
        self.numbered(method, number)
    }

    /// The CSeq number of the next request.
    pub fn next_number(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.local_cseq
    }

    /// The ACK for a 2xx to the INVITE of that number, without Via.
    // RFC 3261 §13.2.2.4: as a request in the dialog, but with the number of its INVITE.
    #[must_use]
    pub fn ack(&self, invite: u32) -> Message {
        self.numbered(&Method::Ack, invite)
    }

    /// The Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The peer's URI, as in its From or To.
    #[must_use]
    pub fn remote_uri(&self) -> String {
        let uri = NameAddr::parse(&self.remote.value).map(|party| party.uri_str().to_owned());
        uri.unwrap_or_else(|| self.remote.value.clone())
    }

    /// Where the peer wants its requests.
    #[must_use]
    pub fn target(&self) -> &Uri {
        &self.target
    }

    fn is(&self, message: &Message, from: &Party, to: &Party) -> bool {
        message
            .call_id()
            .is_ok_and(|call_id| call_id == self.call_id)
            && message.from_tag() == from.tag.as_deref()
            && message.to_tag() == to.tag.as_deref()
    }

    // RFC 3261 §12.2.1.1: a first route without `lr` is a strict router: it becomes the Request-URI, and the remote
    // target moves to the end of the route.
    fn numbered(&self, method: &Method, cseq: u32) -> Message {
        let strict = self.routes.first().and_then(|first| strict_router(first));
        let (uri, routes) = match &strict {
            Some(router) => (router.as_str(), &self.routes[1..]),
            None => (self.target.as_str(), &self.routes[..]),
        };
        let mut request = Message::request(method.clone(), uri);
        request.append("Max-Forwards", "70");
        for route in routes {
            request.append("Route", route);
        }
        if strict.is_some() {
            request.append("Route", &format!("<{}>", self.target));
        }
        request.append("From", &self.local.value);
        request.append("To", &self.remote.value);
        request.append("Call-ID", &self.call_id);
        request.append("CSeq", &format!("{cseq} {method}"));
        request
    }
}

impl Party {
    fn read(message: &Message, header: &'static str) -> Result<Self, DialogError> {
        let value = message.header(header).ok_or(DialogError::Malformed)?;
        let party = NameAddr::parse(value).ok_or(DialogError::Malformed)?;
        let tag = party.tag().map(str::to_owned);
        Ok(Self {
            value: value.to_string(),
            tag,
        })
    }
}

impl DialogError {
    /// What the request is answered with.
    // RFC 3261 §12.2.2
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::OutOfOrder => Status::SERVER_INTERNAL_ERROR,
            Self::Contact | Self::Malformed => Status::BAD_REQUEST,
        }
    }
}

impl fmt::Display for DialogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contact => "Missing Contact header field",
            Self::Malformed => "Malformed dialog header field",
            Self::OutOfOrder => "CSeq is lower than before",
        })
    }
}

impl std::error::Error for DialogError {}

fn call_id(message: &Message) -> Result<String, DialogError> {
    message
        .call_id()
        .map(|id| id.to_string())
        .map_err(|_| DialogError::Malformed)
}

fn cseq(message: &Message) -> Result<u32, DialogError> {
    message
        .cseq()
        .map(|cseq| cseq.number)
        .map_err(|_| DialogError::Malformed)
}

// RFC 3261 §8.1.1.8 and §12.1.1: exactly one contact.
fn target_of(message: &Message) -> Result<Uri, DialogError> {
    match message.contacts() {
        Ok(Contacts::List(contacts)) if contacts.len() == 1 => Ok(contacts[0].uri()),
        Ok(_) => Err(DialogError::Contact),
        Err(_) => Err(DialogError::Malformed),
    }
}

fn routes_of(message: &Message) -> Result<Vec<String>, DialogError> {
    let values: Vec<_> = message
        .values("Record-Route")
        .map(|value| value.to_string())
        .collect();
    let readable = values.iter().all(|value| NameAddr::parse(value).is_some());
    if readable {
        Ok(values)
    } else {
        Err(DialogError::Malformed)
    }
}

fn strict_router(route: &str) -> Option<Uri> {
    let uri = NameAddr::parse(route)?.uri();
    (!uri.params().has("lr")).then_some(uri)
}

#[cfg(test)]
mod tests;
