//! Scenarios as the tests of any crate, with actors of its own.
//!
//! A test target of three lines, with `harness = false`:
//!
//! ```no_run
//! # async fn proxy(_: linefault::actors::Host) {}
//! fn main() -> std::process::ExitCode {
//!     linefault::suite("scenarios").actor("my-proxy", proxy).run()
//! }
//! ```
//!
//! makes one test of each file, combination of its matrix and broken twin below the folder `scenarios`, and compares each
//! with its snapshot in `snapshots` beside it. What stands for `proxy` is one of three:
//!
//! - an async function over a [`Host`]: [`Scenarios::actor`];
//! - a [`Machine`], which does no input or output itself: [`Scenarios::machine`];
//! - either with settings of its own in scenario files, commands for steps, and points at which a fault can make it fail:
//!   an [`Entry`] and [`Scenarios::entry`].
//!
//! A unit test that needs no file takes [`Scenarios::tests_of`].

mod compare;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use linefault_actors::catalogue::{Actor, Directory, Entry, Settings};
#[cfg(feature = "foreign")]
use linefault_actors::foreign;
use linefault_actors::{Behaviour, Host, Machine};

use crate::panics;
use crate::scenario::{Diagnostics, Names};
use crate::suite::{Suite, Test, names};

/// insta prints its own account of a difference, which nobody captures here; ours is part of the test's result.
const INSTA_OUTPUT: &str = "INSTA_OUTPUT";

/// The scenarios below that folder of the package, as tests.
pub fn suite(folder: impl Into<PathBuf>) -> Scenarios {
    let folder = folder.into();
    Scenarios {
        snapshots: folder.with_file_name("snapshots"),
        folder,
        names: names(),
    }
}

/// A folder of scenarios, about to be run.
#[must_use = "nothing is run before `run`"]
pub struct Scenarios {
    folder: PathBuf,
    snapshots: PathBuf,
    names: Names,
}

impl Scenarios {
    /// Lets scenario files name an actor of the caller's: `actor = "my-proxy"`. `start` is called for each life of each host
    /// that runs it, and what it returns is that host's program: it ends with the host, and a panic in it fails the run. What
    /// it tells `tracing` at INFO and above is recorded as that host's log.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use linefault::actors::{Host, UdpSocket};
    ///
    /// /// Sends each datagram back, a while later.
    /// async fn echo(host: Host) {
    ///     let socket = host.bind_udp(host.address()).await.expect("nobody else is there");
    ///     while let Ok((datagram, from)) = socket.receive_from().await {
    ///         // A task for each, so that none waits for another. Chance is the seed's: the same in every run.
    ///         let pause = Duration::from_millis(10 + host.draw("pause") % 10);
    ///         let (clock, socket) = (host.clone(), socket.clone());
    ///         host.spawn(async move {
    ///             clock.sleep(pause).await;
    ///             let _ = socket.send_to(&datagram, from).await;
    ///         });
    ///     }
    /// }
    ///
    /// /// Asks every second, three times.
    /// async fn asker(host: Host) {
    ///     let socket = host.bind_udp(host.address()).await.expect("nobody else is there");
    ///     host.spawn(listen(socket.clone()));
    ///     for _ in 0..3 {
    ///         let sent = socket.send_to(&"ping".into(), ([10, 0, 0, 2], 7).into()).await;
    ///         sent.expect("a ping leaves");
    ///         host.sleep(Duration::from_secs(1)).await;
    ///     }
    /// }
    ///
    /// async fn listen(socket: UdpSocket) {
    ///     while socket.receive_from().await.is_ok() {
    ///         tracing::info!("heard");
    ///     }
    /// }
    ///
    /// let scenarios = linefault::suite("scenarios")
    ///     .actor("echo", echo)
    ///     .actor("asker", asker);
    /// let tests = scenarios.tests_of(r#"
    ///     title = "The second ping is lost"
    ///     host.echo = { actor = "echo", address = "10.0.0.2:7" }
    ///     host.asker = { actor = "asker", address = "10.0.0.3:7" }
    ///     timeline.faults = [{ at = "500ms", fault = "drop", from = "asker", to = "echo", times = 1 }]
    ///     outcome.expect = [{ name = "heard", host = "asker", logs = "INFO", message = "heard", count = 2 }]
    /// "#);
    /// let [test] = &tests.expect("the text is a scenario")[..] else { panic!("it has no matrix") };
    /// let outcome = test.run();
    /// assert!(outcome.verdict.is_pass(), "{}", test.failure(&outcome, false));
    /// assert!(test.snapshot(&outcome).contains("asker  INFO 2 · WARN 0 · ERROR 0"));
    /// ```
    pub fn actor<F, P>(self, name: &str, start: F) -> Self
    where
        F: Fn(Host) -> P + Clone + Send + Sync + 'static,
        P: Future<Output = ()> + 'static,
    {
        self.behaviour(name, move |host| {
            Behaviour::Task(Box::pin(start(host.clone())))
        })
    }

    /// The same for a machine, which [`drive`](linefault_actors::drive) runs on the host's address. `build` is called for
    /// each life of each host that runs it.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use std::time::Duration;
    ///
    /// use linefault::actors::Transport::Udp;
    /// use linefault::actors::{Context, Deadlines, Input, Instant, Machine};
    ///
    /// /// Refuses every call with 486, again and again until it is acknowledged (RFC 3261 §17.2.1).
    /// #[derive(Default)]
    /// struct Busy {
    ///     refused: Option<Refused>,
    /// }
    ///
    /// struct Refused {
    ///     caller: SocketAddr,
    ///     answer: String,
    ///     /// Timer G: when to repeat it, and how long to wait then.
    ///     again: (Instant, Duration),
    /// }
    ///
    /// impl Machine for Busy {
    ///     fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
    ///         match input {
    ///             Input::Datagram { from, bytes, .. } if bytes.starts_with(b"INVITE ") => {
    ///                 let answer = refusal(&String::from_utf8_lossy(&bytes), cx.draw("tag"));
    ///                 let again = (cx.now(), Duration::from_millis(500));
    ///                 self.refused.get_or_insert(Refused { caller: from, answer, again });
    ///             }
    ///             Input::Datagram { bytes, .. } if bytes.starts_with(b"ACK ") => self.refused = None,
    ///             Input::Wake => {}
    ///             _ => return,
    ///         }
    ///         if let Some(refused) = &mut self.refused {
    ///             cx.send(refused.caller, Udp, refused.answer.clone().into(), None);
    ///             let (_, pause) = refused.again;
    ///             refused.again = (cx.now() + pause, (pause * 2).min(Duration::from_secs(4)));
    ///         }
    ///     }
    ///
    ///     fn deadlines(&self) -> Deadlines {
    ///         let foreground = self.refused.as_ref().map(|refused| refused.again.0);
    ///         Deadlines { foreground, background: None }
    ///     }
    /// }
    ///
    /// /// RFC 3261 §8.2.6: what an answer takes from its request.
    /// fn refusal(invite: &str, tag: u64) -> String {
    ///     let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    ///     let kept = invite.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
    ///     let tagged = kept.map(|line| match line.starts_with("To:") {
    ///         true => format!("{line};tag={tag}\r\n"),
    ///         false => format!("{line}\r\n"),
    ///     });
    ///     let headers: String = tagged.collect();
    ///     format!("SIP/2.0 486 Busy Here\r\n{headers}Content-Length: 0\r\n\r\n")
    /// }
    ///
    /// let scenarios = linefault::suite("scenarios").machine("busy", |_| Busy::default());
    /// let tests = scenarios.tests_of(r#"
    ///     title = "A refusal that is lost once"
    ///     host.busy = { actor = "busy", address = "10.0.0.2:5060" }
    ///     host.alice = { actor = "phone", user = "1001", registrar = "busy" }
    ///     timeline.steps = [{ at = "0s", host = "alice", do = "call", to = "sip:1002@10.0.0.2" }]
    ///     timeline.faults = [{ at = "0s", fault = "drop", from = "busy", to = "alice", message = "486 INVITE", times = 1 }]
    ///     outcome.expect = [{ name = "refused", host = "alice", receives = "486 INVITE", within = "1s" }]
    /// "#);
    /// let [test] = &tests.expect("the text is a scenario")[..] else { panic!("it has no matrix") };
    /// let outcome = test.run();
    /// assert!(outcome.verdict.is_pass(), "{}", test.failure(&outcome, false));
    /// ```
    pub fn machine<F, M>(self, name: &str, build: F) -> Self
    where
        F: Fn(&Host) -> M + Clone + Send + Sync + 'static,
        M: Machine + 'static,
    {
        self.behaviour(name, move |host| Behaviour::Machine(Box::new(build(host))))
    }

    fn behaviour(
        self,
        name: &str,
        start: impl Fn(&Host) -> Behaviour + Clone + Send + Sync + 'static,
    ) -> Self {
        self.program(name, move |_, _| Box::new(Program(start.clone())))
    }

    /// The same for a program that is written for tokio: it spawns with `tokio::spawn`, waits with `tokio::time`, and so does
    /// what it is built on, like hyper or axum. Only its sockets come from the host.
    ///
    /// Its waiting counts as background work, since nobody can tell what tokio's timers are for: a run may end before they
    /// do. [`Network::start_foreign`](linefault_network::Network::start_foreign) says what else does not follow the
    /// simulation.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use linefault::foreign::{Host, TcpStream};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// /// Sends what it hears back, a line at a time; who says nothing for a minute is hung up on.
    /// async fn serve(host: Host) {
    ///     let listener = host.listen_tcp(host.address()).await.expect("nobody else is there");
    ///     while let Ok((stream, peer)) = listener.accept().await {
    ///         tracing::info!(%peer, "connected");
    ///         tokio::spawn(talk(stream));
    ///     }
    /// }
    ///
    /// async fn talk(mut stream: TcpStream) -> std::io::Result<()> {
    ///     let mut buffer = [0; 100];
    ///     while let Ok(read) = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut buffer)).await {
    ///         match read? {
    ///             0 => return Ok(()),
    ///             length => stream.write_all(&buffer[..length]).await?,
    ///         }
    ///     }
    ///     tracing::warn!("hung up");
    ///     Ok(())
    /// }
    ///
    /// async fn mute(host: Host) {
    ///     let mut stream = host.connect_tcp(([10, 0, 0, 2], 7).into()).await.expect("it listens");
    ///     let _ = stream.read(&mut [0]).await;
    /// }
    ///
    /// let scenarios = linefault::suite("scenarios").foreign("echo", serve).foreign("mute", mute);
    /// let tests = scenarios.tests_of(r#"
    ///     title = "One who says nothing"
    ///     host.echo = { actor = "echo", address = "10.0.0.2:7" }
    ///     host.mute = { actor = "mute", address = "10.0.0.3:7" }
    ///     run.run_until = "2min"
    ///     outcome.expect = [{ name = "patience", host = "echo", logs = "WARN", message = "hung up", count = 1 }]
    /// "#);
    /// let [test] = &tests.expect("the text is a scenario")[..] else { panic!("it has no matrix") };
    /// let outcome = test.run();
    /// assert!(outcome.verdict.is_pass(), "{}", test.failure(&outcome, false));
    /// ```
    #[cfg(feature = "foreign")]
    pub fn foreign<F, P>(self, name: &str, start: F) -> Self
    where
        F: Fn(foreign::Host) -> P + Clone + Send + Sync + 'static,
        P: Future<Output = ()> + 'static,
    {
        self.program(name, move |_, _| Box::new(foreign::Program(start.clone())))
    }

    fn program(
        self,
        name: &str,
        build: impl Fn(&Settings, &Directory) -> Box<dyn Actor> + Send + Sync + 'static,
    ) -> Self {
        // A process has few actors and needs them to its end, as it does linefault's own, which are static.
        self.entry(Box::leak(Box::new(Entry {
            name: String::leak(name.to_owned()),
            doc: "An actor of this crate.",
            port: 0,
            settings: &[],
            commands: &[],
            points: &[],
            build: Box::leak(Box::new(build)),
        })))
    }

    /// The same with everything that an actor can say of itself. One of the same name as linefault's own takes its place.
    pub fn entry(mut self, entry: &'static Entry) -> Self {
        self.names.actors.push(entry);
        self
    }

    /// The tests that a scenario given as text makes, to be run and judged in code. The folder is not read, and no snapshot
    /// is compared.
    ///
    /// # Errors
    /// The text is no scenario: its mistakes, each at its place.
    pub fn tests_of(&self, text: &str) -> Result<Vec<Test>, Diagnostics> {
        let mut suite = Suite::read_with("scenario", text, &self.names);
        if suite.mistakes.is_empty() {
            Ok(suite.tests)
        } else {
            Err(suite.mistakes.remove(0))
        }
    }

    /// Keeps snapshots in that folder of the package, instead of `snapshots` beside the scenarios.
    pub fn snapshots(mut self, folder: impl Into<PathBuf>) -> Self {
        self.snapshots = folder.into();
        self
    }

    /// Runs them, as the process's arguments say: those of any Rust test, like a filter or `--list`.
    ///
    /// # Panics
    /// If the process cannot start itself again, which silences insta.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let arguments = Arguments::from_args();
        if env::var_os(INSTA_OUTPUT).is_none_or(|output| output != "none") {
            return run_again_quietly();
        }
        panics::keep_quiet();
        // Cargo runs a package's tests in the package's folder.
        match Suite::load_with(std::slice::from_ref(&self.folder), &[], &self.names) {
            Ok(suite) => libtest_mimic::run(&arguments, trials(suite, &self.snapshots)).exit_code(),
            Err(error) => complain(&error.to_string()),
        }
    }
}

/// An actor that is described by how it starts.
struct Program<F>(F);

impl<F: Fn(&Host) -> Behaviour + 'static> Actor for Program<F> {
    fn start(&self, host: &Host) -> Behaviour {
        (self.0)(host)
    }
}

/// The environment is read by insta itself, and may not be changed by a process with threads: by its parent it may.
fn run_again_quietly() -> ExitCode {
    let program = env::current_exe().expect("a running test has a path");
    let status = Command::new(program)
        .args(env::args_os().skip(1))
        .env(INSTA_OUTPUT, "none")
        .status();
    let code = status.expect("a test can start itself").code();
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

#[expect(
    clippy::print_stderr,
    reason = "there is no test yet that could carry the message"
)]
fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

fn trials(suite: Suite, snapshots: &Path) -> Vec<Trial> {
    let path = |test: &Test| snapshots.join(format!("{}.snap", test.name()));
    let expected: BTreeSet<PathBuf> = suite.tests.iter().map(path).collect();
    let tests = suite.tests.into_iter();
    let mut trials: Vec<_> = tests.map(|test| trial(path(&test), test)).collect();
    let mistakes = suite.mistakes;
    trials.push(Trial::test("no-mistakes-in-scenario-files", move || {
        let texts: String = mistakes
            .iter()
            .map(|mistakes| mistakes.render(false))
            .collect();
        if texts.is_empty() {
            Ok(())
        } else {
            Err(texts.into())
        }
    }));
    let snapshots = snapshots.to_owned();
    trials.push(Trial::test("no-orphan-snapshots", move || {
        no_orphans(&snapshots, &expected)
    }));
    trials
}

fn trial(snapshot: PathBuf, test: Test) -> Trial {
    let test = Arc::new(test);
    Trial::test(test.name().to_owned(), move || run(&test, &snapshot))
}

fn run(test: &Test, snapshot: &Path) -> Result<(), Failed> {
    let outcome = panics::catch(|| test.run()).map_err(|message| {
        let replay = test.replay();
        format!("linefault itself failed: {message}\nreplay: {replay}")
    })?;
    let difference = compare::difference(snapshot, &test.snapshot(&outcome), &test.replay());
    let failure = (!outcome.verdict.is_pass()).then(|| test.failure(&outcome, false));
    let parts: Vec<_> = [failure, difference].into_iter().flatten().collect();
    if parts.is_empty() {
        Ok(())
    } else {
        Err(parts.join("\n").into())
    }
}

fn no_orphans(snapshots: &Path, expected: &BTreeSet<PathBuf>) -> Result<(), Failed> {
    let mut orphans = Vec::new();
    if snapshots.exists() {
        collect(snapshots, &mut orphans)?;
    }
    orphans.retain(|path| !expected.contains(path));
    let list: Vec<_> = orphans
        .iter()
        .map(|path| format!("no scenario makes {}", path.display()))
        .collect();
    if list.is_empty() {
        Ok(())
    } else {
        Err(list.join("\n").into())
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "snap") {
            found.push(path);
        }
    }
    Ok(())
}
