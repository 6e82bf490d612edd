//! Sleeping in virtual time.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::event::{Event, RecordId, TimerClass, TimerId};
use crate::queue::{Rank, Ticket};
use crate::state::{Happening, Inner, State};
use crate::{HostId, Instant};

/// Completes at its moment, never within the poll that sets it: a moment in the past is as good as now.
///
/// The timer is set at the first poll; dropping the future cancels it. [`Instant::FAR_FUTURE`] is never: it sets none
/// and keeps no run from being idle. Nor does a handle whose incarnation has ended set one, or ever complete.
#[derive(Debug)]
pub struct Sleep {
    network: Weak<Inner>,
    host: HostId,
    incarnation: u32,
    due: Instant,
    class: TimerClass,
    timer: Option<(Ticket, Rc<TimerCell>)>,
}

/// What a sleeper and the queue share.
#[derive(Debug)]
pub(crate) struct TimerCell {
    id: TimerId,
    host: HostId,
    due: Instant,
    /// Whether somebody waits for it, as far as the engine counts.
    counted: Cell<bool>,
    set: RecordId,
    fired: Cell<Option<RecordId>>,
    waker: RefCell<Option<Waker>>,
}

impl TimerCell {
    /// Its place in the order of coming due.
    pub(crate) fn key(&self) -> (Instant, TimerId) {
        (self.due, self.id)
    }
}

impl Sleep {
    pub(crate) const fn new(
        network: Weak<Inner>,
        host: HostId,
        incarnation: u32,
        due: Instant,
        class: TimerClass,
    ) -> Self {
        Self {
            network,
            host,
            incarnation,
            due,
            class,
            timer: None,
        }
    }

    /// When it completes.
    #[must_use]
    pub const fn due(&self) -> Instant {
        self.due
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(network) = self.network.upgrade() else {
            return Poll::Pending;
        };
        let alive = network.with(|state| state.machine(self.host).is_alive(self.incarnation));
        if !alive || self.due == Instant::FAR_FUTURE {
            return Poll::Pending;
        }
        if self.timer.is_none() {
            self.timer =
                Some(network.with(|state| state.set_timer(self.host, self.due, self.class)));
        }
        let Some((_, cell)) = &self.timer else {
            return Poll::Pending;
        };
        if let Some(fired) = cell.fired.get() {
            network.with(|state| state.cause = Some(fired));
            return Poll::Ready(());
        }
        let previous = cell.waker.replace(Some(cx.waker().clone()));
        drop(previous);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let (Some((ticket, cell)), Some(network)) = (self.timer.take(), self.network.upgrade())
        else {
            return;
        };
        if cell.fired.get().is_none() {
            // Taken out before it is dropped: its waker may hold a task.
            let _cancelled = network.with(|state| state.cancel_timer(ticket, &cell));
        }
    }
}

impl State {
    fn set_timer(
        &mut self,
        host: HostId,
        due: Instant,
        class: TimerClass,
    ) -> (Ticket, Rc<TimerCell>) {
        self.last_timer += 1;
        let id = TimerId(self.last_timer);
        let due = due.max(self.now);
        let set = self.record(
            Some(host),
            Event::TimerSet {
                timer: id,
                due,
                class,
            },
        );
        let fired = Cell::new(None);
        let cell = Rc::new(TimerCell {
            id,
            host,
            due,
            counted: Cell::new(class == TimerClass::Foreground),
            set,
            fired,
            waker: RefCell::new(None),
        });
        if class == TimerClass::Foreground {
            self.foreground_timers += 1;
        }
        (
            self.queue
                .push(due, Rank::Ordinary, Happening::Timer(Rc::clone(&cell))),
            cell,
        )
    }

    fn cancel_timer(&mut self, ticket: Ticket, cell: &TimerCell) -> Option<Happening> {
        let overdue = |state: &mut Self| {
            let kept = state.machine_mut(cell.host).frozen.take_overdue(cell.key());
            kept.map(Happening::Timer)
        };
        let cancelled = self.queue.cancel(ticket);
        let happening = cancelled.or_else(|| overdue(self))?;
        self.uncount(cell);
        self.record(Some(cell.host), Event::TimerCancelled { timer: cell.id });
        Some(happening)
    }

    /// Fires a timer, unless the process that it is for is stopped.
    pub(crate) fn timer_due(&mut self, cell: Rc<TimerCell>) {
        if self.machine(cell.host).frozen.is_frozen() {
            self.keep_overdue(cell.host, cell);
        } else {
            self.fire(&cell);
        }
    }

    pub(crate) fn fire(&mut self, cell: &TimerCell) {
        self.uncount(cell);
        let fired = self.record_caused(
            Some(cell.host),
            Some(cell.set),
            Event::TimerFired { timer: cell.id },
        );
        cell.fired.set(Some(fired));
        self.wakes.extend(cell.waker.take());
    }

    pub(crate) fn uncount(&mut self, cell: &TimerCell) {
        if cell.counted.replace(false) {
            self.foreground_timers -= 1;
        }
    }
}
