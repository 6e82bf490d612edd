//! One incarnation's tokio runtime, and its clock.
//!
//! The clock is paused, so that tokio moves it only where nothing is ready: to its next timer. Two futures drive the
//! runtime. One runs what is ready and leaves before the clock can move; the other lets the clock move and leaves before
//! anything can run. Both rely on one property of tokio's current-thread scheduler: a woken root future is polled before
//! any task. If a release changes that, the tests of this crate say so.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Weak;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, RuntimeMetrics};
use tokio::task::{JoinHandle, LocalSet};

use super::Watch;
use super::alarm::{Alarm, Driver};
use crate::state::Inner;
use crate::{HostId, Instant};

/// tokio's timers come due at multiples of this, counted from the runtime's beginning.
const GRID: Duration = Duration::from_millis(1);

/// How often the clock may refuse to move, because of a wake-up that is long past, before that is taken for an answer.
const REFUSALS: u32 = 3;

/// A runtime whose clock never is ahead of the engine's. Dropping it drops all tasks.
pub(crate) struct Runtime {
    tokio: Option<tokio::runtime::Runtime>,
    metrics: RuntimeMetrics,
    /// Tasks that need not be `Send`: the main one among them.
    tasks: LocalSet,
    driver: Arc<Driver>,
    /// Goes off when nothing is ready.
    idle: Arc<Alarm>,
    /// Goes off when the clock has moved, or might have.
    moved: Arc<Alarm>,
    /// The engine's time and tokio's at the runtime's beginning.
    origin: (Instant, tokio::time::Instant),
    clock: Cell<Instant>,
    watch: Watch,
}

impl Runtime {
    /// A runtime that begins `now`; through `lister` it has its host polled.
    ///
    /// Its first millisecond began with the engine's, so that all runtimes' timers lie on the same grid.
    pub(crate) fn new(network: Weak<Inner>, host: HostId, now: Instant, lister: Waker) -> Self {
        let (idle, moved) = (Arc::<Alarm>::default(), Arc::<Alarm>::default());
        let (parks, unparks) = (Arc::clone(&idle), Arc::clone(&moved));
        let tokio = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(move || parks.go_off())
            .on_thread_unpark(move || unparks.go_off())
            .build()
            .expect("a runtime without I/O needs nothing that could be refused");
        let began = floor(now);
        let entered = tokio.enter();
        let origin = (began, tokio::time::Instant::now());
        drop(entered);
        Self {
            metrics: tokio.metrics(),
            tokio: Some(tokio),
            tasks: LocalSet::new(),
            driver: Arc::new(Driver::new(lister)),
            idle,
            moved,
            origin,
            clock: Cell::new(began),
            watch: Watch::new(network, host),
        }
    }

    /// Has the host polled, or goes on with it while it is.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.driver))
    }

    pub(crate) fn spawn<T: 'static>(
        &self,
        task: impl Future<Output = T> + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn_local(task)
    }

    /// Whether a task was woken from outside since the last run.
    pub(crate) fn is_woken(&self) -> bool {
        self.metrics.global_queue_depth() > 0
    }

    /// Whether its clock stands where timers can come due.
    pub(super) fn is_on_grid(&self) -> bool {
        self.clock.get() == floor(self.clock.get())
    }

    /// Fires the timers that are due by the engine's now, and runs tasks until none is ready.
    pub(crate) fn run(&self) {
        let _watching = self.watch.begin();
        let mut timers_may_be_due = self.catch_up();
        self.idle.clear();
        self.moved.clear();
        let idle = poll_fn(|cx| {
            if timers_may_be_due {
                // Woken at once, tokio looks for them, but does not wait for one.
                timers_may_be_due = false;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.idle.has_gone_off() {
                return Poll::Ready(());
            }
            self.idle.set(cx.waker());
            Poll::Pending
        });
        let waker = self.waker();
        self.tokio().block_on(async {
            let mut running = pin!(self.tasks.run_until(idle));
            poll_fn(|cx| {
                self.driver.drive(Some(cx.waker().clone()));
                running.as_mut().poll(&mut Context::from_waker(&waker))
            })
            .await;
        });
        self.driver.drive(None);
        self.watch.go_on();
    }

    /// Moves the clock, which stands on the grid, to the next timer or to `until`, a later place on it. Tasks whose timers
    /// are due there are ready then, but have not run. Where it stands now; unmoved only after a task was woken.
    #[expect(clippy::disallowed_methods, reason = "tokio's clock is the point")]
    pub(super) fn jump(&self, until: Instant) -> Instant {
        let before = self.clock.get();
        self.idle.clear();
        self.moved.clear();
        let reached = self.tokio().block_on(async {
            let mut limit = pin!(tokio::time::sleep_until(self.in_tokio(until)));
            let mut refusals = 0;
            poll_fn(|cx| {
                let reached = self.read_clock();
                let limited = limit.as_mut().poll(cx).is_ready();
                if self.moved.has_gone_off() {
                    refusals += 1;
                    if reached > before || limited || refusals == REFUSALS {
                        return Poll::Ready(reached);
                    }
                }
                self.moved.set(cx.waker());
                Poll::Pending
            })
            .await
        });
        self.clock.set(reached);
        reached
    }

    /// Moves the clock to where the engine is, without running anything; false if it is there already.
    fn catch_up(&self) -> bool {
        let now = self.watch.now().unwrap_or(self.clock.get());
        let behind = now.since(self.clock.get());
        if behind.is_zero() {
            return false;
        }
        let _entered = self.tokio().enter();
        // The first poll moves the clock. What it waits for then is another turn, which the runtime gives by itself.
        let advance = pin!(tokio::time::advance(behind));
        let _turn = advance.poll(&mut Context::from_waker(Waker::noop()));
        self.clock.set(now);
        true
    }

    fn in_tokio(&self, at: Instant) -> tokio::time::Instant {
        self.origin.1 + at.since(self.origin.0)
    }

    /// Within the runtime: where tokio's clock stands.
    fn read_clock(&self) -> Instant {
        self.origin.0 + (tokio::time::Instant::now() - self.origin.1)
    }

    fn tokio(&self) -> &tokio::runtime::Runtime {
        self.tokio
            .as_ref()
            .expect("it is there until it is dropped")
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let Some(tokio) = self.tokio.take() else {
            return;
        };
        // Destructors may look for their runtime.
        let entered = tokio.enter();
        drop(std::mem::take(&mut self.tasks));
        drop(entered);
        // A thread that the code should not have started is not waited for.
        tokio.shutdown_background();
    }
}

/// The last moment, by then, at which timers can come due.
pub(super) fn floor(at: Instant) -> Instant {
    let grid = u64::try_from(GRID.as_micros()).unwrap_or(1);
    Instant::from_micros(at.as_micros() / grid * grid)
}

/// The first moment after that one at which timers can come due.
pub(super) fn after(at: Instant) -> Instant {
    floor(at) + GRID
}
