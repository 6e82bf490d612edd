//! The toys on `turmoil::Sim`.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;
use turmoil::net::{TcpListener, TcpStream, UdpSocket};

use crate::{EXCHANGE_EVERY, FRAME, FRAME_EVERY, LATENCY};

fn sim(length: Duration) -> turmoil::Sim<'static> {
    turmoil::Builder::new()
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(length)
        .min_message_latency(LATENCY)
        .max_message_latency(LATENCY)
        .build()
}

/// So many exchanges, 4 s apart.
pub(crate) fn exchanges(number: u32) {
    let mut sim = sim(EXCHANGE_EVERY * (number + 1));
    sim.host("server", || async {
        let socket = UdpSocket::bind("0.0.0.0:7").await?;
        let mut buffer = [0; 64];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await?;
            socket.send_to(&buffer[..length], from).await?;
        }
    });
    sim.client("client", async move {
        let socket = UdpSocket::bind("0.0.0.0:8").await?;
        let mut buffer = [0; 64];
        for _ in 0..number {
            socket.send_to(b"question", ("server", 7)).await?;
            socket.recv_from(&mut buffer).await?;
            sleep(EXCHANGE_EVERY).await;
        }
        Ok(())
    });
    sim.run().expect("all answered");
}

/// So many frames each way, 20 ms apart.
pub(crate) fn frames(number: u32) {
    let mut sim = sim(FRAME_EVERY * (number + 200));
    sim.host("server", move || async move {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let (stream, _) = listener.accept().await?;
        talk(stream, number).await?;
        std::future::pending().await
    });
    sim.client("client", async move {
        let stream = TcpStream::connect(("server", 7)).await?;
        talk(stream, number).await
    });
    sim.run().expect("all arrived");
}

async fn talk(stream: TcpStream, number: u32) -> turmoil::Result {
    let (mut reading, mut writing) = stream.into_split();
    let writer = tokio::task::spawn_local(async move {
        for _ in 0..number {
            writing
                .write_all(&[0x10; FRAME])
                .await
                .expect("the peer reads");
            sleep(FRAME_EVERY).await;
        }
        writing
    });
    let (mut received, mut buffer) = (0, [0; FRAME]);
    while received < number as usize * FRAME {
        received += reading.read(&mut buffer).await?;
    }
    let _kept = writer.await?;
    Ok(())
}
