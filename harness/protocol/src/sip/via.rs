//! The Via header field and what hangs on it: branches, sent-by, the way back.
//!
//! Owns RFC 3261 §18.2 (received, response destination), RFC 3581 (rport) and the comparisons of §17.1.3 and §17.2.3.
//! Refuses DNS: a response whose only hint is a host name goes back to where its request came from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::Message;
use super::params::Params;
use super::uri::{is_host, read_ip, read_port, same_host};

/// With these seven characters a branch begins that is unique in space and time (RFC 3261 §8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One value of a Via header field, as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    transport: &'a str,
    sent_by: SentBy<'a>,
    params: Params<'a>,
}

/// `sent-by`: who wrote a Via.
#[derive(Clone, Copy, Debug)]
pub struct SentBy<'a> {
    /// A name or an address, an IPv6 one in brackets.
    pub host: &'a str,
    /// The port, if one is written.
    pub port: Option<u16>,
}

impl<'a> Via<'a> {
    /// Reads one value, `SIP/2.0/UDP host:port;branch=…`. `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (head, params) = divide(text);
        Self::head(head, Params::read(params)?)
    }

    /// Reads a value of which only protocol and sent-by are well formed: enough to know whom to answer.
    pub(crate) fn parse_usable(text: &'a str) -> Option<Self> {
        let (head, params) = divide(text);
        Self::head(head, Params::unchecked(params))
    }

    // RFC 3261 §25.1 sent-protocol: white space may stand around its slashes, but must stand before sent-by.
    fn head(head: &'a str, params: Params<'a>) -> Option<Self> {
        let (name, rest) = head.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        let rest = rest.trim_ascii_start();
        let (transport, sent_by) = rest.split_once([' ', '\t'])?;
        let is_sip = name.trim_ascii().eq_ignore_ascii_case("SIP") && version.trim_ascii() == "2.0";
        let well_formed = is_sip && super::list::is_token(transport);
        well_formed.then_some(Self {
            transport,
            sent_by: SentBy::parse(sent_by.trim_ascii())?,
            params,
        })
    }

    /// The transport as written: `UDP`, `TCP` or any other token.
    #[must_use]
    pub fn transport(&self) -> &'a str {
        self.transport
    }

    /// Whether the transport is reliable: everything but UDP is (RFC 3261 §17.1.1.2).
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        !self.transport.eq_ignore_ascii_case("UDP")
    }

    /// Host and port of the element that wrote this value.
    #[must_use]
    pub fn sent_by(&self) -> SentBy<'a> {
        self.sent_by
    }

    /// The branch; with [`MAGIC_COOKIE`] in front it identifies the transaction.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch")
    }

    /// Whether the branch has the magic cookie. Without it, the rules of RFC 2543 apply.
    #[must_use]
    pub fn has_cookie(&self) -> bool {
        self.branch().is_some_and(has_cookie)
    }

    /// The address that the request came from, written by its receiver.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        // RFC 5118 §4.5: some write IPv6 with brackets here, some without.
        let text = self.params.get("received")?;
        text.parse().ok().or_else(|| read_ip(text))
    }

    /// The port that the request came from: `None` if not asked for, `Some(None)` if asked for and not yet filled in
    /// (RFC 3581 §3).
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|port| port.parse().ok())
    }

    /// All parameters, in order.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// This value as its receiver must complete it before anything else reads it.
    ///
    /// `None` if there is nothing to add.
    // RFC 3261 §18.2.1: `received` if sent-by is a name or another address. RFC 3581 §4: with an empty `rport`, always.
    #[must_use]
    pub fn completed(&self, source: SocketAddr) -> Option<String> {
        let asked = self.rport().is_some();
        let differs = read_ip(self.sent_by.host) != Some(source.ip());
        if !asked && !differs {
            return None;
        }
        let mut text = format!("SIP/2.0/{} {}", self.transport, self.sent_by);
        for (name, value) in self
            .params
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("received"))
        {
            match value {
                _ if name.eq_ignore_ascii_case("rport") => {
                    text += &format!(";rport={}", source.port());
                }
                Some(value) => text += &format!(";{name}={value}"),
                None => text += &format!(";{name}"),
            }
        }
        text += &format!(";received={}", source.ip());
        Some(text)
    }

    /// Where a response with this top Via goes over UDP. `source` is where the request came from.
    // RFC 3261 §18.2.2 and RFC 3581 §4: maddr, else received with rport, else received with the port of sent-by.
    #[must_use]
    pub fn response_destination(&self, source: SocketAddr) -> SocketAddr {
        let port = self.sent_by.port_or_default(self.transport);
        if let Some(group) = self
            .params
            .get("maddr")
            .and_then(|host| host.parse().ok().or_else(|| read_ip(host)))
        {
            return SocketAddr::new(group, port);
        }
        let ip = self
            .received()
            .or_else(|| read_ip(self.sent_by.host))
            .unwrap_or(source.ip());
        SocketAddr::new(ip, self.rport().flatten().unwrap_or(port))
    }
}

impl<'a> SentBy<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let bracket = text.rfind(']').map_or(0, |at| at + 1);
        // RFC 3261 §25.1 COLON: white space may stand around it.
        let (host, port) = match text[bracket..].find(':') {
            Some(colon) => (
                text[..bracket + colon].trim_ascii_end(),
                Some(text[bracket + colon + 1..].trim_ascii_start()),
            ),
            None => (text, None),
        };
        let port = port
            .map(|digits| read_port(digits).ok_or(()))
            .transpose()
            .ok()?;
        is_host(host).then_some(Self { host, port })
    }

    /// The port, or the default one of the transport: 5061 for TLS, else 5060 (RFC 3261 §18.2.2, §19.1.2).
    #[must_use]
    pub fn port_or_default(&self, transport: &str) -> u16 {
        let tls =
            transport.eq_ignore_ascii_case("TLS") || transport.eq_ignore_ascii_case("TLS-SCTP");
        self.port.unwrap_or(if tls { 5061 } else { 5060 })
    }
}

/// Hosts are compared without case, addresses by value; a port that is not written counts as 5060 (RFC 3261 §20.42).
impl PartialEq for SentBy<'_> {
    fn eq(&self, other: &Self) -> bool {
        same_host(self.host, other.host) && self.port.unwrap_or(5060) == other.port.unwrap_or(5060)
    }
}

impl Eq for SentBy<'_> {}

impl fmt::Display for SentBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(self.host),
        }
    }
}

impl Message {
    /// Completes the top Via with where the request came from, as its receiver must (RFC 3261 §18.2.1, RFC 3581 §4).
    /// No effect if nothing is to be added, or if there is no Via that could be answered.
    pub fn complete_via(&mut self, source: SocketAddr) {
        let top = self.values("Via").next().and_then(Via::parse_usable);
        if let Some(completed) = top.and_then(|via| via.completed(source)) {
            self.replace_first_value("Via", Some(&completed));
        }
    }

    /// Where a response with this top Via goes; `source` is where its request came from, and the answer if there is no
    /// readable Via.
    #[must_use]
    pub fn response_destination(&self, source: SocketAddr) -> SocketAddr {
        let top = self.values("Via").next().and_then(Via::parse_usable);
        top.map_or(source, |via| via.response_destination(source))
    }
}

/// Whether this branch was made by the rules of RFC 3261 §8.1.1.7 rather than those of RFC 2543.
// RFC 3261 §7.3.1: tokens are compared without case unless stated otherwise, the cookie included.
#[must_use]
pub fn has_cookie(branch: &str) -> bool {
    let start = branch.get(..MAGIC_COOKIE.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
        && branch.len() > MAGIC_COOKIE.len()
}

fn divide(text: &str) -> (&str, &str) {
    let text = text.trim_ascii();
    let end = text.find(';').unwrap_or(text.len());
    (text[..end].trim_ascii_end(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn odd_spacing_is_read() {
        let via = Via::parse(
            "SIP  / 2.0  / TCP     spindle.example.com :  5070 ; branch  =   z9hG4bK9ikj8 ",
        )
        .expect("well formed");
        assert_eq!(
            (via.transport(), via.sent_by().host, via.sent_by().port),
            ("TCP", "spindle.example.com", Some(5070))
        );
        assert!(via.has_cookie() && via.is_reliable());
    }

    #[test]
    fn malformed_values_are_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP a",
            "SIP/2.0/UDP a;;b",
            "HTTP/2.0/UDP a",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP a:x",
        ] {
            assert_eq!(Via::parse(text), None, "{text}");
        }
        assert!(
            Via::parse_usable("SIP/2.0/UDP 192.0.2.15;;").is_some(),
            "one can still be answered"
        );
    }

    #[test]
    fn received_is_added_only_where_it_tells_something() {
        let source = address("192.0.2.1:5099");
        let completed = |text| Via::parse(text).and_then(|via| via.completed(source));
        assert_eq!(
            completed("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"),
            None
        );
        assert_eq!(
            completed("SIP/2.0/UDP phone.test;branch=z9hG4bKa").as_deref(),
            Some("SIP/2.0/UDP phone.test;branch=z9hG4bKa;received=192.0.2.1")
        );
        assert_eq!(
            completed("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa").as_deref(),
            Some("SIP/2.0/UDP 192.0.2.1:5060;rport=5099;branch=z9hG4bKa;received=192.0.2.1")
        );
    }

    /// A forged `received` must not send the answer elsewhere: the receiver's own replaces it.
    #[test]
    fn a_forged_received_is_replaced() {
        let via = Via::parse("SIP/2.0/UDP phone.test;received=198.51.100.7").expect("well formed");
        let completed = via
            .completed(address("192.0.2.1:5060"))
            .expect("a name needs received");
        assert_eq!(completed, "SIP/2.0/UDP phone.test;received=192.0.2.1");
    }

    #[test]
    fn responses_go_where_the_rfc_sends_them() {
        let source = address("192.0.2.1:5099");
        for (text, expected) in [
            ("SIP/2.0/UDP 192.0.2.1:5070", "192.0.2.1:5070"),
            (
                "SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1",
                "192.0.2.1:5070",
            ),
            (
                "SIP/2.0/UDP 10.0.0.1:5070;rport=5099;received=192.0.2.1",
                "192.0.2.1:5099",
            ),
            (
                "SIP/2.0/UDP phone.test;maddr=224.2.0.1;received=192.0.2.1",
                "224.2.0.1:5060",
            ),
            ("SIP/2.0/UDP phone.test", "192.0.2.1:5060"),
            (
                "SIP/2.0/UDP [2001:db8::9]:5070;received=[2001:db8::1]",
                "[2001:db8::1]:5070",
            ),
        ] {
            let via = Via::parse(text).expect("well formed");
            assert_eq!(
                via.response_destination(source),
                address(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn sent_by_is_compared_without_case_and_with_the_default_port() {
        let sent_by = |text| SentBy::parse(text).expect("well formed");
        assert_eq!(sent_by("Phone.test"), sent_by("phone.TEST:5060"));
        assert_ne!(sent_by("phone.test:5061"), sent_by("phone.test"));
        assert_eq!(sent_by("[2001:db8::1]"), sent_by("[2001:DB8:0::1]:5060"));
    }

    #[test]
    fn a_cookie_alone_is_no_branch() {
        assert!(has_cookie("z9hG4bK1") && has_cookie("Z9HG4BK1"));
        assert!(!has_cookie("z9hG4bK") && !has_cookie("1") && !has_cookie("zähG4bK-x"));
    }
}
