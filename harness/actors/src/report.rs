//! The transaction layer's notes in the words of an actor's trace.

use linefault_protocol::sip::transaction::{self, Event, Kind, State, Timer};

use crate::{Report, TimerChange};

/// The note for the trace, if it concerns a transaction.
pub(crate) fn of(report: transaction::Report) -> Option<Report> {
    use transaction::Report as Note;
    Some(match report {
        Note::Opened {
            transaction,
            branch,
            method,
            ..
        } => Report::Opened {
            kind: "transaction",
            id: transaction.number(),
            label: format!("{method} {branch}"),
            target: None,
        },
        Note::Closed { transaction } => Report::Closed {
            kind: "transaction",
            id: transaction.number(),
        },
        Note::State {
            transaction,
            machine,
            from,
            to,
            on,
        } => Report::State {
            machine: kind(machine),
            id: transaction.number(),
            from: state(from),
            to: state(to),
            on: event(on),
        },
        Note::TimerSet {
            transaction,
            timer,
            at,
        } => timed(transaction, timer, TimerChange::Set(at)),
        Note::TimerFired { transaction, timer } => timed(transaction, timer, TimerChange::Fired),
        Note::TimerCancelled { transaction, timer } => {
            timed(transaction, timer, TimerChange::Cancelled)
        }
        Note::Overloaded { method, source } => {
            tracing::warn!(peer = %source, %method, "too many transactions: request thrown away");
            return None;
        }
    })
}

fn timed(id: transaction::TransactionId, which: Timer, change: TimerChange) -> Report {
    Report::Timer {
        timer: timer(which).0,
        id: id.number(),
        change,
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::InviteClient => "INVITE client",
        Kind::NonInviteClient => "non-INVITE client",
        Kind::InviteServer => "INVITE server",
        Kind::NonInviteServer => "non-INVITE server",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Initial => "Initial",
        State::Calling => "Calling",
        State::Trying => "Trying",
        State::Proceeding => "Proceeding",
        State::Accepted => "Accepted",
        State::Completed => "Completed",
        State::Confirmed => "Confirmed",
        State::Terminated => "Terminated",
    }
}

fn event(event: Event) -> &'static str {
    match event {
        Event::Begin => "request",
        Event::Repeat => "repeated request",
        Event::Ack => "ACK",
        Event::Provisional => "1xx",
        Event::Success => "2xx",
        Event::Failure => "3xx-6xx",
        Event::Fired(which) => timer(which).1,
        Event::TransportError => "transport error",
        Event::Terminate => "terminate",
    }
}

/// A timer's name, and what its firing is called.
fn timer(timer: Timer) -> (&'static str, &'static str) {
    match timer {
        Timer::A => ("A", "Timer A"),
        Timer::B => ("B", "Timer B"),
        Timer::C => ("C", "Timer C"),
        Timer::D => ("D", "Timer D"),
        Timer::E => ("E", "Timer E"),
        Timer::F => ("F", "Timer F"),
        Timer::G => ("G", "Timer G"),
        Timer::H => ("H", "Timer H"),
        Timer::I => ("I", "Timer I"),
        Timer::J => ("J", "Timer J"),
        Timer::K => ("K", "Timer K"),
        Timer::L => ("L", "Timer L"),
        Timer::M => ("M", "Timer M"),
        Timer::Trying => ("Trying", "Timer Trying"),
    }
}
