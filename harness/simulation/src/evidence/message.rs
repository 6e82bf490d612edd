//! A datagram read as SIP, with what judges of a run ask of it most.

use linefault_protocol::sip::{Limits, Message, Method, Verdict, glance, parse};

/// A SIP message and what oracles ask of it most. What a malformed message lacks is empty.
#[derive(Debug)]
pub struct SipMessage {
    /// The message, as far as it can be read.
    pub message: Message,
    /// Whether an element would accept it.
    pub well_formed: bool,
    /// Whether an element could answer it, if it is a request: with an error, where it is not well formed.
    pub answerable: bool,
    /// The method of the request, or of the request that is answered.
    pub method: Method,
    /// The status, for a response.
    pub status: Option<u16>,
    /// The Call-ID.
    pub call_id: String,
    /// The branch of the top Via.
    pub branch: String,
    /// How many Via values there are: one on a request that its first sender sends.
    pub vias: usize,
    /// The number in CSeq.
    pub cseq: u32,
    /// The tag of From.
    pub from_tag: String,
    /// The tag of To.
    pub to_tag: String,
}

impl SipMessage {
    /// Reads a datagram; nothing if it does not even begin like a SIP message.
    #[must_use]
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let limits = Limits::default();
        let (message, well_formed, answerable) = match parse(datagram, &limits) {
            Verdict::Accept(message) => (message, true, true),
            Verdict::Reject(rejection) => (rejection.message, false, true),
            Verdict::Drop(_) => (glance(datagram, &limits)?, false, false),
        };
        let branch = message.branch().unwrap_or_default().to_owned();
        Some(Self {
            well_formed,
            answerable,
            method: message.method(),
            status: message.status().map(|status| status.code()),
            call_id: message.call_id().unwrap_or_default().to_owned(),
            branch,
            vias: message.values("Via").count(),
            cseq: message.cseq().map_or(0, |cseq| cseq.number),
            from_tag: message.from_tag().unwrap_or_default().to_owned(),
            to_tag: message.to_tag().unwrap_or_default().to_owned(),
            message,
        })
    }

    /// Whether this is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.status.is_none()
    }

    /// Whether this is a response of 100 to 199.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.status.is_some_and(|status| status < 200)
    }

    /// Whether this is a response of 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether this is a response of 200 or above.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.status.is_some_and(|status| status >= 200)
    }

    /// Whether this is a request of that method.
    #[must_use]
    pub fn asks(&self, method: &Method) -> bool {
        self.is_request() && self.method == *method
    }

    /// "INVITE" for a request, "200 INVITE" for a response.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.status {
            Some(status) => format!("{status} {}", self.method),
            None => self.method.to_string(),
        }
    }
}
