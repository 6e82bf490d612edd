//! What a proxy makes of a datagram that did not leave.
//!
//! Owns the log line, the verdict on the binding, and telling the core. Refuses to choose statuses; they are the core's
//! policy.

use std::net::SocketAddr;

use linefault_protocol::sip::proxy::Failure;
use linefault_protocol::sip::{Message, Method, Transport, Uri};

use super::config::{Config, LogLine, Removal, Wording};
use super::life::Running;
use super::probe::{Dead, Occasion};
use crate::checkpoint::reached;
use crate::element::Sent;
use crate::{Context, SocketError};

impl Running {
    pub(super) fn send_failed(
        &mut self,
        cx: &mut Context<'_>,
        to: SocketAddr,
        error: SocketError,
        sent: &Sent,
    ) {
        let unreachable = error.is_unreachable();
        let method = sent.message.method();
        let over = sent.message.transport();
        let line = self.config.log_of(error);
        line.write(over, Some(to), error, Some(&method));
        // RFC 3261 §16.9: a response that cannot be sent is dropped, and nothing is cancelled. RFC 6026 §8.8: its transaction
        // lives on, so that a repeated request finds the answer.
        if !sent.message.is_request() {
            reached!(cx, "a response could not be sent");
            return;
        }
        if unreachable {
            self.doubt(cx, &sent.message);
        }
        match sent.transaction {
            Some(id) if self.probes.owns(id) => {
                let persist = self.config.remove_unreachable == Removal::AfterProbes;
                self.probes.not_sent(id, cx.now(), persist);
                let events = self.element.step(cx, |turn| {
                    turn.layer.transport_failed(turn.now, id, turn.below);
                });
                self.take(cx, events);
            }
            Some(id) => {
                let failure = if unreachable {
                    Failure::Unreachable
                } else {
                    Failure::Network
                };
                self.step(cx, |core, turn| core.send_failed(turn, id, failure));
            }
            None => {
                reached!(cx, "an ACK could not be sent");
                self.step(cx, |core, turn| core.ack_failed(turn, &sent.message));
            }
        }
    }

    /// Deals with the binding whose contact a request could not be sent to.
    fn doubt(&mut self, cx: &mut Context<'_>, request: &Message) {
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        let found = uri.and_then(|uri| {
            let (aor, binding) = self.location.bindings.of_contact(&uri)?;
            Some((aor.to_owned(), binding.clone()))
        });
        let Some((aor, binding)) = found else {
            return;
        };
        match self.config.remove_unreachable {
            Removal::AtOnce => {
                reached!(cx, "a binding went with the first send that failed");
                self.probes.forget(binding.id);
                self.remove_unreachable(cx, &aor, binding.id);
            }
            Removal::AfterProbes => {
                let probes = &mut self.probes;
                let events = self.element.step(cx, |turn| {
                    probes.ask(turn, &aor, &binding, Occasion::Unreachable);
                });
                self.take(cx, events);
            }
            Removal::Never => {}
        }
    }

    pub(super) fn bury(&mut self, cx: &mut Context<'_>, dead: &Dead) {
        match dead.occasion {
            Occasion::Unreachable => {
                reached!(cx, "a contact that seemed unreachable stayed silent");
                self.remove_unreachable(cx, &dead.aor, dead.binding);
            }
            Occasion::HealthCheck => {
                reached!(cx, "a health check found a dead contact");
                if self.location.remove(cx, &dead.aor, dead.binding) {
                    tracing::warn!(aor = dead.aor, "health check not answered: removed binding");
                }
            }
        }
    }

    fn remove_unreachable(&mut self, cx: &mut Context<'_>, aor: &str, binding: u64) {
        if self.location.remove(cx, aor, binding) {
            tracing::info!(aor, "removed unreachable binding");
        }
    }
}

impl Config {
    /// How a socket error is logged, by its kind.
    pub(super) fn log_of(&self, error: SocketError) -> LogLine {
        if error.is_unreachable() {
            self.unreachable_log
        } else {
            self.socket_error_log
        }
    }
}

impl LogLine {
    pub(super) fn write(
        self,
        over: Transport,
        peer: Option<SocketAddr>,
        error: SocketError,
        method: Option<&Method>,
    ) {
        use tracing::{Level, debug, error, info, trace, warn};
        let (peer, method) = (
            peer.map(tracing::field::display),
            method.map(tracing::field::display),
        );
        macro_rules! at {
            ($level:ident) => {
                match self.wording {
                    Wording::TargetUnreachable => {
                        $level!(peer, errno = error.errno, method, "target unreachable");
                    }
                    Wording::ServerError => $level!("{over} server error: {error}"),
                }
            };
        }
        match self.level {
            Level::ERROR => at!(error),
            Level::WARN => at!(warn),
            Level::INFO => at!(info),
            Level::DEBUG => at!(debug),
            Level::TRACE => at!(trace),
        }
    }
}
