//! Calls that wait for a line.
//!
//! Owns who has a line of which callee, who waits and at which place, and telling the callers so (RFC 3261 §21.1.4).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::call::Side;
use super::{B2bua, B2buaTurn, Due, Event, News};
use crate::sip::Status;

/// All callees with calls, by their address-of-record.
pub(super) type Lines = BTreeMap<String, Line>;

/// The lines of one callee.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    taken: BTreeSet<u64>,
    waiting: VecDeque<u64>,
}

// RFC 3261 §13.3.1.1: a UAS that needs more time than 60 s says so every minute, or a proxy may give up.
const NOTICE: Duration = Duration::from_secs(60);

impl B2bua {
    /// Gives a new call a line of its callee, or a place in the queue for one.
    pub(super) fn take_line(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let uri = call.callee.clone();
        if let Some(lines) = self.config.lines {
            let name = uri.address_of_record();
            call.line = Some(name.clone());
            let line = self.lines.entry(name).or_default();
            if line.taken.len() >= lines {
                line.waiting.push_back(id);
                let place = line.waiting.len();
                return self.say_place(turn, id, place);
            }
            line.taken.insert(id);
        }
        turn.above.push(Event::Locate { call: id, uri });
    }

    /// A call that is over makes way for those that wait; so does one that leaves the queue.
    pub(super) fn leave_line(&mut self, turn: &mut B2buaTurn<'_>, id: u64, name: Option<&str>) {
        let (Some(name), Some(lines)) = (name, self.config.lines) else {
            return;
        };
        let Some(line) = self.lines.get_mut(name) else {
            return;
        };
        line.taken.remove(&id);
        let left = line.waiting.iter().position(|waiting| *waiting == id);
        let mut moved_from = left.unwrap_or(line.waiting.len());
        line.waiting.retain(|waiting| *waiting != id);
        let mut served = Vec::new();
        while line.taken.len() < lines
            && let Some(next) = line.waiting.pop_front()
        {
            line.taken.insert(next);
            served.push(next);
            moved_from = 0;
        }
        let moved = line.waiting.iter().copied().enumerate().skip(moved_from);
        let moved: Vec<_> = moved.collect();
        if line.taken.is_empty() {
            self.lines.remove(name);
        }
        for next in served {
            self.due.set(Due::Notice(next), None);
            if let Some(call) = self.calls.get(&next) {
                let uri = call.callee.clone();
                turn.above.push(Event::Locate { call: next, uri });
            }
        }
        for (place, waiting) in moved {
            self.say_place(turn, waiting, place + 1);
        }
    }

    /// Says again where a call stands in the queue.
    pub(super) fn notice_due(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        let name = self.calls.get(&id).and_then(|call| call.line.as_deref());
        let line = name.and_then(|name| self.lines.get(name));
        let place = line.and_then(|line| line.waiting.iter().position(|it| *it == id));
        if let Some(place) = place {
            self.say_place(turn, id, place + 1);
        }
    }

    fn say_place(&mut self, turn: &mut B2buaTurn<'_>, id: u64, place: usize) {
        self.due.set(Due::Notice(id), Some(turn.now + NOTICE));
        self.tell(turn, id, News::Queued(place));
        let reason = format!("Queued; position {place}");
        self.progress(turn, id, Side::Caller, Status::QUEUED, &reason, None);
    }
}
