//! The non-INVITE server transaction: RFC 3261 §17.2.2.

use super::Timer::J;
use super::table::{
    Action::{Deliver, Send, Set, TransportFailed},
    Event, Row, State, go,
};

#[rustfmt::skip]
pub(super) fn step(state: State, event: Event) -> Option<Row> {
    use Event::{Begin, Failure, Fired, Provisional, Repeat, Success, Terminate, TransportError};
    use State::{Completed, Initial, Proceeding, Terminated, Trying};
    match (state, event) {
        (Initial, Begin)               => go(&[Deliver], Trying),

        // Nothing was said yet, so nothing can be said again.
        (Trying, Repeat)               => go(&[], Trying),
        (Proceeding, Repeat)           => go(&[Send], Proceeding),
        (Trying | Proceeding, Provisional)       => go(&[Send], Proceeding),
        (Trying | Proceeding, Success | Failure) => go(&[Send, Set(J)], Completed),
        (Trying, TransportError)       => go(&[], Trying),

        (Completed, Repeat)            => go(&[Send], Completed),
        // RFC 3261 §17.2.2: any other final response from the transaction user is discarded.
        (Completed, Success | Failure) => go(&[], Completed),
        (Completed, Fired(J))          => go(&[], Terminated),

        // RFC 6026 §8.8 amends RFC 3261 §17.2.4 for every server transaction: it reports and stays. Figure 8, in which
        // this one ends, was not drawn anew.
        (Proceeding | Completed, TransportError) => go(&[TransportFailed], state),

        (Trying | Proceeding | Completed, Terminate) => go(&[], Terminated),
        _ => None,
    }
}
