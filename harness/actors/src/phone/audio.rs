//! The audio of a phone's calls: an AudioSocket connection beside each one that is up, as a telephone exchange makes it.
//!
//! Owns when a connection begins and ends, and tells the phone when the service has ended it: the call is over then.
//! Refuses what goes over the connection; that is the AudioSocket peer's.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use linefault_protocol::audiosocket::{Rate, Uuid};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::audio_peer::{self, Line, OnHangUp};
use crate::catalogue::{Command, Settings};
use crate::{Host, TimerClass};

/// The name space of Call-IDs, drawn once: a call's UUID is the same for everybody who knows its Call-ID.
const CALL_IDS: Uuid = Uuid([
    0x1c, 0x5b, 0x0e, 0x56, 0x8a, 0x0f, 0x4c, 0x0e, 0x9d, 0x6a, 0x52, 0x9f, 0x07, 0x3e, 0xd1, 0xb4,
]);

/// How long after its hang-up the service may take to close: what report C grants the other side.
const CLOSING: Duration = Duration::from_secs(2);

/// The phone's end of what runs beside it.
pub(super) struct Audio {
    orders: UnboundedSender<Order>,
    over: UnboundedReceiver<Uuid>,
    /// The call that is heard: the phone's number of it, and its name.
    heard: Option<(u64, Uuid)>,
}

/// A [`Order::HangUp`] follows every [`Order::Connect`] before the next.
enum Order {
    Connect(Uuid),
    HangUp,
}

impl Audio {
    /// Audio over that service, on the phone's own host.
    pub(super) fn beside(host: &Host, service: SocketAddr) -> Self {
        let (orders, obeyed) = unbounded_channel();
        let (told, over) = unbounded_channel();
        host.spawn(serve(host.clone(), service, obeyed, told));
        Self {
            orders,
            over,
            heard: None,
        }
    }

    /// A call is up; of two it is the later that is heard.
    pub(super) fn begin(&mut self, id: u64, call_id: &str) {
        if let Some((earlier, _)) = self.heard {
            self.end(earlier);
        }
        let call = Uuid::named(CALL_IDS, call_id);
        self.heard = Some((id, call));
        self.order(Order::Connect(call));
    }

    /// A call is over.
    pub(super) fn end(&mut self, id: u64) {
        if self.heard.take_if(|(heard, _)| *heard == id).is_some() {
            self.order(Order::HangUp);
        }
    }

    /// Ready with what the phone is to do when the connection of the call that is up has ended.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Command> {
        while let Poll::Ready(Some(call)) = self.over.poll_recv(cx) {
            if self.heard.is_some_and(|(_, heard)| heard == call) {
                return Poll::Ready(command("hang-up"));
            }
        }
        Poll::Pending
    }

    fn order(&self, order: Order) {
        // Whoever obeys lives as long as the host does.
        let _ = self.orders.send(order);
    }
}

fn command(name: &'static str) -> Command {
    Command {
        name,
        arguments: Settings::default(),
    }
}

async fn serve(
    host: Host,
    service: SocketAddr,
    mut orders: UnboundedReceiver<Order>,
    over: UnboundedSender<Uuid>,
) {
    let mut number = 0;
    while let Some(order) = orders.recv().await {
        let Order::Connect(call) = order else {
            continue;
        };
        number += 1;
        let config = audio_peer::Config {
            service,
            call,
            // What is said on the other end would come over RTP, which nobody speaks here.
            audio: audio_peer::Audio::Silence,
            rate: Rate::default(),
            on_hang_up: OnHangUp::Close,
            pieces: None,
        };
        connect(&host, &config, number, &mut orders).await;
        // Without the phone nobody needs to know.
        let _ = over.send(call);
    }
}

/// One connection, from connect to close.
async fn connect(
    host: &Host,
    config: &audio_peer::Config,
    number: u64,
    orders: &mut UnboundedReceiver<Order>,
) {
    let peer = config.service;
    let connected = tokio::select! {
        biased;
        _ = orders.recv() => return,
        connected = host.connect_tcp(peer) => connected,
    };
    let stream = match connected {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%peer, %error, "no audio"),
    };
    tracing::info!(%peer, call = %config.call, "audio connected");
    let mut hung_up = false;
    let line = Line::new(host, "audio", config, number, stream);
    // What is ordered after the end concerns the next connection.
    let mut closing = host.timer(TimerClass::Foreground);
    let commands = |cx: &mut Context<'_>| match hung_up {
        false => orders.poll_recv(cx).map(|_| {
            hung_up = true;
            closing.set(Some(host.now() + CLOSING));
            command("hang-up")
        }),
        true => closing.poll_fired(cx).map(|()| command("reset")),
    };
    line.run(true, commands).await;
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    struct Ends {
        audio: Audio,
        orders: UnboundedReceiver<Order>,
        told: UnboundedSender<Uuid>,
    }

    impl Ends {
        fn new() -> Self {
            let (orders, obeyed) = unbounded_channel();
            let (told, over) = unbounded_channel();
            let audio = Audio {
                orders,
                over,
                heard: None,
            };
            Self {
                audio,
                orders: obeyed,
                told,
            }
        }

        fn ordered(&mut self) -> Vec<Option<Uuid>> {
            let orders = std::iter::from_fn(|| self.orders.try_recv().ok());
            let call = |order| match order {
                Order::Connect(call) => Some(call),
                Order::HangUp => None,
            };
            orders.map(call).collect()
        }

        fn is_over(&mut self, call: Uuid) -> bool {
            let mut cx = Context::from_waker(Waker::noop());
            self.told.send(call).is_ok() && self.audio.poll_over(&mut cx).is_ready()
        }
    }

    // The task's loop relies on it: what follows a connection's order is its end, never the next one's beginning.
    #[test]
    fn every_connection_is_ended_once_and_before_the_next() {
        let mut ends = Ends::new();
        let [first, second] = ["a@x", "b@x"].map(|id| Uuid::named(CALL_IDS, id));
        ends.audio.begin(1, "a@x");
        ends.audio.begin(2, "b@x");
        ends.audio.end(1);
        ends.audio.end(2);
        ends.audio.end(2);
        assert_eq!(ends.ordered(), [Some(first), None, Some(second), None]);
    }

    // A service that ends what is over already must not end the call that came after it.
    #[test]
    fn only_the_end_of_the_present_calls_audio_ends_the_call() {
        let mut ends = Ends::new();
        ends.audio.begin(1, "a@x");
        ends.audio.begin(2, "b@x");
        assert!(!ends.is_over(Uuid::named(CALL_IDS, "a@x")));
        assert!(ends.is_over(Uuid::named(CALL_IDS, "b@x")));
    }
}
