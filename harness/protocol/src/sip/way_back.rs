//! How a response finds the way back.
//!
//! Owns RFC 3261 §18.2 (received, response destination) and RFC 3581 (rport). Refuses DNS: a response whose only hint is a
//! host name goes back to where its request came from.

use std::fmt::Write;
use std::net::SocketAddr;

use super::uri::read_ip;
use super::{Message, Via};

impl Via<'_> {
    /// This value as its receiver must complete it before anything else reads it.
    ///
    /// `None` if there is nothing to add.
    // RFC 3261 §18.2.1: `received` if sent-by is a name or another address. RFC 3581 §4: with an `rport`, always. One that
    // the sender wrote itself is replaced, or else it could send the answer to somebody else.
    #[must_use]
    pub fn completed(&self, source: SocketAddr) -> Option<String> {
        let asked = self.rport().is_some();
        let differs = read_ip(self.sent_by().host) != Some(source.ip());
        let claimed = self.params().has("received");
        if !asked && !differs && !claimed {
            return None;
        }
        let kept = self.params().iter();
        let kept = kept.filter(|(name, _)| !name.eq_ignore_ascii_case("received"));
        let mut text = String::with_capacity(self.params().as_str().len() + 96);
        // Writing to a string cannot fail.
        let _ = write!(text, "SIP/2.0/{} {}", self.transport(), self.sent_by());
        for (name, value) in kept {
            if name.eq_ignore_ascii_case("rport") {
                let _ = write!(text, ";rport={}", source.port());
                continue;
            }
            text.extend([";", name]);
            text.extend(value.map(|value| ["=", value]).into_iter().flatten());
        }
        let _ = write!(text, ";received={}", source.ip());
        Some(text)
    }

    /// Where a response with this top Via goes over UDP. `source` is where the request came from.
    // RFC 3261 §18.2.2 and RFC 3581 §4: maddr, else received with rport, else received with the port of sent-by.
    #[must_use]
    pub fn response_destination(&self, source: SocketAddr) -> SocketAddr {
        let port = self.sent_by().port_or_default(self.transport());
        if let Some(group) = self
            .params()
            .get("maddr")
            .and_then(|host| host.parse().ok().or_else(|| read_ip(host)))
        {
            return SocketAddr::new(group, port);
        }
        let ip = self
            .received()
            .or_else(|| read_ip(self.sent_by().host))
            .unwrap_or(source.ip());
        SocketAddr::new(ip, self.rport().flatten().unwrap_or(port))
    }
}

impl Message {
    /// Completes the top Via with where the request came from, as its receiver must (RFC 3261 §18.2.1, RFC 3581 §4).
    /// No effect if nothing is to be added, or if there is no Via that could be answered.
    pub fn complete_via(&mut self, source: SocketAddr) {
        let top = self.top_via_value().and_then(Via::parse_usable);
        if let Some(completed) = top.and_then(|via| via.completed(source)) {
            self.replace_first_value("Via", Some(&completed));
        }
    }

    /// Where a response with this top Via goes; `source` is where its request came from, and the answer if there is no
    /// readable Via.
    #[must_use]
    pub fn response_destination(&self, source: SocketAddr) -> SocketAddr {
        let top = self.top_via_value().and_then(Via::parse_usable);
        top.map_or(source, |via| via.response_destination(source))
    }
}
