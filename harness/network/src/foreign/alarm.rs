//! How a runtime's hooks wake the future that drives the runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Set by one who waits, gone off by another's doing.
#[derive(Default)]
pub(super) struct Alarm {
    gone_off: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Alarm {
    /// Forgets whatever happened, and wakes nobody.
    pub(super) fn clear(&self) {
        self.gone_off.store(false, Ordering::Relaxed);
        self.replace(None);
    }

    /// Wakes that one, once.
    pub(super) fn set(&self, waker: &Waker) {
        self.replace(Some(waker.clone()));
    }

    pub(super) fn go_off(&self) {
        self.gone_off.store(true, Ordering::Relaxed);
        if let Some(waker) = self.replace(None) {
            waker.wake();
        }
    }

    /// Whether it has gone off since the last call.
    pub(super) fn has_gone_off(&self) -> bool {
        self.gone_off.swap(false, Ordering::Relaxed)
    }

    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut own = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *own, waker)
    }
}

/// Wakes whoever drives the runtime, or has the host polled while nobody does.
pub(super) struct Driver {
    host: Waker,
    driving: Mutex<Option<Waker>>,
}

impl Driver {
    pub(super) fn new(host: Waker) -> Self {
        Self {
            host,
            driving: Mutex::default(),
        }
    }

    pub(super) fn drive(&self, driving: Option<Waker>) {
        let mut own = self.driving.lock().unwrap_or_else(PoisonError::into_inner);
        *own = driving;
    }
}

impl Wake for Driver {
    fn wake(self: std::sync::Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &std::sync::Arc<Self>) {
        let driving = self.driving.lock().unwrap_or_else(PoisonError::into_inner);
        driving.as_ref().unwrap_or(&self.host).wake_by_ref();
    }
}
