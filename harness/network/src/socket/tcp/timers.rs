//! A connection's deadlines: sending again, probing, acknowledging, keeping alive, lingering.

use std::time::Duration;

use bytes::Bytes;

use super::connection::{Connection, Owner};
use super::{ConnectionState, rtt};
use crate::Instant;
use crate::platform::SocketErrorKind;
use crate::segment::{Flags, Segment};

use ConnectionState as Is;
use SocketErrorKind as Kind;

/// `tcp_syn_retries`, `tcp_synack_retries`, `tcp_retries2`, and what `tcp_orphan_retries` = 0 means.
const SYN_RETRIES: u32 = 6;
const SYN_ACK_RETRIES: u32 = 5;
const RETRIES: u32 = 15;
const ORPHAN_RETRIES: u32 = 8;
/// The last wait of a connect: the formula says 64 s, and 135 s in all is what was measured.
const LAST_SYN_WAIT: Duration = Duration::from_secs(72);
/// A shorter one would flood; Linux takes whole seconds.
const INTERVAL_MIN: Duration = Duration::from_millis(1);

impl Connection {
    /// When [`Self::at_deadline`] must be called next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = match (self.send.due, self.patience_ends()) {
            (Some(due), Some(end)) => Some(due.min(end)),
            (due, _) => due,
        };
        let others = earlier(self.linger_due, self.keepalive_due);
        earlier(earlier(due, self.ack_due), others)
    }

    /// When `TCP_USER_TIMEOUT` ends the connection, unless the peer acknowledges something before (RFC 5482).
    fn patience_ends(&self) -> Option<Instant> {
        Some(self.send.waiting_since? + self.user_timeout?)
    }

    /// Does what is due; called too early, it does nothing.
    pub(super) fn at_deadline(&mut self, now: Instant, out: &mut Vec<Segment>) {
        if self.ack_due.is_some_and(|due| due <= now) {
            self.acknowledge(out);
        }
        if self.linger_due.is_some_and(|due| due <= now) {
            return self.end();
        }
        if self.send.due.is_some() && self.patience_ends().is_some_and(|end| end <= now) {
            return self.give_up();
        }
        if self.send.due.is_some_and(|due| due <= now) {
            self.send_again(now, out);
        }
        if self.keepalive_due.is_some_and(|due| due <= now) {
            self.probe_alive(now, out);
        }
    }

    /// The retransmission time-out, or the time to probe a closed window.
    fn send_again(&mut self, now: Instant, out: &mut Vec<Segment>) {
        let blocked = !self.send.outstanding();
        let tries = if blocked {
            self.send.unanswered
        } else {
            self.send.retries
        };
        if tries >= self.retry_limit() {
            return self.give_up();
        }
        self.send.retries += 1;
        match self.state {
            Is::SynSent | Is::SynReceived => self.open(now, out),
            _ if blocked => {
                self.send.unanswered += 1;
                // As Linux does: what is acknowledged already draws an answer that tells the window.
                let probe = self.segment(self.send.position() - 1, Flags::ACK, Bytes::new());
                out.push(probe);
            }
            _ => {
                self.send.rewind();
                self.flush(now, out);
            }
        }
        let last = self.state == Is::SynSent && self.send.retries == SYN_RETRIES;
        let wait = if last {
            LAST_SYN_WAIT
        } else {
            self.send.timeout()
        };
        self.send.due = Some(now + wait.min(rtt::MAX));
    }

    const fn retry_limit(&self) -> u32 {
        match (self.state, self.owner) {
            (Is::SynSent, _) => SYN_RETRIES,
            (Is::SynReceived, _) => SYN_ACK_RETRIES,
            (_, Owner::Kernel) => ORPHAN_RETRIES,
            _ => RETRIES,
        }
    }

    /// `tcp_write_err`: what a router has said explains more than the time that has passed.
    fn give_up(&mut self) {
        match self.soft.take() {
            Some(soft) => self.fail(soft.kind, soft.cause),
            None => self.fail(Kind::TimedOut, None),
        }
    }

    /// Begins to watch the peer's silence, if that was asked for.
    pub(super) fn start_keepalive(&mut self, now: Instant) {
        self.keepalive_probes = 0;
        let watched = self.is_synchronised() && self.owner != Owner::Kernel;
        self.keepalive_due = self
            .keepalive
            .filter(|_| watched)
            .map(|keepalive| now + keepalive.idle);
    }

    /// `tcp_keepalive_timer`: what is under way has its own time-out.
    fn probe_alive(&mut self, now: Instant, out: &mut Vec<Segment>) {
        let Some(keepalive) = self.keepalive else {
            return;
        };
        let quiet_until = self.last_heard + keepalive.idle;
        if self.keepalive_probes == 0 && quiet_until > now {
            self.keepalive_due = Some(quiet_until);
            return;
        }
        self.keepalive_due = Some(now + keepalive.interval.max(INTERVAL_MIN));
        if self.send.outstanding() {
            return;
        }
        let patience = self
            .user_timeout
            .is_some_and(|patience| now - self.last_heard >= patience);
        let exhausted = match self.user_timeout {
            Some(_) => patience && self.keepalive_probes > 0,
            None => self.keepalive_probes >= keepalive.count,
        };
        if exhausted {
            self.abort(out);
            return self.give_up();
        }
        self.keepalive_probes += 1;
        let probe = self.segment(self.send.position() - 1, Flags::ACK, Bytes::new());
        out.push(probe);
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
