//! One life of a token service: its listener, and what its connections share.

use std::cell::Cell;
use std::rc::Rc;

use super::config::{Config, FailKind};
use super::connection;
use super::entry::GENERATING;
use super::metrics::Metrics;
use super::source::Session;
use super::{Tap, TokenService};
use crate::{Host, Injected};

/// What the connections of one life share.
pub(super) struct Service {
    pub(super) host: Host,
    pub(super) config: Config,
    pub(super) tap: Option<fn() -> Box<dyn Tap>>,
    pub(super) metrics: Metrics,
    pub(super) draining: Cell<bool>,
    streams: Cell<u64>,
    requests: Cell<u64>,
    failures: Cell<u64>,
}

/// Why the source gave no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceError {
    /// What was asked for makes no sense to it.
    Value,
    /// It was asked too often.
    RateLimited,
    /// It took too long.
    TimedOut,
    /// Anything else: the program's own mistake.
    Other(String),
}

impl From<Injected> for SourceError {
    fn from(injected: Injected) -> Self {
        Self::Other(injected.to_string())
    }
}

/// Serves on the host's address for as long as the host lives.
pub(super) async fn serve(host: Host, actor: TokenService) {
    let listener = match host.listen_tcp(host.address()).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot open the socket");
            return;
        }
    };
    tracing::info!(
        environment = actor.config.environment.as_str(),
        "token service is up"
    );
    let service = Rc::new(Service::new(host.clone(), actor));
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => match accepted {
                Ok(stream) => host.spawn(connection::serve(Rc::clone(&service), stream)),
                Err(error) => tracing::warn!(%error, "cannot accept a connection"),
            },
            // "drain" is all that it can be told.
            _ = host.next_command() => {
                tracing::info!("draining");
                service.draining.set(true);
            }
        }
    }
}

impl Service {
    fn new(host: Host, actor: TokenService) -> Self {
        Self {
            host,
            config: actor.config,
            tap: actor.tap,
            metrics: Metrics::new(),
            draining: Cell::new(false),
            streams: Cell::new(0),
            requests: Cell::new(0),
            failures: Cell::new(0),
        }
    }

    /// The number of the next stream.
    pub(super) fn next_stream(&self) -> u64 {
        next(&self.streams)
    }

    /// A name for a request that has none.
    pub(super) fn next_request(&self) -> String {
        format!("{}-{}", self.host.name(), next(&self.requests))
    }

    /// The token of that number, unless the source fails.
    pub(super) fn token(&self, session: Session, number: u64) -> Result<String, SourceError> {
        self.host.at_point(GENERATING)?;
        let fails = self.config.fail.filter(|fail| fail.at == number);
        match fails.filter(|fail| next(&self.failures) <= fail.times) {
            None => Ok(session.token(self.config.seed, number)),
            Some(fail) => Err(match fail.kind {
                FailKind::Value => SourceError::Value,
                FailKind::RateLimit => SourceError::RateLimited,
                FailKind::TimeOut => SourceError::TimedOut,
            }),
        }
    }
}

fn next(counter: &Cell<u64>) -> u64 {
    counter.set(counter.get() + 1);
    counter.get()
}
