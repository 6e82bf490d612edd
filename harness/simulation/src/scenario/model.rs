//! What a run consumes: one scenario in one combination of its matrix, checked and fully typed.
//!
//! Owns the vocabulary of a run. Refuses anything still to be decided: no name is unresolved, no default
//! is missing, and what does not apply to this combination is gone.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use linefault_actors::Instant;
use linefault_actors::catalogue::{Command, Entry, Settings};
use linefault_network::NatOptions;
use tracing::Level;

use super::diagnostic::{Source, Span, point};
use super::pattern::Pattern;
use super::subnet::Subnet;
use super::units;

/// One scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it shows, in one line.
    pub title: String,
    /// What it shows, at length.
    pub description: Option<String>,
    /// Words to select scenarios by.
    pub tags: Vec<String>,
    /// The run as a whole.
    pub run: Run,
    /// The latency of every link that `links` does not list.
    pub latency: Latency,
    /// The local networks, in file order; at least one.
    pub lans: Vec<Lan>,
    /// The hosts, in file order; at least one. [`HostIndex`] counts in here.
    pub hosts: Vec<Host>,
    /// Directed links with a latency of their own, in file order; a later one overrides an earlier one.
    pub links: Vec<Link>,
    /// What hosts are told to do, in file order.
    pub steps: Vec<Step>,
    /// What is done to them, in file order; a fault's `index` is its place in here.
    pub faults: Vec<Fault>,
    /// What must be seen or not, in file order.
    pub expects: Vec<Expect>,
    /// Broken twins, in file order.
    pub known_bads: Vec<KnownBad>,
    pub(super) sources: Vec<Source>,
}

/// The run as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What every draw of chance is keyed by.
    pub seed: u64,
    /// The platform of hosts that name none.
    pub platform: Platform,
    /// A run that is not over by then has failed.
    pub time_max: Instant,
    /// Run until exactly then, however quiet it is.
    pub run_until: Option<Instant>,
}

/// Whose kernel a host's sockets behave like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

/// How long a packet takes, one way: drawn evenly between two lengths, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The shortest.
    pub min: Duration,
    /// The longest; never less than `min`.
    pub max: Duration,
}

impl Latency {
    /// Reads "5ms" or "2ms..8ms".
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        units::latency(text).ok()
    }
}

/// A local network. Hosts on it are neighbours; a router stands between it and every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lan {
    /// Its name in the file.
    pub name: String,
    /// Its subnets; at least one.
    pub subnets: Vec<Subnet>,
    /// The NAT between it and everybody else, if there is one.
    pub nat: Option<NatOptions>,
}

/// A host of the scenario, by its place in [`Scenario::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostIndex(pub usize);

/// A machine and the actor on it.
#[derive(Clone)]
pub struct Host {
    /// Its name in the file: `[a-z0-9-]+`.
    pub name: String,
    /// Where the file says so.
    pub span: Span,
    /// What runs on it.
    pub actor: &'static Entry,
    /// The place of its local network in [`Scenario::lans`].
    pub lan: usize,
    /// Where its actor serves: given in the file, or the next free address and the actor's own port.
    pub address: SocketAddr,
    /// Whose kernel it has.
    pub platform: Platform,
    /// The actor's settings, complete.
    pub settings: Settings,
}

/// A directed link with a latency of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Who sends.
    pub from: HostIndex,
    /// Who receives.
    pub to: HostIndex,
    /// How long it takes.
    pub latency: Latency,
}

/// When a step or fault is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At that moment.
    At(Instant),
    /// That long after the first time that something is seen.
    Seen {
        /// What must be seen.
        trigger: Trigger,
        /// How long after it.
        delay: Duration,
    },
}

/// Something that one host does and others can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Who does it.
    pub host: HostIndex,
    /// What it does.
    pub subject: Subject,
}

impl Trigger {
    /// Whether it is something said on a TCP connection.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(&self.subject, Subject::Message { pattern, .. } if pattern.stream().is_some())
    }
}

/// Something to be seen on the wire or in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A message leaves the host or reaches it.
    Message {
        /// Which of the two.
        direction: Direction,
        /// Which messages.
        pattern: Pattern,
        /// Header fields that it must have: name, and the whole value.
        headers: Vec<(String, String)>,
        /// What its body must contain.
        body: Option<String>,
    },
    /// The host writes a log line.
    Log {
        /// At exactly that level.
        level: Level,
        /// What its message must contain.
        message: Option<String>,
    },
}

/// Which way a message goes, as seen from a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The host sends it, whether or not it arrives.
    Sends,
    /// It reaches the host.
    Receives,
}

/// Something that a host is told to do.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where the file says so.
    pub span: Span,
    /// When.
    pub when: When,
    /// Who.
    pub host: HostIndex,
    /// Whether the host may be down by then.
    pub may_miss: bool,
    /// What.
    pub action: StepAction,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepAction {
    /// The actor is told to do something.
    Command(Command),
    /// The runner sends these bytes from the host's own address; the actor knows nothing of it.
    SendRaw {
        /// To whom: the address that this host serves on.
        to: HostIndex,
        /// The datagram, with every line ending written as CRLF.
        raw: Vec<u8>,
    },
}

/// Something that is done to the network or to a host.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its place in [`Scenario::faults`].
    pub index: usize,
    /// Where the file says so.
    pub span: Span,
    /// What scenario files call it, "power-off".
    pub name: &'static str,
    /// When it begins.
    pub when: When,
    /// How long it lasts; for good where absent.
    pub lasts: Option<Duration>,
    /// Whom it concerns.
    pub place: Place,
    /// Which packets or messages it concerns.
    pub selection: Selection,
    /// Whether it may pass without an effect.
    pub may_miss: bool,
    /// Its own parameters, complete. A ratio is an integer: parts per million.
    pub arguments: Settings,
    /// In a few words: "power-off bob", "drop 200 BYE bob → proxy".
    pub display: String,
}

/// Whom a fault concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Every host; only with a message pattern.
    Everywhere,
    /// One host.
    Host(HostIndex),
    /// One direction between two hosts.
    Link {
        /// Who sends.
        from: HostIndex,
        /// Who receives.
        to: HostIndex,
    },
    /// Everything between two groups of hosts.
    Between {
        /// The first group; not empty.
        left: Vec<HostIndex>,
        /// The second group; not empty, and without a member of the first.
        right: Vec<HostIndex>,
        /// Whether only what goes from the first group to the second is concerned.
        one_way: bool,
    },
}

/// Which packets or messages a fault concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only messages that match.
    pub message: Option<Pattern>,
    /// So many of them at most.
    pub times: Option<u32>,
    /// Only the nth distinct one, counted from 1.
    pub nth: Option<u32>,
    /// Only the nth repeat of one message, counted from 1; 0 is the first transmission.
    pub retransmission: Option<u32>,
    /// Each with that chance, in parts per million.
    pub probability: Option<u32>,
}

/// Something that must be seen, or must not.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Its name, unique in the file.
    pub name: String,
    /// Where the file says so.
    pub span: Span,
    /// Who does it.
    pub host: HostIndex,
    /// What it does.
    pub subject: Subject,
    /// Whether it must not be seen.
    pub never: bool,
    /// Exactly how often it must be seen; once or more where absent.
    pub count: Option<u32>,
    /// What is seen before that does not count.
    pub opens: Instant,
    /// What is seen after that does not count: `within`, counted from `after` or else from the last step
    /// or fault that has an `at`. To the end of the run where absent.
    pub closes: Option<Instant>,
}

/// A broken twin: the run with defects planted in one host.
#[derive(Clone, Debug)]
pub struct KnownBad {
    /// Where the file says so.
    pub span: Span,
    /// Its place among all broken twins of the file, from 1, whether or not they apply to this combination.
    pub number: usize,
    /// Who is broken.
    pub host: HostIndex,
    /// The defects' names; at least one.
    pub defects: Vec<String>,
    /// Exactly the expects and oracles that must object; at least one.
    pub must_fail: Vec<String>,
}

impl Scenario {
    /// The host of that index.
    ///
    /// # Panics
    /// If the index is another scenario's.
    #[must_use]
    pub fn host(&self, index: HostIndex) -> &Host {
        &self.hosts[index.0]
    }

    /// The index of the host of that name.
    #[must_use]
    pub fn host_index(&self, name: &str) -> Option<HostIndex> {
        self.hosts
            .iter()
            .position(|host| host.name == name)
            .map(HostIndex)
    }

    /// Shows a place of the file, in the manner of a diagnostic: title, file, line and column, the source
    /// line, and under it a caret with `label`; last `help`, where there is any.
    #[must_use]
    pub fn point(
        &self,
        span: Span,
        title: &str,
        label: &str,
        help: Option<&str>,
        color: bool,
    ) -> String {
        point(&self.sources, span, title, label, help, color)
    }
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linux, Self::Macos, Self::Windows];

    /// What scenario files call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }

    /// The platform of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.name() == name)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name)
            .field("actor", &self.actor.name)
            .field("lan", &self.lan)
            .field("address", &self.address)
            .field("platform", &self.platform)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}
