//! The servers of a user agent, and leaving one alone that asks for it.
//!
//! Owns RFC 3261 §21.5.4 on the client's side: a 503 with Retry-After sends a request to the next server, and keeps every
//! other one outside of dialogs away from the first for that long. A request in a dialog follows its route.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Purpose, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Status};

/// Servers by preference; there is at least one.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    all: Vec<SocketAddr>,
    closed: BTreeMap<SocketAddr, Instant>,
    current: SocketAddr,
}

impl Servers {
    pub(super) fn new(first: SocketAddr, others: &[SocketAddr]) -> Self {
        Self {
            all: std::iter::once(first)
                .chain(others.iter().copied())
                .collect(),
            closed: BTreeMap::new(),
            current: first,
        }
    }

    /// The server for requests outside of dialogs, since the last [`Servers::choose`].
    pub(super) fn current(&self) -> SocketAddr {
        self.current
    }

    /// Goes to the first server that may be asked now; `false` if there is none.
    pub(super) fn choose(&mut self, now: Instant) -> bool {
        self.closed.retain(|_, until| *until > now);
        let open = self
            .all
            .iter()
            .find(|server| !self.closed.contains_key(server));
        self.current = open.copied().unwrap_or(self.current);
        open.is_some()
    }

    /// When the first of them may be asked again, if none may now.
    pub(super) fn reopens(&self) -> Option<Instant> {
        self.closed.values().min().copied()
    }

    fn close(&mut self, server: SocketAddr, until: Instant) {
        if self.all.contains(&server) {
            self.closed.insert(server, until);
        }
    }
}

impl UserAgent {
    /// Heeds a 503 with Retry-After, and sends the request to the next server if there is one.
    // RFC 3263 §4.3: a new request, identical to the previous one but for its branch.
    pub(super) fn try_elsewhere(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        client: TransactionId,
        response: &Message,
    ) -> bool {
        let unavailable = response.status() == Some(Status::SERVICE_UNAVAILABLE);
        let seconds = response
            .retry_after()
            .ok()
            .flatten()
            .filter(|_| unavailable);
        let (Some(seconds), Some((server, request))) = (seconds, self.asked.get(client).cloned())
        else {
            // RFC 3261 §21.5.4: without Retry-After it is as 500.
            return false;
        };
        let until = turn.now + Duration::from_secs(seconds.into());
        self.servers.close(server, until);
        let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        let elsewhere = self.servers.choose(turn.now) && self.servers.current() != server;
        if in_dialog || !elsewhere || self.is_unwanted(client) {
            return false;
        }
        let Some(purpose) = self
            .clients
            .remove(&client)
            .filter(|it| *it != Purpose::Cancel)
        else {
            return false;
        };
        self.send_again(turn, purpose, request);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 5060))
    }

    #[test]
    fn the_first_open_server_is_chosen_until_none_is_left() {
        let at = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
        let mut servers = Servers::new(server(1), &[server(2)]);
        assert!(servers.choose(at(0)));
        assert_eq!(servers.current(), server(1));
        servers.close(server(1), at(10));
        assert!(servers.choose(at(0)));
        assert_eq!(servers.current(), server(2));
        servers.close(server(2), at(5));
        assert!(!servers.choose(at(4)));
        assert_eq!(servers.reopens(), Some(at(5)));
        // Nobody may be asked a moment too early, and the first is preferred as soon as it may be.
        assert!(servers.choose(at(5)));
        assert_eq!(servers.current(), server(2));
        assert!(servers.choose(at(10)));
        assert_eq!(servers.current(), server(1));
    }
}
