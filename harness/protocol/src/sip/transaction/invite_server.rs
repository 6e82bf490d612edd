//! The INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §8.7.

use super::Timer::{self, G, H, I, L};
use super::table::{
    Action::{self, Deliver, Double, Send, Set, Stop, TimedOut, TransportFailed},
    Event, Row, State, go,
};

#[rustfmt::skip]
pub(super) fn step(state: State, event: Event) -> Option<Row> {
    use Event::{Ack, Begin, Failure, Fired, Provisional, Repeat, Success, Terminate, TransportError};
    use State::{Accepted, Completed, Confirmed, Initial, Proceeding, Terminated};
    match (state, event) {
        // RFC 3261 §17.2.1: the 100 goes out unless the transaction user answers within 200 ms.
        (Initial, Begin)              => go(&[Deliver, Set(Timer::Trying)], Proceeding),

        (Proceeding, Fired(Timer::Trying)) => go(&[Action::Trying], Proceeding),
        (Proceeding, Repeat)          => go(&[Send], Proceeding),
        (Proceeding, Provisional)     => go(&[Stop(Timer::Trying), Send], Proceeding),
        (Proceeding, Success)         => go(&[Stop(Timer::Trying), Send, Set(L)], Accepted),
        (Proceeding, Failure)         => go(&[Stop(Timer::Trying), Send, Set(H), Set(G)], Completed),
        // An ACK before any final response acknowledges nothing.
        (Proceeding, Ack)             => go(&[], Proceeding),

        // RFC 6026 §8.7: the transaction user repeats its 2xx itself; repeated INVITEs are absorbed.
        (Accepted, Success)           => go(&[Send], Accepted),
        (Accepted, Repeat)            => go(&[], Accepted),
        (Accepted, Ack)               => go(&[Deliver], Accepted),
        (Accepted, Fired(L))          => go(&[], Terminated),

        (Completed, Repeat)           => go(&[Send], Completed),
        (Completed, Fired(G))         => go(&[Send, Double(G)], Completed),
        (Completed, Ack)              => go(&[Stop(G), Stop(H), Set(I)], Confirmed),
        (Completed, Fired(H))         => go(&[TimedOut], Terminated),

        // RFC 6026 §8.8: a transport error is reported and no longer ends the transaction.
        (Proceeding | Accepted | Completed, TransportError) => go(&[TransportFailed], state),

        (Confirmed, Repeat | Ack | TransportError) => go(&[], Confirmed),
        (Confirmed, Fired(I))         => go(&[], Terminated),

        (Proceeding | Accepted | Completed | Confirmed, Terminate) => go(&[], Terminated),
        _ => None,
    }
}
