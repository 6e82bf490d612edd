//! Scenarios as the tests of any crate, with actors of its own.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     linefault::suite("scenarios")
//!         .actor("echo", |host| async move {
//!             let Ok(socket) = host.bind_udp(host.address()).await else {
//!                 return;
//!             };
//!             while let Ok((datagram, from)) = socket.receive_from().await {
//!                 let _ = socket.send_to(&datagram, from).await;
//!             }
//!         })
//!         .run()
//! }
//! ```
//!
//! That is a whole test target with `harness = false`: one test for each file, combination of its matrix and broken twin
//! below the folder `scenarios`, each compared with its snapshot in `snapshots` beside it.

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
use linefault_actors::{Behaviour, Host};

use crate::panics;
use crate::scenario::Names;
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
    /// that runs it, and what it returns is that host's program: it ends with the host, and its panic is the host's.
    ///
    /// Whoever needs settings, commands or points for faults describes them in an [`Entry`] and gives that to
    /// [`Scenarios::entry`].
    pub fn actor<F, P>(self, name: &str, start: F) -> Self
    where
        F: Fn(Host) -> P + Clone + Send + Sync + 'static,
        P: Future<Output = ()> + 'static,
    {
        self.program(name, move |_, _| Box::new(Program(start.clone())))
    }

    /// As [`Scenarios::actor`], for a program that uses tokio's executor and clock, and what is built on them, like hyper:
    /// only its sockets come from the [`foreign::Host`].
    ///
    /// Its tokio timers count as background work. See [`foreign`] for what such a program must not use.
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

/// An actor that is an async function.
struct Program<F>(F);

impl<F, P> Actor for Program<F>
where
    F: Fn(Host) -> P + 'static,
    P: Future<Output = ()> + 'static,
{
    fn start(&self, host: &Host) -> Behaviour {
        Behaviour::Task(Box::pin((self.0)(host.clone())))
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
