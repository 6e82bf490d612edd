//! The non-INVITE client transaction: RFC 3261 §17.1.2.

use super::Timer::{E, F, K};
use super::table::{
    Action::{Deliver, Double, Send, Set, Slow, Stop, TimedOut, TransportFailed},
    Event, Row, State, go,
};

#[rustfmt::skip]
pub(super) fn step(state: State, event: Event) -> Option<Row> {
    use Event::{Begin, Failure, Fired, Provisional, Success, Terminate, TransportError};
    use State::{Completed, Initial, Proceeding, Terminated, Trying};
    match (state, event) {
        (Initial, Begin)                    => go(&[Send, Set(F), Set(E)], Trying),

        (Trying, Fired(E))                  => go(&[Send, Double(E)], Trying),
        // RFC 3261 §17.1.2.2: after a provisional response the request still repeats, each T2; the interval that
        // already runs is not touched.
        (Proceeding, Fired(E))              => go(&[Send, Slow(E)], Proceeding),

        (Trying | Proceeding, Provisional)       => go(&[Deliver], Proceeding),
        (Trying | Proceeding, Success | Failure) => go(&[Stop(E), Stop(F), Set(K), Deliver], Completed),
        (Trying | Proceeding, Fired(F))          => go(&[TimedOut], Terminated),
        (Trying | Proceeding, TransportError)    => go(&[TransportFailed], Terminated),

        // Repeated responses are absorbed; nothing is sent any more.
        (Completed, Provisional | Success | Failure | TransportError) => go(&[], Completed),
        (Completed, Fired(K))               => go(&[], Terminated),

        (Trying | Proceeding | Completed, Terminate) => go(&[], Terminated),
        _ => None,
    }
}
