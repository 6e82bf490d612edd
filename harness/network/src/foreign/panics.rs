//! Panics in tasks that tokio runs: tokio keeps them to itself, so that nobody hears of one whose handle was dropped.
//!
//! Only the process's panic hook sees them all. A panic in a task of [`Host::spawn`](crate::Host::spawn) is not meant: that
//! one is caught and recorded where it happens.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::rc::{Rc, Weak};
use std::sync::{Mutex, PoisonError};

use crate::event::Event;
use crate::state::Inner;
use crate::task::message;
use crate::{HostId, Instant};

/// Whether the hook is set, and the lock for setting it.
static HOOKED: Mutex<bool> = Mutex::new(false);

thread_local! {
    /// Whose panics are to be recorded.
    static WATCHED: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Sets the process's panic hook as [`std::panic::set_hook`] does, without losing the panics of foreign hosts: a hook
/// that is set otherwise after the first [`Network::start_foreign`](crate::Network::start_foreign) hides those in tasks of
/// `tokio::spawn`.
pub fn set_panic_hook(hook: impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static) {
    let mut hooked = HOOKED.lock().unwrap_or_else(PoisonError::into_inner);
    set(Box::new(hook));
    *hooked = true;
}

/// Sees to it that the hook is set.
pub(super) fn watch() {
    let mut hooked = HOOKED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*hooked {
        set(panic::take_hook());
        *hooked = true;
    }
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

fn set(then: Hook) {
    panic::set_hook(Box::new(move |panic| {
        // Not while the thread ends, nor for a panic in the recording itself.
        let _ = WATCHED.try_with(|watched| {
            if let Ok(watched) = watched.try_borrow()
                && let Some(watch) = &*watched
            {
                watch.record(message(panic.payload()));
            }
        });
        then(panic);
    }));
}

/// Records panics as one host's.
#[derive(Clone)]
pub(crate) struct Watch {
    network: Weak<Inner>,
    host: HostId,
    /// A panic of the engine's own, which tokio has caught.
    engine: Rc<RefCell<Option<String>>>,
}

impl Watch {
    pub(crate) fn new(network: Weak<Inner>, host: HostId) -> Self {
        Self {
            network,
            host,
            engine: Rc::default(),
        }
    }

    /// Until the guard is dropped.
    pub(super) fn begin(&self) -> Watching {
        Watching(WATCHED.replace(Some(self.clone())))
    }

    /// The engine's time, as long as there is an engine.
    pub(super) fn now(&self) -> Option<Instant> {
        Some(self.network.upgrade()?.with(|state| state.now))
    }

    fn record(&self, message: String) {
        let Some(network) = self.network.upgrade() else {
            return;
        };
        let recorded = network.with_if_free(|state| {
            let panic = Event::Panic {
                task: None,
                message: message.clone(),
            };
            state.record(Some(self.host), panic)
        });
        if recorded.is_none() {
            self.engine.replace(Some(message));
        }
    }

    /// Goes on with a panic of the engine's own, which no task may keep to itself.
    pub(super) fn go_on(&self) {
        if let Some(message) = self.engine.take() {
            panic::resume_unwind(Box::new(message));
        }
    }
}

/// Puts back what was there before.
pub(super) struct Watching(Option<Watch>);

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHED.set(self.0.take());
    }
}

/// Does something whose panics the caller catches and records.
pub(crate) fn aside<T>(work: impl FnOnce() -> T) -> T {
    let _watching = Watching(WATCHED.take());
    work()
}
