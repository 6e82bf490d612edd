//! Programs that are written for tokio, among linefault's own actors.

#![expect(
    clippy::disallowed_methods,
    reason = "programs that use tokio's executor and clock are what is tested"
)]

use std::time::Duration;

use linefault::actors::catalogue::{self, Actor, Directory, Entry, Settings};
use linefault::actors::{Behaviour, Host as OwnHost, SocketError};
use linefault::foreign::{Host, Program};
use linefault::run::{Setup, Simulation, simulate};
use linefault::scenario::Names;
use linefault::suite::{Suite, Test, names};
use linefault::trace::Event;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::scenarios;

type Build = dyn Fn(&Settings, &Directory) -> Box<dyn Actor> + Send + Sync;

/// One of linefault's actors, in a process that has a tokio runtime.
struct Hosted(Box<dyn Actor>);

impl Actor for Hosted {
    fn start(&self, host: &OwnHost) -> Behaviour {
        self.0.start(host)
    }

    fn is_foreign(&self) -> bool {
        true
    }
}

fn entry(like: &'static Entry, name: &str, build: Box<Build>) -> &'static Entry {
    Box::leak(Box::new(Entry {
        name: String::leak(name.to_owned()),
        doc: like.doc,
        port: like.port,
        settings: like.settings,
        commands: like.commands,
        points: like.points,
        build: Box::leak(build),
    }))
}

/// The names of a suite in which every actor of that name is hosted so.
fn hosting(actor: &str) -> Names {
    let own = catalogue::find(actor).expect("it is in the catalogue");
    let build = |settings: &Settings, directory: &Directory| -> Box<dyn Actor> {
        Box::new(Hosted((own.build)(settings, directory)))
    };
    Names {
        actors: vec![entry(own, actor, Box::new(build))],
        ..names()
    }
}

/// Each scenario of a folder that has such an actor, with the hash of its trace.
fn hashes(actor: &str, folder: &str, names: &Names) -> Vec<(String, String)> {
    let suite = Suite::load_with(&[scenarios().join(folder)], &[], names).expect("it can be read");
    let has_it = |test: &Test| {
        let mut hosts = test.scenario().hosts.iter();
        test.known_bad().is_none() && hosts.any(|host| host.actor.name == actor)
    };
    let tests = suite.tests.into_iter().filter(has_it);
    tests
        .map(|test| {
            let trace = simulate(test.scenario(), Setup::default()).trace;
            (test.name().to_owned(), trace.hash().to_string())
        })
        .collect()
}

// Byte for byte, with all their faults: what a runtime of tokio's around an actor adds to its host, and to all others, is
// nothing. Phones are several a scenario, so that their clocks have to keep step as well.
#[test]
fn the_scenarios_are_the_same_whether_an_actor_has_a_runtime_or_not() {
    for (actor, folder, at_least) in [
        ("proxy", "", 100),
        ("b2bua", "", 10),
        ("audio-service", "", 10),
        ("token-service", "", 10),
        ("token-client", "stream", 10),
        ("phone", "call", 3),
    ] {
        let own = hashes(actor, folder, &names());
        assert!(own.len() >= at_least, "{actor}: only {}", own.len());
        assert_eq!(own, hashes(actor, folder, &hosting(actor)), "{actor}");
    }
}

/// A scenario with two programs of the test's own, `server` and `client`, on that platform.
fn scenario(platform: &str) -> String {
    format!(
        r#"title = "Two programs that are written for tokio"
[run]
platform = "{platform}"
run_until = "5s"
[host.server]
actor = "server"
address = "10.0.0.2:80"
[host.client]
actor = "client"
address = "10.0.0.3:80"
[timeline]
faults = [ {{ at = "1s", fault = "partition", between = [["server"], ["client"]], for = "1s" }} ]
"#
    )
}

/// The test of that scenario, with these programs.
fn with<S, C>(platform: &str, server: fn(Host) -> S, client: fn(Host) -> C) -> Test
where
    S: Future<Output = ()> + 'static,
    C: Future<Output = ()> + 'static,
{
    let own = catalogue::find("http-client").expect("it is in the catalogue");
    let bare = |name: &'static str, build: Box<Build>| -> &'static Entry {
        let own = entry(own, name, build);
        Box::leak(Box::new(Entry {
            settings: &[],
            commands: &[],
            points: &[],
            ..*own
        }))
    };
    let names = Names {
        actors: vec![
            bare("server", Box::new(move |_, _| Box::new(Program(server)))),
            bare("client", Box::new(move |_, _| Box::new(Program(client)))),
        ],
        ..names()
    };
    let suite = Suite::read_with("two", &scenario(platform), &names);
    let mistakes: String = suite
        .mistakes
        .iter()
        .map(|mistakes| mistakes.render(false))
        .collect();
    assert_eq!(mistakes, "");
    suite.tests.into_iter().next().expect("one test")
}

/// What the programs have logged: when, who, and the message.
fn lines(simulation: &Simulation) -> Vec<(String, String, String)> {
    let trace = &simulation.trace;
    let line = |record: &linefault::trace::Record| match (&record.event, record.host) {
        (Event::Log(line), Some(host)) => Some((
            record.at.to_string(),
            trace.host_name(host).to_owned(),
            line.message.clone(),
        )),
        _ => None,
    };
    trace.records().iter().filter_map(line).collect()
}

/// Answers each line of a connection, in a task of its own, and ends after it.
async fn server(host: Host) {
    let listener = host
        .listen_tcp(host.address())
        .await
        .expect("the port is free");
    while let Ok((stream, peer)) = listener.accept().await {
        stream.set_nodelay(true).expect("it is taken");
        tokio::spawn(async move {
            let (mut reading, mut writing) = stream.into_split();
            let mut text = String::new();
            reading.read_to_string(&mut text).await.expect("text");
            tracing::info!("{} says {text}", peer.ip());
            tokio::time::sleep(Duration::from_millis(2)).await;
            writing
                .write_all(text.to_uppercase().as_bytes())
                .await
                .expect("a reader");
        });
    }
}

async fn client(host: Host) {
    let server = ([10, 0, 0, 2], 80).into();
    let mut stream = host.connect_tcp(server).await.expect("it listens");
    let (mut reading, mut writing) = tokio::io::split(&mut stream);
    writing.write_all(b"hello").await.expect("a reader");
    writing.shutdown().await.expect("a connection");
    let mut text = String::new();
    reading.read_to_string(&mut text).await.expect("text");
    tracing::info!("{text}");
    let refused = host.connect_tcp(([10, 0, 0, 2], 81).into()).await;
    let refused = refused.expect_err("nobody listens there");
    let number = SocketError::within(&refused).map(|inside| inside.errno);
    tracing::info!("{:?}, {number:?}", refused.kind());
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_secs(1)).await;
    let cut_off = tokio::time::timeout(Duration::from_millis(300), host.connect_tcp(server)).await;
    tracing::warn!("{}", cut_off.is_err());
}

// Sockets, halves, errors by platform, time-outs and the lines of tasks that tokio runs, each at its moment.
#[test]
fn programs_that_are_written_for_tokio_take_part() {
    let line = |at: &str, host: &str, text: &str| (at.to_owned(), host.to_owned(), text.to_owned());
    for (platform, number) in [("linux", 111), ("macos", 61)] {
        let test = with(platform, server, client);
        let run = || simulate(test.scenario(), Setup::default());
        let expected = [
            line("0.015", "server", "10.0.0.3 says hello"),
            line("0.022", "client", "HELLO"),
            line(
                "0.032",
                "client",
                &format!("ConnectionRefused, Some({number})"),
            ),
            line("1.332", "client", "true"),
        ];
        assert_eq!(lines(&run()), expected);
        assert_eq!(run().trace.hash(), run().trace.hash());
    }
}

/// Over UDP, with a buffer that is too small for the second datagram.
async fn udp_server(host: Host) {
    let socket = host
        .bind_udp(host.address())
        .await
        .expect("the port is free");
    let mut buffer = [0; 5];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let sent = socket.send_to(&buffer[..length], from).await;
        assert_eq!(sent.expect("a route"), length);
    }
}

async fn udp_client(host: Host) {
    let socket = host
        .bind_udp(host.address())
        .await
        .expect("the port is free");
    assert_eq!(socket.local_addr().expect("it is bound"), host.address());
    let mut buffer = [0; 100];
    for text in ["ping", "too long"] {
        let to = ([10, 0, 0, 2], 80).into();
        assert_eq!(
            socket.send_to(text.as_bytes(), to).await.expect("a route"),
            text.len()
        );
        let (length, _) = socket.recv_from(&mut buffer).await.expect("an answer");
        tracing::info!("{}", String::from_utf8_lossy(&buffer[..length]));
    }
}

#[test]
fn datagrams_go_both_ways_and_are_cut_to_the_buffer() {
    let simulation = simulate(
        with("linux", udp_server, udp_client).scenario(),
        Setup::default(),
    );
    let texts: Vec<_> = lines(&simulation)
        .into_iter()
        .map(|(at, _, text)| (at, text))
        .collect();
    let expected = [("0.010", "ping"), ("0.020", "too l")];
    assert_eq!(
        texts,
        expected.map(|(at, text)| (at.to_owned(), text.to_owned()))
    );
}

async fn panics_beside(_: Host) {
    tokio::spawn(async { panic!("nobody awaits this") });
    tokio::time::sleep(Duration::from_secs(1)).await;
    tracing::info!("still here");
}

async fn leaves_the_simulation(_: Host) {
    let _ = tokio::net::UdpSocket::bind("127.0.0.1:0").await;
}

// tokio itself tells only whoever awaits such a task. What it says without I/O is tokio's: if a release changes that, this
// test says so.
#[test]
fn a_panic_in_any_task_is_uninvited() {
    let outcome = with("linux", panics_beside, leaves_the_simulation).run();
    let trace = &outcome.simulation.trace;
    let found = |host: &str, text: &str| {
        let of_host = outcome.violations.iter().filter(|violation| {
            let blamed = violation.host.map(|id| trace.host_name(id));
            violation.name == "no-uninvited-panic" && blamed == Some(host)
        });
        of_host
            .filter(|violation| violation.text.contains(text))
            .count()
    };
    assert_eq!(
        found("server", "nobody awaits this"),
        1,
        "{:?}",
        outcome.violations
    );
    assert_eq!(
        found("client", "sockets come from the Host"),
        1,
        "{:?}",
        outcome.violations
    );
    assert_eq!(
        lines(&outcome.simulation).len(),
        1,
        "the rest of the process goes on"
    );
}
