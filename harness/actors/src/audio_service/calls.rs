//! Who is connected, and the way to reach them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use linefault_protocol::audiosocket::Uuid;
use linefault_protocol::audiosocket::session::Asker;
use tokio::sync::{Notify, oneshot};

use super::Config;
use crate::Host;

/// Which end of a call a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the report's")]
pub enum Leg {
    Visitor,
    Resident,
}

/// One life of the service: what its tasks share.
pub(super) struct Service {
    pub(super) host: Host,
    pub(super) config: Config,
    legs: RefCell<BTreeMap<(Uuid, Leg), Rc<Inbox>>>,
    sessions: Cell<u64>,
    stops: [Notify; 2],
}

/// What reaches a leg from elsewhere in the service.
#[derive(Default)]
pub(super) struct Inbox {
    wishes: RefCell<VecDeque<Wish>>,
    waker: Cell<Option<Waker>>,
}

/// Something that is wanted of a leg.
pub(super) enum Wish {
    /// Hang up; the answer goes to who asked, if somebody waits for one.
    HangUp(Asker, Option<oneshot::Sender<Answer>>),
    /// Send this frame.
    Send(Bytes),
}

/// What became of a hang-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is on its way.
    Sent,
    /// The peer was gone already.
    Gone,
    /// It could not be sent, for that reason.
    Failed(String),
}

impl Leg {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Visitor, Self::Resident];

    /// Its name in the API, in labels and log lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Resident => "resident",
        }
    }

    /// The leg of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leg| leg.name() == name)
    }

    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Visitor => Self::Resident,
            Self::Resident => Self::Visitor,
        }
    }
}

impl Service {
    pub(super) fn new(host: Host, config: Config) -> Self {
        Self {
            host,
            config,
            legs: RefCell::default(),
            sessions: Cell::default(),
            stops: [Notify::new(), Notify::new()],
        }
    }

    /// Where a leg connects to.
    pub(super) fn address(&self, leg: Leg) -> SocketAddr {
        let mut address = self.host.address();
        if leg == Leg::Resident {
            address.set_port(self.config.resident_port);
        }
        address
    }

    pub(super) fn is_free(&self, call: Uuid, leg: Leg) -> bool {
        !self.legs.borrow().contains_key(&(call, leg))
    }

    /// Puts a leg into the list; returns the number of its session.
    pub(super) fn enter(&self, call: Uuid, leg: Leg, inbox: &Rc<Inbox>) -> u64 {
        self.legs.borrow_mut().insert((call, leg), Rc::clone(inbox));
        self.sessions.set(self.sessions.get() + 1);
        self.sessions.get()
    }

    pub(super) fn remove(&self, call: Uuid, leg: Leg) {
        self.legs.borrow_mut().remove(&(call, leg));
    }

    pub(super) fn find(&self, call: Uuid, leg: Leg) -> Option<Rc<Inbox>> {
        self.legs.borrow().get(&(call, leg)).cloned()
    }

    /// The calls, each with its legs.
    pub(super) fn list(&self) -> BTreeMap<Uuid, Vec<Leg>> {
        let mut calls: BTreeMap<Uuid, Vec<Leg>> = BTreeMap::new();
        for (call, leg) in self.legs.borrow().keys() {
            calls.entry(*call).or_default().push(*leg);
        }
        calls
    }

    /// Hangs up on that leg of every call, or on all.
    pub(super) fn hang_up_all(&self, wanted: Option<Leg>) {
        for ((_, leg), inbox) in &*self.legs.borrow() {
            if wanted.is_none_or(|wanted| wanted == *leg) {
                inbox.push(Wish::HangUp(Asker::Flow, None));
            }
        }
    }

    /// Closes a leg's port for good.
    pub(super) fn stop(&self, leg: Leg) {
        self.stops[leg as usize].notify_one();
    }

    pub(super) async fn stopped(&self, leg: Leg) {
        self.stops[leg as usize].notified().await;
    }
}

impl Inbox {
    pub(super) fn push(&self, wish: Wish) {
        self.wishes.borrow_mut().push_back(wish);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Wish> {
        if let Some(wish) = self.wishes.borrow_mut().pop_front() {
            return Poll::Ready(wish);
        }
        self.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}
