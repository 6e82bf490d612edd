//! Running a host's tasks: one `LocalSet` per incarnation, polled by hand.
//!
//! No tokio runtime is entered for it, so `tokio::spawn` and `tokio::time` panic in a task with their own message. An
//! incarnation that is started as foreign has a runtime of its own instead: see the module `foreign`.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use tokio::task::LocalSet;

use crate::HostId;
#[cfg(feature = "foreign")]
use crate::foreign::Runtime;

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

impl HostWaker {
    fn list(&self) {
        self.listed.store(true, Ordering::Relaxed);
        self.woken.push(self.host);
    }
}

impl Wake for HostWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::Relaxed) {
            self.list();
        }
    }
}

/// One life of a host's process; dropping it drops all its tasks.
pub(crate) struct Incarnation {
    tasks: Tasks,
    listed: Arc<HostWaker>,
    waker: Waker,
}

enum Tasks {
    Set(RefCell<LocalSet>),
    #[cfg(feature = "foreign")]
    Foreign(Box<Runtime>),
}

impl Incarnation {
    pub(crate) fn new(host: HostId, woken: &Arc<Woken>) -> Self {
        Self::with(host, woken, |waker| {
            (Tasks::Set(RefCell::new(LocalSet::new())), waker)
        })
    }

    /// One that has the runtime that `build` gives, which lists the host through the waker that it is given.
    #[cfg(feature = "foreign")]
    pub(crate) fn foreign(
        host: HostId,
        woken: &Arc<Woken>,
        build: impl FnOnce(Waker) -> Runtime,
    ) -> Self {
        Self::with(host, woken, |waker| {
            let runtime = build(waker);
            let waker = runtime.waker();
            (Tasks::Foreign(Box::new(runtime)), waker)
        })
    }

    fn with(host: HostId, woken: &Arc<Woken>, build: impl FnOnce(Waker) -> (Tasks, Waker)) -> Self {
        let listed = Arc::new(HostWaker {
            host,
            listed: AtomicBool::new(false),
            woken: Arc::clone(woken),
        });
        let (tasks, waker) = build(Waker::from(Arc::clone(&listed)));
        Self {
            tasks,
            listed,
            waker,
        }
    }

    pub(crate) fn spawn<T: 'static>(
        &self,
        task: impl Future<Output = T> + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let handle = match &self.tasks {
            Tasks::Set(tasks) => match tasks.try_borrow() {
                Ok(tasks) => tasks.spawn_local(task),
                // The set is being polled, so the caller is one of its tasks and the set is tokio's current one.
                Err(_) => tokio::task::spawn_local(task),
            },
            #[cfg(feature = "foreign")]
            Tasks::Foreign(runtime) => runtime.spawn(task),
        };
        self.waker.wake_by_ref();
        handle
    }

    /// Has the host polled.
    #[cfg(feature = "foreign")]
    pub(crate) fn list(&self) {
        self.listed.list();
    }

    /// Lists the host again if it was woken while it was not to be polled.
    pub(crate) fn list_if_woken(&self) {
        #[cfg(feature = "foreign")]
        if self.runtime().is_some() {
            // Its timers may be overdue.
            return self.listed.list();
        }
        if self.listed.listed.load(Ordering::Relaxed) {
            self.listed.list();
        }
    }

    /// Runs the tasks that are ready; the host lists itself again if some are left.
    pub(crate) fn poll(&self) {
        self.listed.listed.store(false, Ordering::Relaxed);
        match &self.tasks {
            Tasks::Set(tasks) => {
                let mut tasks = tasks.borrow_mut();
                let _ended = Pin::new(&mut *tasks).poll(&mut Context::from_waker(&self.waker));
            }
            #[cfg(feature = "foreign")]
            Tasks::Foreign(runtime) => runtime.run(),
        }
    }

    /// The runtime of a foreign one.
    #[cfg(feature = "foreign")]
    pub(crate) fn runtime(&self) -> Option<&Runtime> {
        match &self.tasks {
            Tasks::Foreign(runtime) => Some(runtime),
            Tasks::Set(_) => None,
        }
    }
}
