//! What carries a message, and how that is chosen: RFC 3261 §18.1.1, RFC 3263 §4.1.
//!
//! Owns the transport of the top Via and the choice for a request on its way out. Refuses DNS, TLS and everything else
//! but UDP and TCP.

use std::fmt;
use std::net::SocketAddr;

use super::uri::read_ip;
use super::{Message, NameAddr, Uri};

/// What carries a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the protocols'")]
pub enum Transport {
    #[default]
    Udp,
    Tcp,
}

/// Larger requests go over TCP: the path's MTU, if unknown, less 200 bytes for what comes back (RFC 3261 §18.1.1).
pub const LARGEST_DATAGRAM: usize = 1300;

impl Transport {
    /// Whether nothing that it carries gets lost on the way (RFC 3261 §17).
    #[must_use]
    pub fn is_reliable(self) -> bool {
        self == Self::Tcp
    }

    /// As it stands in a URI: `udp`, `tcp`.
    #[must_use]
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }

    /// The one of that name, without case; `None` for others than these.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp]
            .into_iter()
            .find(|transport| name.eq_ignore_ascii_case(transport.parameter()))
    }
}

/// As it stands in a Via: `UDP`, `TCP`.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

impl Uri {
    /// Its `transport` parameter, if that names one of these.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        Transport::named(self.params().get("transport")?)
    }
}

impl Message {
    /// The transport of its top Via; UDP if there is none that can be read.
    #[must_use]
    pub fn transport(&self) -> Transport {
        let via = self.usable_via();
        via.and_then(|via| Transport::named(via.transport()))
            .unwrap_or_default()
    }

    /// Writes that transport into the top Via. No effect if it says so already, or if there is no readable one.
    pub fn set_transport(&mut self, transport: Transport) {
        let Some(now) = self.usable_via().map(|via| via.transport()) else {
            return;
        };
        if Transport::named(now) == Some(transport) {
            return;
        }
        let top = self.values("Via").next().unwrap_or_default();
        // The first word that is the transport's stands in the protocol: SIP and 2.0 are none.
        let changed = top.replacen(now, &transport.to_string(), 1);
        self.replace_first_value("Via", Some(&changed));
    }

    /// What a request should be carried by to get there. `usual` is for a destination that no URI of the request names,
    /// such as an outbound proxy.
    // RFC 3263 §4.1: what the URI says, else UDP for an address literal.
    #[must_use]
    pub fn choose_transport(&self, destination: SocketAddr, usual: Transport) -> Transport {
        let route = self.values("Route").next().and_then(NameAddr::parse);
        let loose = route
            .map(|route| route.uri())
            .filter(|uri| uri.params().has("lr"));
        let next = loose.or_else(|| Uri::parse(self.request_uri()?).ok());
        let named = next.as_ref().and_then(Uri::transport);
        let literal = next.is_some_and(|uri| uri.socket_address() == Some(destination));
        named.unwrap_or(if literal { Transport::Udp } else { usual })
    }

    /// Where the client listens that wrote the top Via: the address that its request came from, or else the one that it
    /// claims, with the port of sent-by (RFC 3261 §18.2.2). `None` without a readable Via, or if that holds a name only.
    #[must_use]
    pub fn listening_client(&self) -> Option<SocketAddr> {
        let via = self.usable_via()?;
        let sent_by = via.sent_by();
        let ip = via.received().or_else(|| read_ip(sent_by.host))?;
        Some(SocketAddr::new(
            ip,
            sent_by.port_or_default(via.transport()),
        ))
    }

    /// Whether it is larger than what may go over UDP.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.length() > LARGEST_DATAGRAM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, route: Option<&str>) -> Message {
        let mut request = Message::request(crate::sip::Method::Message, uri);
        request.append(
            "Via",
            "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKUDP1, SIP/2.0/UDP h",
        );
        if let Some(route) = route {
            request.append("Route", route);
        }
        request
    }

    // Each line is one rule of RFC 3263 §4.1; the destination is the address of the URI, where that has one.
    #[test]
    fn a_requests_transport_follows_from_its_next_hop() {
        use Transport::{Tcp, Udp};
        let address: SocketAddr = "192.0.2.9:5060".parse().expect("an address");
        let cases = [
            ("sip:b@192.0.2.9", None, Udp, Udp),
            ("sip:b@192.0.2.9", None, Tcp, Udp),
            ("sip:b@192.0.2.9;transport=TCP", None, Udp, Tcp),
            ("sip:b@example.org", None, Tcp, Tcp),
            (
                "sip:b@192.0.2.7;transport=tcp",
                Some("<sip:192.0.2.9;lr>"),
                Tcp,
                Udp,
            ),
            (
                "sip:b@192.0.2.7",
                Some("<sip:192.0.2.9;transport=tcp;lr>"),
                Udp,
                Tcp,
            ),
        ];
        for (uri, route, usual, expected) in cases {
            let request = request(uri, route);
            assert_eq!(
                request.choose_transport(address, usual),
                expected,
                "{uri} {route:?}"
            );
        }
    }

    // The branch holds the word as well, and other values stay: only the protocol of the first one may change.
    #[test]
    fn only_the_protocol_of_the_top_via_is_rewritten() {
        let mut request = request("sip:x", None);
        request.set_transport(Transport::Tcp);
        assert_eq!(
            request.header("Via"),
            Some("SIP/2.0/TCP 192.0.2.1:5060;rport;branch=z9hG4bKUDP1, SIP/2.0/UDP h")
        );
        assert_eq!(request.transport(), Transport::Tcp);
    }
}
