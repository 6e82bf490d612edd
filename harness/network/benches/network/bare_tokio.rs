//! The toys on tokio alone: a paused clock, channels for a network, a timer for each latency.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{EXCHANGE_EVERY, FRAME, FRAME_EVERY, LATENCY};

/// What travels, and when it arrives.
type Sender = UnboundedSender<(Instant, Vec<u8>)>;
type Receiver = UnboundedReceiver<(Instant, Vec<u8>)>;

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

async fn receive(from: &mut Receiver) -> Option<Vec<u8>> {
    let (due, data) = from.recv().await?;
    sleep_until(due).await;
    Some(data)
}

fn send(to: &Sender, data: Vec<u8>) {
    let _ = to.send((Instant::now() + LATENCY, data));
}

/// So many exchanges, 4 s apart.
pub(crate) fn exchanges(number: u32) {
    let (question, mut questions) = unbounded_channel();
    let (answer, mut answers) = unbounded_channel();
    LocalSet::new().block_on(&runtime(), async move {
        let _server = tokio::task::spawn_local(async move {
            while let Some(data) = receive(&mut questions).await {
                send(&answer, data);
            }
        });
        for _ in 0..number {
            send(&question, b"question".to_vec());
            receive(&mut answers).await.expect("an answer");
            sleep(EXCHANGE_EVERY).await;
        }
    });
}

/// So many frames each way, 20 ms apart.
pub(crate) fn frames(number: u32) {
    let (here, at_there) = unbounded_channel();
    let (there, at_here) = unbounded_channel();
    LocalSet::new().block_on(&runtime(), async move {
        let one = tokio::task::spawn_local(talk(here, at_here, number));
        let other = tokio::task::spawn_local(talk(there, at_there, number));
        let received = (one.await.expect("no panic"), other.await.expect("no panic"));
        assert_eq!(received, (number as usize * FRAME, number as usize * FRAME));
    });
}

async fn talk(to: Sender, mut from: Receiver, number: u32) -> usize {
    let writer = tokio::task::spawn_local(async move {
        for _ in 0..number {
            send(&to, vec![0x10; FRAME]);
            sleep(FRAME_EVERY).await;
        }
        sleep(Duration::from_secs(1)).await;
    });
    let mut received = 0;
    while let Some(data) = receive(&mut from).await {
        received += data.len();
    }
    writer.await.expect("no panic");
    received
}
