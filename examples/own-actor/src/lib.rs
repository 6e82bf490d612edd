//! A small SIP proxy of one's own: stateless (RFC 3261 §16.11), with a registrar that remembers one contact a user.
//!
//! It stands for the server that you want to test. All that it has of linefault is the [`Host`] that it is given: sockets,
//! time and chance. Run over real sockets it would be the same code.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use linefault::actors::{Host, SocketError, UdpSocket};

/// Runs the proxy on a host, until the host ends.
pub async fn proxy(host: Host) {
    let socket = match host.bind_udp(host.address()).await {
        Ok(socket) => socket,
        Err(error) => return tracing::error!(%error, "cannot open the socket"),
    };
    let mut proxy = Proxy {
        address: host.address(),
        contacts: BTreeMap::new(),
        socket,
    };
    loop {
        match proxy.socket.receive_from().await {
            Ok((datagram, from)) => proxy.take(&datagram, from).await,
            // What an earlier datagram met on its way comes back here (ip(7)); a proxy goes on.
            Err(error) => tracing::warn!(%error, "a datagram did not arrive"),
        }
    }
}

struct Proxy {
    address: SocketAddr,
    /// By user: where its phone is.
    contacts: BTreeMap<String, SocketAddr>,
    socket: UdpSocket,
}

impl Proxy {
    async fn take(&mut self, datagram: &Bytes, from: SocketAddr) {
        let Some(message) = std::str::from_utf8(datagram).ok().and_then(Message::read) else {
            return;
        };
        if message.first.starts_with("SIP/2.0 ") {
            self.back(message).await;
        } else if message.first.starts_with("REGISTER ") {
            self.register(message, from).await;
        } else {
            self.forward(message, from).await;
        }
    }

    /// RFC 3261 §10.3, as far as a test needs it.
    async fn register(&mut self, message: Message, from: SocketAddr) {
        let user = message.header("To").and_then(user_of).map(str::to_owned);
        let contact = message.header("Contact").map(str::to_owned);
        let (Some(user), Some(contact)) = (user, contact) else {
            return self.answer(&message, "400 Bad Request", from).await;
        };
        tracing::info!(user, "registered");
        if let Some(address) = address_of(&contact) {
            self.contacts.insert(user, address);
        }
        let mut answer = message.answer("200 OK");
        answer.headers.push(("Contact".to_owned(), format!("{contact};expires=3600")));
        let _ = self.send(&answer, from).await;
    }

    /// RFC 3261 §16.11: a stateless proxy passes a request on and remembers nothing.
    async fn forward(&mut self, mut message: Message, from: SocketAddr) {
        let uri = message.first.split(' ').nth(1).unwrap_or_default().to_owned();
        let target = user_of(&uri).and_then(|user| self.contacts.get(user)).copied();
        let Some(target) = target.or_else(|| address_of(&uri)) else {
            if !message.first.starts_with("ACK ") {
                self.answer(&message, "404 Not Found", from).await;
            }
            return;
        };
        // RFC 3261 §16.11: the branch must be the same for a repeat, so it is made from the branch above it.
        let above = message.header("Via").and_then(|via| via.split("branch=").nth(1));
        let branch = above.and_then(|rest| rest.split([';', ',']).next()).unwrap_or("z9hG4bK0");
        let via = format!("SIP/2.0/UDP {};branch={branch}.p", self.address);
        message.headers.insert(0, ("Via".to_owned(), via));
        for (name, value) in &mut message.headers {
            if name.eq_ignore_ascii_case("Max-Forwards") {
                *value = value.parse().unwrap_or(70_u8).saturating_sub(1).to_string();
            }
        }
        if let Err(error) = self.send(&message, target).await {
            tracing::warn!(%error, peer = %target, "target unreachable");
            message.headers.remove(0);
            if !message.first.starts_with("ACK ") {
                self.answer(&message, "480 Temporarily Unavailable", from).await;
            }
        }
    }

    /// RFC 3261 §16.11: an answer goes to whoever the next Via names.
    async fn back(&mut self, mut message: Message) {
        let own = message.headers.iter().position(|(name, _)| name == "Via");
        if let Some(own) = own {
            message.headers.remove(own);
        }
        let next = message.header("Via").and_then(|via| via.split([' ', ';']).nth(1));
        if let Some(next) = next.and_then(|next| next.parse().ok()) {
            let _ = self.send(&message, next).await;
        }
    }

    async fn answer(&self, message: &Message, status: &str, to: SocketAddr) {
        let _ = self.send(&message.answer(status), to).await;
    }

    async fn send(&self, message: &Message, to: SocketAddr) -> Result<(), SocketError> {
        self.socket.send_to(&Bytes::from(message.text()), to).await
    }
}

/// A SIP message, no better understood than a stateless proxy has to.
struct Message {
    first: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let first = lines.next()?.to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        Some(Self {
            first,
            headers: lines.filter_map(header).collect(),
            body: body.to_owned(),
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// RFC 3261 §8.2.6: what an answer takes from its request.
    fn answer(&self, status: &str) -> Self {
        let kept = ["Via", "From", "To", "Call-ID", "CSeq"];
        let headers = self.headers.iter().filter(|(name, _)| kept.contains(&name.as_str()));
        let tagged = headers.map(|(name, value)| match name.as_str() {
            "To" if !value.contains(";tag=") => (name.clone(), format!("{value};tag=own")),
            _ => (name.clone(), value.clone()),
        });
        Self {
            first: format!("SIP/2.0 {status}"),
            headers: tagged.chain([("Content-Length".to_owned(), "0".to_owned())]).collect(),
            body: String::new(),
        }
    }

    fn text(&self) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!("{}\r\n{headers}\r\n{}", self.first, self.body)
    }
}

/// "1001" of `<sip:1001@sim.test>;tag=…`.
fn user_of(value: &str) -> Option<&str> {
    let (user, _) = value.split_once("sip:")?.1.split_once('@')?;
    Some(user)
}

/// The address of `<sip:1001@10.0.0.3:5060>`.
fn address_of(value: &str) -> Option<SocketAddr> {
    let (_, rest) = value.split_once("sip:")?;
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    host.split(['>', ';']).next()?.parse().ok()
}
