//! Hosts whose code is written for tokio: `tokio::spawn`, `tokio::time`, hyper. Only their sockets are the network's.
//!
//! Owns one tokio runtime for each incarnation of such a host, so that a killed process loses all its tasks, and how
//! tokio's paused clock keeps step with the engine's. Refuses what leaves the simulation: threads, real sockets, the wall
//! clock.
//!
//! tokio's timers come due at whole milliseconds. They bound how far the engine jumps, but move none of its own events:
//! every other host does the same at the same moment, whether a foreign host is there or not. Between two stops no code of
//! a foreign host runs, so that it always finds both clocks at the same time.
//!
//! What it cannot know is what a tokio timer is for. None of them counts as foreground, and a network with a foreign host
//! that lives is never [`Advance::Idle`](crate::Advance::Idle): time goes on to the limit.

mod alarm;
mod panics;
mod runtime;
mod stop;

use std::rc::Rc;

use crate::host::Host;
use crate::state::{Factory, State};
use crate::{HostId, Network};

pub use panics::set_panic_hook;

pub(crate) use panics::{Watch, aside};
pub(crate) use runtime::Runtime;

impl Network {
    /// As [`Network::start`], for code that uses tokio's executor and clock. Until the host is started otherwise, each of
    /// its incarnations has a current-thread runtime of its own, whose time is the engine's.
    ///
    /// `tokio::time::Instant` and everything that sleeps on it follow the engine. What does not: `std::time`, threads
    /// (`spawn_blocking` among them), tokio's sockets, and the order in which an unbiased `select!` asks its branches.
    ///
    /// A task that wakes itself for ever without waiting for anything hangs the call of [`Network::advance`], as it would
    /// keep a real processor busy for ever.
    ///
    /// # Panics
    /// [`Network::advance`] panics where it is called within a tokio runtime, and once the code has called
    /// `tokio::time::resume`.
    pub fn start_foreign<F>(&self, host: HostId, main: impl Fn(Host) -> F + 'static) -> Host
    where
        F: Future<Output = ()> + 'static,
    {
        panics::watch();
        let factory: Factory = Rc::new(move |host| Box::pin(main(host)));
        self.0.with(|state| {
            state.has_foreign = true;
            state.machine_mut(host).foreign = true;
        });
        self.begin_with(host, factory)
    }
}

impl State {
    /// The runtimes of the foreign hosts that can run now, by number of host.
    fn foreign(&self) -> impl Iterator<Item = (HostId, &Runtime)> {
        self.topology.hosts().filter_map(|host| {
            let machine = self.machine(host);
            let running = machine.running.as_deref()?;
            let runtime = running.runtime()?;
            (!machine.frozen.is_frozen()).then_some((host, runtime))
        })
    }

    /// Adds the foreign hosts that a task of theirs was woken on by others.
    pub(crate) fn list_foreign(&self, woken: &mut Vec<HostId>) {
        if self.has_foreign {
            let hosts = self.foreign().filter(|(_, runtime)| runtime.is_woken());
            woken.extend(hosts.map(|(host, _)| host));
            woken.sort_unstable();
            woken.dedup();
        }
    }

    /// Whether a task of a foreign host was woken by others.
    pub(crate) fn is_foreign_woken(&self) -> bool {
        self.has_foreign && self.foreign().any(|(_, runtime)| runtime.is_woken())
    }
}
