//! The INVITE client transaction: RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §8.4.

use super::Timer::{A, B, D, M};
use super::table::{
    Action::{Ack, Deliver, Double, Send, Set, Stop, TimedOut, TransportFailed},
    Event, Row, State, go,
};

#[rustfmt::skip]
pub(super) fn step(state: State, event: Event) -> Option<Row> {
    use Event::{Begin, Failure, Fired, Provisional, Success, Terminate, TransportError};
    use State::{Accepted, Calling, Completed, Initial, Proceeding, Terminated};
    match (state, event) {
        // RFC 3261 §17.1.1.2: A only over an unreliable transport, B over all.
        (Initial, Begin)                   => go(&[Send, Set(B), Set(A)], Calling),

        (Calling, Fired(A))                => go(&[Send, Double(A)], Calling),
        (Calling, Fired(B))                => go(&[TimedOut], Terminated),
        (Calling, Provisional)             => go(&[Stop(A), Stop(B), Deliver], Proceeding),
        (Calling, Success)                 => go(&[Stop(A), Stop(B), Set(M), Deliver], Accepted),
        (Calling, Failure)                 => go(&[Ack, Stop(A), Stop(B), Set(D), Deliver], Completed),

        // No timer runs here: how long to wait for a final response is the transaction user's decision.
        (Proceeding, Provisional)          => go(&[Deliver], Proceeding),
        (Proceeding, Success)              => go(&[Set(M), Deliver], Accepted),
        (Proceeding, Failure)              => go(&[Ack, Set(D), Deliver], Completed),

        (Calling | Proceeding, TransportError) => go(&[TransportFailed], Terminated),

        // RFC 6026 §8.4: every 2xx goes up, repeated or from another fork; nothing else does.
        (Accepted, Success)                => go(&[Deliver], Accepted),
        (Accepted, Provisional | Failure)  => go(&[], Accepted),
        // Nothing was sent in this state: a late report concerns the INVITE, which has arrived.
        (Accepted, TransportError)         => go(&[], Accepted),
        (Accepted, Fired(M))               => go(&[], Terminated),

        // RFC 3261 §17.1.1.2: a repeated failure is acknowledged again and goes no further.
        (Completed, Failure)               => go(&[Ack], Completed),
        (Completed, Provisional | Success) => go(&[], Completed),
        (Completed, TransportError)        => go(&[TransportFailed], Terminated),
        (Completed, Fired(D))              => go(&[], Terminated),

        // RFC 3261 §9.1: cancelled, and no final response within 64·T1.
        (Calling | Proceeding | Accepted | Completed, Terminate) => go(&[], Terminated),
        _ => None,
    }
}
