//! What stands at one moment of a run: what is open, in which state machines are, which timers are pending.
//!
//! Owns the reading of the trace's opened, closed, set and fired. Refuses to say what is left over: that is the oracle's.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use linefault_actors::{Report, TimerChange};
use linefault_network::{self as network, ConnectionState, HostId, Instant, TimerClass};

use crate::trace::{Event, Record, Trace};

/// What stands when a trace ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What was opened and not closed.
    pub open: Vec<Open>,
    /// What will fire, if nothing else happens, soonest first.
    pub timers: Vec<Pending>,
}

/// Something open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Whose, by name.
    pub host: String,
    /// What kind of thing.
    pub kind: &'static str,
    /// What a reader recognises it by.
    pub label: String,
    /// The state that its machine or connection is in, if it has one.
    pub state: Option<String>,
    /// Since when.
    pub since: Instant,
}

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When it fires.
    pub due: Instant,
    /// Whose, by name.
    pub host: String,
    /// "Timer B of transaction INVITE z9hG4bK…", "foreground wake-up".
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Reported(&'static str, u64),
    Socket(u64),
}

#[derive(Default)]
struct Reader {
    open: BTreeMap<(HostId, Key), Open>,
    /// Protocol timers, by their machine's number and name.
    timers: BTreeMap<(HostId, u64, &'static str), Instant>,
    /// The engine's.
    wake_ups: BTreeMap<(HostId, u64), (Instant, TimerClass)>,
    /// The other end and the state of TCP sockets, known before they are accepted.
    connections: BTreeMap<(HostId, Key), (SocketAddr, ConnectionState)>,
}

impl Standing {
    /// What stands at the end of that trace.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        let mut reader = Reader::default();
        for record in trace.records() {
            if let Some(host) = record.host {
                reader.take(trace, host, record);
            }
        }
        reader.name_connections();
        let mut timers = reader.pending(trace);
        timers.sort_by(|left, right| (left.due, &left.host).cmp(&(right.due, &right.host)));
        Self {
            timers,
            open: reader.open.into_values().collect(),
        }
    }
}

impl Reader {
    fn take(&mut self, trace: &Trace, host: HostId, record: &Record) {
        match &record.event {
            Event::Report(Report::Opened {
                kind, id, label, ..
            }) => {
                let key = (host, Key::Reported(kind, *id));
                let open = opened(trace, host, record, kind, label.clone());
                self.open.insert(key, open);
            }
            Event::Report(Report::Closed { kind, id }) => {
                self.open.remove(&(host, Key::Reported(kind, *id)));
            }
            Event::Report(Report::State { id, to, .. }) => {
                for kind in ["transaction", "answer"] {
                    if let Some(open) = self.open.get_mut(&(host, Key::Reported(kind, *id))) {
                        open.state = Some((*to).to_owned());
                    }
                }
            }
            Event::Report(Report::Timer { timer, id, change }) => {
                let key = (host, *id, *timer);
                match change {
                    TimerChange::Set(at) => {
                        let due = Instant::from_micros(at.as_micros());
                        self.timers.insert(key, due);
                    }
                    TimerChange::Fired | TimerChange::Cancelled => _ = self.timers.remove(&key),
                }
            }
            Event::Network(event) => self.happened(trace, host, record, event),
            _ => {}
        }
    }

    fn happened(&mut self, trace: &Trace, host: HostId, record: &Record, event: &network::Event) {
        use network::Event as N;
        match event {
            N::SocketOpened { socket, local } => {
                let open = opened(trace, host, record, "socket", local.to_string());
                self.open.insert((host, Key::Socket(socket.0)), open);
            }
            N::SocketClosed { socket } => _ = self.open.remove(&(host, Key::Socket(socket.0))),
            N::ConnectionState {
                socket,
                remote,
                state,
                ..
            } => {
                let key = (host, Key::Socket(socket.0));
                self.connections.insert(key, (*remote, *state));
            }
            N::TimerSet { timer, due, class } => {
                self.wake_ups.insert((host, timer.0), (*due, *class));
            }
            N::TimerFired { timer } | N::TimerCancelled { timer } => {
                self.wake_ups.remove(&(host, timer.0));
            }
            // What a process had goes with it.
            N::HostStopped { .. } => {
                self.open.retain(|(of, _), _| *of != host);
                self.timers.retain(|(of, ..), _| *of != host);
                self.wake_ups.retain(|(of, _), _| *of != host);
            }
            _ => {}
        }
    }

    fn name_connections(&mut self) {
        for (key, open) in &mut self.open {
            if let Some((remote, state)) = self.connections.get(key) {
                open.label.push_str(&format!(" → {remote}"));
                open.state = Some(format!("{state:?}"));
            }
        }
    }

    fn pending(&self, trace: &Trace) -> Vec<Pending> {
        let named = self.timers.iter().map(|((host, id, timer), due)| {
            let of = self.open.get(&(*host, Key::Reported("transaction", *id)));
            let of = of.map_or_else(|| format!("{id}"), |open| open.label.clone());
            Pending {
                due: *due,
                host: trace.host_name(*host).to_owned(),
                what: format!("Timer {timer} of transaction {of}"),
            }
        });
        let wake_ups = self.wake_ups.iter().map(|((host, _), (due, class))| {
            let class = match class {
                TimerClass::Foreground => "foreground",
                TimerClass::Background => "background",
            };
            Pending {
                due: *due,
                host: trace.host_name(*host).to_owned(),
                what: format!("{class} wake-up"),
            }
        });
        named.chain(wake_ups).collect()
    }
}

fn opened(trace: &Trace, host: HostId, record: &Record, kind: &'static str, label: String) -> Open {
    Open {
        host: trace.host_name(host).to_owned(),
        kind,
        label,
        state: None,
        since: record.at,
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "open")?;
        for open in &self.open {
            let state = open.state.as_deref();
            let state = state.map_or(String::new(), |state| format!("  in {state}"));
            let (host, kind, label) = (&open.host, open.kind, &open.label);
            writeln!(f, "  {host}  {kind} {label}  since {}{state}", open.since)?;
        }
        writeln!(f, "pending timers")?;
        for timer in &self.timers {
            writeln!(
                f,
                "  {:>10}  {}  {}",
                timer.due.to_string(),
                timer.host,
                timer.what
            )?;
        }
        Ok(())
    }
}
