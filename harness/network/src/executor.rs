//! Running a host's tasks: one `LocalSet` per incarnation, polled by hand.
//!
//! No tokio runtime is ever entered, so `tokio::spawn` and `tokio::time` panic in a task with their own message.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use tokio::task::LocalSet;

use crate::HostId;

/// The hosts to poll, in the order of waking.
#[derive(Default)]
pub(crate) struct Woken {
    hosts: Mutex<Vec<HostId>>,
}

impl Woken {
    /// Takes all of them, in order of number, and leaves the memory of `hosts`, which is empty, for the next.
    pub(crate) fn take(&self, hosts: &mut Vec<HostId>) {
        std::mem::swap(
            hosts,
            &mut *self.hosts.lock().unwrap_or_else(PoisonError::into_inner),
        );
        hosts.sort_unstable();
        hosts.dedup();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn push(&self, host: HostId) {
        self.hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(host);
    }
}

/// Puts its host on the list, once until it is polled.
struct HostWaker {
    host: HostId,
    listed: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for HostWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::Relaxed) {
            self.woken.push(self.host);
        }
    }
}

/// One life of a host's process; dropping it drops all its tasks.
pub(crate) struct Incarnation {
    tasks: RefCell<LocalSet>,
    listed: Arc<HostWaker>,
    waker: Waker,
}

impl Incarnation {
    pub(crate) fn new(host: HostId, woken: &Arc<Woken>) -> Self {
        let listed = Arc::new(HostWaker {
            host,
            listed: AtomicBool::new(false),
            woken: Arc::clone(woken),
        });
        Self {
            tasks: RefCell::new(LocalSet::new()),
            waker: Waker::from(Arc::clone(&listed)),
            listed,
        }
    }

    pub(crate) fn spawn<T: 'static>(
        &self,
        task: impl Future<Output = T> + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let handle = match self.tasks.try_borrow() {
            Ok(tasks) => tasks.spawn_local(task),
            // The set is being polled, so the caller is one of its tasks and the set is tokio's current one.
            Err(_) => tokio::task::spawn_local(task),
        };
        self.waker.wake_by_ref();
        handle
    }

    /// Lists the host again if it was woken while it was not to be polled.
    pub(crate) fn list_if_woken(&self) {
        if self.listed.listed.load(Ordering::Relaxed) {
            self.listed.woken.push(self.listed.host);
        }
    }

    /// Runs the tasks that are ready; the host lists itself again if some are left.
    pub(crate) fn poll(&self) {
        self.listed.listed.store(false, Ordering::Relaxed);
        let mut tasks = self.tasks.borrow_mut();
        let _ended = Pin::new(&mut *tasks).poll(&mut Context::from_waker(&self.waker));
    }
}
