//! A key-value server and a client that must not believe in a write that nobody confirmed.
//!
//! The protocol is lines over TCP: `set key value` is answered `ok`, `get key` is answered with the value or `none`.
//! The client writes one key after another; when no answer comes within two seconds it closes the connection, connects
//! again and repeats the same write, which is safe because setting twice is setting once. Then the network between the
//! two is cut for ten seconds. What must hold: every write that the client counts as confirmed is in the store when
//! the run ends, in spite of the cut, and the client gets on with its work within a few seconds of its end.
//!
//! `cargo run -p linefault-network --example key_value` prints what happened; the test asserts it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use linefault_network::{
    Advance, Host, HostOptions, Injection, Instant, MemoryRecorder, Network, Platform, Scope,
    SocketError, TcpStream, TimerClass, fault,
};

const SERVER: ([u8; 4], u16) = ([10, 0, 0, 1], 6379);
const WRITES: u32 = 40;
const PATIENCE: Duration = Duration::from_secs(2);

type Store = Rc<RefCell<BTreeMap<String, String>>>;

/// What the client has to tell.
#[derive(Debug, Default)]
struct Report {
    /// Keys whose writing was confirmed, and when.
    confirmed: Vec<(String, Instant)>,
    /// How often it had to connect again.
    reconnects: u32,
}

#[expect(clippy::print_stdout, reason = "that is what an example is for")]
fn main() {
    let (store, report) = run();
    for (key, at) in &report.confirmed {
        println!("{at:>9} s  {key} confirmed");
    }
    println!(
        "{} keys in the store, {} reconnections",
        store.len(),
        report.reconnects
    );
}

/// Forty writes a quarter of a second apart, and silence between the two from 3 s to 13 s.
fn run() -> (BTreeMap<String, String>, Report) {
    let network = Network::new(1, Rc::new(RefCell::new(MemoryRecorder::default())));
    let lan = network
        .add_lan("office", &["10.0.0.0/24".parse().expect("a prefix")])
        .expect("the first LAN");
    let add = |name: &str, last| {
        let addresses = vec![[10, 0, 0, last].into()];
        let options = HostOptions {
            name: name.to_owned(),
            lan,
            addresses,
            platform: Platform::Linux,
        };
        network
            .add_host(options)
            .expect("name and address are free")
    };
    let (server, client) = (add("server", 1), add("client", 2));

    let store = Store::default();
    let kept = Rc::clone(&store);
    network.start(server, move |host| serve(host, Rc::clone(&kept)));
    let report: Rc<RefCell<Report>> = Rc::default();
    let told = Rc::clone(&report);
    network.start(client, move |host| write_all_keys(host, Rc::clone(&told)));

    let groups = Scope::Between {
        a: vec![server],
        b: vec![client],
        one_way: false,
    };
    network.schedule(Instant::from_micros(3_000_000), move |network| {
        let cut = Injection::new(fault::partition(), groups).lasts(Duration::from_secs(10));
        network.inject(cut);
    });
    while network.advance(Instant::from_micros(60_000_000)) == Advance::Moved {}
    (store.take(), report.take())
}

/// Accepts for ever; each connection is a task.
async fn serve(host: Host, store: Store) {
    let listener = host
        .listen_tcp(SocketAddr::from(SERVER), 16)
        .expect("the port is free");
    while let Ok((stream, _)) = listener.accept().await {
        let store = Rc::clone(&store);
        let _served = host.spawn(async move { serve_one(stream, store).await });
    }
}

/// Answers until the client closes or resets.
async fn serve_one(stream: TcpStream, store: Store) -> Result<(), SocketError> {
    let mut lines = Lines::default();
    while let Some(line) = lines.next(&stream).await? {
        let answer = match line.split(' ').collect::<Vec<_>>()[..] {
            ["set", key, value] => {
                store.borrow_mut().insert(key.to_owned(), value.to_owned());
                "ok\n".to_owned()
            }
            ["get", key] => store
                .borrow()
                .get(key)
                .map_or("none\n".to_owned(), |value| format!("{value}\n")),
            _ => "what?\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// Writes one key after another; what is not confirmed in time goes again over a new connection.
async fn write_all_keys(host: Host, report: Rc<RefCell<Report>>) {
    let mut stream = None;
    for number in 0..WRITES {
        let key = format!("key-{number}");
        while !write_key(&host, &mut stream, &key, number).await {
            // Dropped unread or unanswered, it goes; the kernel sees to the rest.
            stream = None;
            report.borrow_mut().reconnects += 1;
        }
        report.borrow_mut().confirmed.push((key, host.now()));
        host.sleep(Duration::from_millis(250), TimerClass::Foreground)
            .await;
    }
}

/// Whether the server has confirmed it in time.
async fn write_key(host: &Host, stream: &mut Option<TcpStream>, key: &str, number: u32) -> bool {
    let exchange = async {
        if stream.is_none() {
            *stream = Some(host.connect_tcp(SocketAddr::from(SERVER)).await?);
        }
        let Some(stream) = stream else {
            return Ok(false);
        };
        stream
            .write_all(format!("set {key} {number}\n").as_bytes())
            .await?;
        let answer = Lines::default().next(stream).await?;
        Ok::<_, SocketError>(answer.as_deref() == Some("ok"))
    };
    within(host, exchange)
        .await
        .is_some_and(|answered| answered.unwrap_or(false))
}

/// What the future gives, unless patience ends first.
async fn within<T>(host: &Host, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut patience = std::pin::pin!(host.sleep(PATIENCE, TimerClass::Foreground));
    std::future::poll_fn(
        |cx| match (future.as_mut().poll(cx), patience.as_mut().poll(cx)) {
            (std::task::Poll::Ready(value), _) => std::task::Poll::Ready(Some(value)),
            (_, std::task::Poll::Ready(())) => std::task::Poll::Ready(None),
            _ => std::task::Poll::Pending,
        },
    )
    .await
}

/// Lines out of a stream of bytes, however they were cut.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    /// The next line without its end; `None` at the end of the stream.
    async fn next(&mut self, stream: &TcpStream) -> Result<Option<String>, SocketError> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.bytes.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            let mut buffer = [0; 256];
            match stream.read(&mut buffer).await? {
                0 => return Ok(None),
                length => self.bytes.extend(&buffer[..length]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What the client believes must be true, it must have met the cut, and be through it soon after its end.
    #[test]
    fn confirmed_writes_are_kept_through_a_partition() {
        let (store, report) = run();
        assert_eq!(report.confirmed.len(), WRITES as usize);
        for (key, _) in &report.confirmed {
            assert!(store.contains_key(key), "{key} was confirmed");
        }
        assert!(report.reconnects > 0, "nobody noticed the cut");
        let (start, end) = (
            Instant::from_micros(3_000_000),
            Instant::from_micros(13_000_000),
        );
        let during = report
            .confirmed
            .iter()
            .filter(|(_, at)| (start..end).contains(at))
            .count();
        assert_eq!(during, 0, "nothing can be confirmed through silence");
        let next = report
            .confirmed
            .iter()
            .map(|(_, at)| *at)
            .find(|at| *at >= end);
        assert!(
            next.is_some_and(|at| at - end < Duration::from_secs(5)),
            "{next:?}"
        );
    }
}
