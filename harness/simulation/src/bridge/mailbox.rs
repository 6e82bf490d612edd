//! What an actor is told: at moments that were planned, or while it runs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use linefault_actors::catalogue::Command;

/// Something that an actor does because it is told to, or that is done in its name.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// The actor is told.
    Command(Command),
    /// These bytes leave its socket, behind its back.
    Send { to: SocketAddr, raw: Bytes },
}

/// What one actor has still to be told.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// By moment, then as planned.
    planned: VecDeque<(Duration, Act)>,
    told: VecDeque<Command>,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(super) fn plan(&mut self, moment: Duration, act: Act) {
        let place = self.planned.partition_point(|(at, _)| *at <= moment);
        self.planned.insert(place, (moment, act));
    }

    /// A life begins: what came due before it is lost.
    pub(super) fn begin(&mut self, now: Duration) {
        self.planned.retain(|(at, _)| *at >= now);
        self.told.clear();
    }

    /// What it was told while it runs; if nothing, `cx` is woken when there is something.
    pub(super) fn take_told(&mut self, cx: &Context<'_>) -> Option<Command> {
        self.waker = Some(cx.waker().clone());
        self.told.pop_front()
    }

    /// The moment of what is planned next.
    pub(super) fn next(&self) -> Option<Duration> {
        self.planned.front().map(|(at, _)| *at)
    }

    pub(super) fn take_planned(&mut self) -> Option<Act> {
        self.planned.pop_front().map(|(_, act)| act)
    }
}

/// Tells an actor what to do while it runs.
#[derive(Clone)]
pub struct Remote {
    mailbox: Rc<RefCell<Mailbox>>,
}

impl Remote {
    pub(super) fn of(mailbox: &Rc<RefCell<Mailbox>>) -> Self {
        let mailbox = Rc::clone(mailbox);
        Self { mailbox }
    }

    /// Puts a command in; the actor takes it when its host is next stepped. One that does not run never will.
    pub fn tell(&self, command: Command) {
        let mut mailbox = self.mailbox.borrow_mut();
        mailbox.told.push_back(command);
        if let Some(waker) = mailbox.waker.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}
