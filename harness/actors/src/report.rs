//! The transaction layer's notes in the words of an actor's trace.

use linefault_protocol::sip::transaction::{self, Event, Timer};

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
            label: [method.as_str(), " ", &branch].concat(),
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
            machine: machine.name(),
            id: transaction.number(),
            from: from.name(),
            to: to.name(),
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
        timer: which.name(),
        id: id.number(),
        change,
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
        Event::Fired(which) => fired(which),
        Event::TransportError => "transport error",
        Event::Terminate => "terminate",
    }
}

/// What a timer's firing is called.
fn fired(timer: Timer) -> &'static str {
    match timer {
        Timer::A => "Timer A",
        Timer::B => "Timer B",
        Timer::C => "Timer C",
        Timer::D => "Timer D",
        Timer::E => "Timer E",
        Timer::F => "Timer F",
        Timer::G => "Timer G",
        Timer::H => "Timer H",
        Timer::I => "Timer I",
        Timer::J => "Timer J",
        Timer::K => "Timer K",
        Timer::L => "Timer L",
        Timer::M => "Timer M",
        Timer::Trying => "Timer Trying",
    }
}
