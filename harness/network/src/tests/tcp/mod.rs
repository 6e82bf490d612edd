//! TCP: the handshake, data, closing, and what a program must be able to rely on.

mod bad_input;
mod basics;
mod faults;
mod fuzz;
mod nat;

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
use crate::{Flags, TcpListener, TcpStream};

/// What a task of the test came to.
pub(in crate::tests) type Outcome<T> = Rc<RefCell<Option<T>>>;

/// Lets Alice connect to an address; the stream comes once she has one.
pub(in crate::tests) fn connect(host: &Host, to: &str) -> Outcome<Result<TcpStream, SocketError>> {
    let outcome = Outcome::default();
    let (result, dialling, to) = (
        Rc::clone(&outcome),
        host.clone(),
        to.parse().expect("valid"),
    );
    let _task = host.spawn(async move {
        let connected = dialling.connect_tcp(to).await;
        result.replace(Some(connected));
    });
    outcome
}

/// A connection from Alice to Bob's port 9: her end, his end.
pub(in crate::tests) fn pair(world: &World) -> (TcpStream, TcpStream) {
    let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
    let listener = listen(&bob, "10.0.8.2:9");
    let outcome = connect(&alice, "10.0.8.2:9");
    world.run_for(50);
    let accepted = accept(&listener).expect("it came");
    let stream = outcome
        .take()
        .expect("it is over")
        .expect("nothing hindered it");
    (stream, accepted)
}

pub(in crate::tests) fn listen(host: &Host, address: &str) -> TcpListener {
    host.listen_tcp(address.parse().expect("valid"), 128)
        .expect("free")
}

pub(in crate::tests) fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.poll_accept(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => None,
        Poll::Ready(accepted) => Some(accepted.expect("still listening").0),
    }
}

/// What a read gives at once: text, an error; `None` if it would wait. The end is an empty text.
pub(in crate::tests) fn read(stream: &TcpStream) -> Option<Result<String, SocketErrorKind>> {
    let mut buffer = [0; 4096];
    match stream.poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
        Poll::Pending => None,
        Poll::Ready(Err(error)) => Some(Err(error.kind)),
        Poll::Ready(Ok(length)) => {
            Some(Ok(String::from_utf8_lossy(&buffer[..length]).into_owned()))
        }
    }
}

/// What a write gives at once; `None` if it would wait.
pub(in crate::tests) fn write(
    stream: &TcpStream,
    text: &str,
) -> Option<Result<usize, SocketErrorKind>> {
    match stream.poll_write(&mut Context::from_waker(Waker::noop()), text.as_bytes()) {
        Poll::Pending => None,
        Poll::Ready(written) => Some(written.map_err(|error| error.kind)),
    }
}

/// A read that gave this text.
pub(in crate::tests) fn text(text: &str) -> Option<Result<String, SocketErrorKind>> {
    Some(Ok(text.to_owned()))
}

/// The end of the stream.
pub(in crate::tests) fn end() -> Option<Result<String, SocketErrorKind>> {
    text("")
}

impl World {
    /// Runs for this many milliseconds.
    pub(in crate::tests) fn run_for(&self, millis: u64) {
        self.run_to(self.network.now().as_micros() / 1000 + millis);
    }

    /// Every segment sent, as a capture shows it: when, from whom, flags, sequence and acknowledgement numbers relative
    /// to the SYNs, window, bytes of data.
    pub(in crate::tests) fn capture(&self) -> String {
        let mut initial = BTreeMap::new();
        let mut lines = String::new();
        for record in self.records() {
            let Event::Sent { packet } = record.event else {
                continue;
            };
            let (way, back) = ((packet.from, packet.to), (packet.to, packet.from));
            let Some(segment) = packet.segment() else {
                continue;
            };
            if segment.has(Flags::SYN) {
                initial.insert(way, segment.sequence);
            }
            let relative = |number: u32, way| {
                number.wrapping_sub(initial.get(&way).copied().unwrap_or(number))
            };
            lines += &format!(
                "{:>9} {} {:?} seq {} ack {} win {} len {}\n",
                record.at.to_string(),
                packet.from,
                segment.flags,
                relative(segment.sequence, way),
                relative(segment.acknowledgement, back),
                segment.window,
                segment.data.len()
            );
        }
        lines
    }
}
