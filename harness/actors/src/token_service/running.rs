//! One stream from its beginning to its end, whichever way it ends: what is logged, counted and reported.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use linefault_protocol::sse::{Failure, FailureKind};

use super::service::Service;
use super::source::Session;
use crate::checkpoint::reached;
use crate::{Instant, Report};

/// A stream that has begun.
pub(super) struct Running {
    service: Rc<Service>,
    id: u64,
    began: Instant,
    over: bool,
    /// As in `X-Request-ID`.
    pub(super) request_id: String,
    /// What it is generated from.
    pub(super) session: Session,
    /// How many tokens are behind it, those before a resumption included.
    pub(super) position: u64,
}

impl Running {
    /// Begins, and says so.
    pub(super) fn begin(
        service: &Rc<Service>,
        peer: SocketAddr,
        request_id: String,
        session: Session,
        position: u64,
    ) -> Self {
        let id = service.next_stream();
        tracing::info!(request_id, position, "stream started");
        service.host.report(Report::Opened {
            kind: "stream",
            id,
            label: request_id.clone(),
            target: Some(peer),
        });
        Self {
            began: service.host.now(),
            service: Rc::clone(service),
            id,
            over: false,
            request_id,
            session,
            position,
        }
    }

    /// How much of its time is left.
    pub(super) fn time_left(&self) -> Duration {
        let end = self.began + self.service.config.limits.time;
        end.since(self.service.host.now())
    }

    /// When its connection is given up.
    pub(super) fn patience_ends(&self) -> Instant {
        let limits = &self.service.config.limits;
        self.began + limits.time + limits.patience
    }

    /// Every token is out.
    pub(super) fn complete(&mut self) {
        reached!(self.service.host, "a stream was completed");
        let tokens = self.position;
        tracing::info!(request_id = self.request_id, tokens, "stream complete");
        self.close();
    }

    /// It fails. Only the program's own mistakes are errors in its log.
    pub(super) fn fail(&mut self, failure: &Failure) {
        reached!(self.service.host, "a stream failed");
        let (request_id, tokens) = (&self.request_id, self.position);
        let (kind, why) = (failure.kind.as_str(), &failure.message);
        if failure.kind == FailureKind::System {
            tracing::error!(request_id, kind, why, tokens, "stream failed");
        } else {
            tracing::warn!(request_id, kind, why, tokens, "stream failed");
        }
        if self.service.config.counts_errors {
            self.service.metrics.failed(failure.kind);
        }
        self.close();
    }

    /// Its connection is gone before its end.
    pub(super) fn abandon(&mut self, why: &str) {
        reached!(
            self.service.host,
            "a client left before the end of its stream"
        );
        let tokens = self.position;
        tracing::info!(request_id = self.request_id, tokens, why, "client left");
        self.close();
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn close(&mut self) {
        let host = &self.service.host;
        self.over = true;
        self.service.metrics.ended(host.now().since(self.began));
        host.report(Report::Closed {
            kind: "stream",
            id: self.id,
        });
    }
}
