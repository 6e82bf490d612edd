//! Tasks of a host: what becomes of them is recorded, and a panic stays within its task.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Weak;
use std::task::{Context, Poll};

use crate::HostId;
use crate::event::{Event, TaskEnd, TaskId};
use crate::state::Inner;

/// A spawned task. Dropping the handle leaves the task running.
///
/// Awaiting it gives its result. A task that was dropped together with its host never completes, as nothing does that
/// belongs to a process that is gone.
#[derive(Debug)]
pub struct Task<T> {
    handle: Option<tokio::task::JoinHandle<Option<T>>>,
    aborted: Cell<bool>,
}

/// Why a task has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskError {
    /// It panicked; the message is in the record [`Event::Panic`].
    Panicked,
    /// [`Task::abort`] came first.
    Aborted,
}

impl<T> Task<T> {
    pub(crate) const fn new(handle: Option<tokio::task::JoinHandle<Option<T>>>) -> Self {
        Self {
            handle,
            aborted: Cell::new(false),
        }
    }

    /// Drops the task at its next turn; no effect once it has ended.
    pub fn abort(&self) {
        self.aborted.set(true);
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }

    /// Whether it has ended, in whichever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle
            .as_ref()
            .is_none_or(tokio::task::JoinHandle::is_finished)
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(handle) = self.handle.as_mut() else {
            return Poll::Pending;
        };
        match Pin::new(handle).poll(cx) {
            Poll::Ready(Ok(Some(value))) => Poll::Ready(Ok(value)),
            Poll::Ready(Ok(None)) => Poll::Ready(Err(TaskError::Panicked)),
            Poll::Ready(Err(_)) if self.aborted.get() => Poll::Ready(Err(TaskError::Aborted)),
            Poll::Ready(Err(_)) => {
                self.handle = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked => "the task panicked",
            Self::Aborted => "the task was aborted",
        })
    }
}

impl std::error::Error for TaskError {}

/// The future that is really spawned: gives `None` if the inner one panicked, and records its end.
pub(crate) struct Guarded<F> {
    future: Pin<Box<F>>,
    network: Weak<Inner>,
    host: HostId,
    task: TaskId,
    end: TaskEnd,
}

impl<F> Guarded<F> {
    pub(crate) fn new(future: F, network: Weak<Inner>, host: HostId, task: TaskId) -> Self {
        Self {
            future: Box::pin(future),
            network,
            host,
            task,
            end: TaskEnd::Dropped,
        }
    }

    fn record(&self, event: Event) {
        if let Some(network) = self.network.upgrade() {
            network.with(|state| state.record(Some(self.host), event));
        }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = || self.future.as_mut().poll(cx);
        #[cfg(feature = "foreign")]
        let poll = || crate::foreign::aside(poll);
        let result = catch_unwind(AssertUnwindSafe(poll));
        match result {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => {
                self.end = TaskEnd::Completed;
                Poll::Ready(Some(value))
            }
            Err(panic) => {
                self.end = TaskEnd::Panicked;
                self.record(Event::Panic {
                    task: Some(self.task),
                    message: message(&*panic),
                });
                Poll::Ready(None)
            }
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        self.record(Event::TaskEnded {
            task: self.task,
            how: self.end,
        });
    }
}

pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}
