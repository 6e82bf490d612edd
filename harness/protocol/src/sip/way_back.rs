//! How a response finds the way back.
//!
//! Owns RFC 3261 §18.2 (received, response destination) and RFC 3581 (rport). Refuses DNS: a response whose only hint is a
//! host name goes back to where its request came from.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

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
        let host = self.sent_by().host;
        let differs = read_ip(host) != Some(source.ip());
        let (mut asked, mut claimed) = (false, false);
        let mut text = String::with_capacity(self.params().as_str().len() + 96);
        text.extend(["SIP/2.0/", self.transport(), " ", host]);
        // Writing to a string cannot fail.
        if let Some(port) = self.sent_by().port {
            let _ = write!(text, ":{port}");
        }
        for (name, value) in self.params().iter() {
            if name.eq_ignore_ascii_case("received") {
                claimed = true;
            } else if name.eq_ignore_ascii_case("rport") {
                asked = true;
                let _ = write!(text, ";rport={}", source.port());
            } else {
                text.extend([";", name]);
                text.extend(value.map(|value| ["=", value]).into_iter().flatten());
            }
        }
        let _ = match source.ip() {
            // As it is written already: an IPv4 address has one spelling.
            IpAddr::V4(_) if !differs => write!(text, ";received={host}"),
            ip => write!(text, ";received={ip}"),
        };
        (asked || differs || claimed).then_some(text)
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
        let top = self.usable_via();
        if let Some(completed) = top.and_then(|via| via.completed(source)) {
            self.replace_first_value("Via", Some(&completed));
        }
    }

    /// Where a response with this top Via goes; `source` is where its request came from, and the answer if there is no
    /// readable Via.
    #[must_use]
    pub fn response_destination(&self, source: SocketAddr) -> SocketAddr {
        let top = self.usable_via();
        top.map_or(source, |via| via.response_destination(source))
    }
}
