//! Which connections there are, as far as an element knows, and how long an idle one stays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use linefault_protocol::Instant;
use linefault_protocol::sip::Message;
use linefault_protocol::sip::transaction::Layer;

/// Connections by the address of the other end.
#[derive(Default)]
pub(super) struct Flows {
    /// When each was used last.
    used: BTreeMap<SocketAddr, Instant>,
    idle: Vec<SocketAddr>,
}

impl Flows {
    pub(super) fn used(&mut self, peer: SocketAddr, now: Instant) {
        self.used.insert(peer, now);
    }

    pub(super) fn closed(&mut self, peer: SocketAddr) {
        self.used.remove(&peer);
    }

    /// Where a response goes whose request came from `source`.
    // RFC 3261 §18.2.2: on the connection on which its request came, or else to where the client listens.
    pub(super) fn way_back(&self, source: SocketAddr, response: &Message) -> SocketAddr {
        if self.used.contains_key(&source) {
            return source;
        }
        response.listening_client().unwrap_or(source)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.used.values().min().map(|used| *used + idle_time())
    }

    /// Gives up what has been idle for long enough and carries no transaction.
    pub(super) fn expire(&mut self, now: Instant, layer: &Layer) {
        for (peer, used) in &mut self.used {
            if *used + idle_time() > now {
                continue;
            }
            if layer.uses_connection(*peer) {
                *used = now;
            } else {
                self.idle.push(*peer);
            }
        }
        for peer in &self.idle {
            self.used.remove(peer);
        }
    }

    /// The connections to be closed.
    pub(super) fn take_idle(&mut self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.idle)
    }
}

// RFC 3261 §18: as long, at least, as a transaction may need from its beginning to its end.
fn idle_time() -> Duration {
    linefault_protocol::sip::transaction::Timers::default().patience()
}
