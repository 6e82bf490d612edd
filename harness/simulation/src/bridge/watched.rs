//! A task of an actor whose moments and log lines are recorded.

use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use linefault_actors::LocalFuture;

use super::backend;
use super::recording::Recording;
use crate::logging;
use crate::trace::LogLine;

/// turmoil's own lines: "Bind", "Unbind" and the like. The actor did not write them.
const TURMOIL: &str = "turmoil";

/// Where a host's doings are recorded.
pub(super) struct Watch {
    recording: Recording,
    address: SocketAddr,
}

impl Watch {
    pub(super) fn new(recording: Recording, address: SocketAddr) -> Self {
        Self { recording, address }
    }
}

impl logging::Sink for Watch {
    fn take(&self, target: &'static str, line: LogLine) {
        if target != TURMOIL {
            self.recording.logged(self.address, line);
        }
    }
}

/// A future that is polled under its host's watch, if it has one.
pub(super) struct Watched<T> {
    inner: LocalFuture<T>,
    watch: Option<Rc<Watch>>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: LocalFuture<T>, watch: Option<Rc<Watch>>) -> Self {
        Self { inner, watch }
    }
}

impl<T> Future for Watched<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(watch) = self.watch.clone() else {
            return self.inner.as_mut().poll(cx);
        };
        watch.recording.set_now(backend::now());
        logging::into(watch, || self.inner.as_mut().poll(cx))
    }
}
