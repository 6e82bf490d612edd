//! The actors as software for hosts of a user's own [`turmoil::Sim`].
//!
//! Owns the [`Host`] interface over turmoil's sockets and clock, and a [`Recording`] from which status codes and log
//! levels are read as from a simulation of linefault's own. Refuses what turmoil has not: ICMP, errors per platform, a
//! reset on demand, retransmission of TCP segments. Latency and faults are the `Sim`'s.
//!
//! ```
//! use std::time::Duration;
//!
//! use linefault::bridge::Cast;
//! use linefault::scenario::File;
//! use linefault::suite::names;
//!
//! let text = r#"
//! title = "A registration"
//! [lan.office]
//! subnet = "10.0.0.0/24"
//! [host.proxy]
//! actor = "proxy"
//! domain = "sim.test"
//! [host.alice]
//! actor = "phone"
//! user = "alice"
//! registrar = "proxy"
//! [timeline]
//! steps = [{ at = "0s", host = "alice", do = "register" }]
//! "#;
//! let file = File::read("registration.toml", text, &names()).expect("no mistake in it");
//! let scenario = file.resolve(&file.combinations()[0], &[]).expect("nothing is overridden");
//! let cast = Cast::of(&scenario).expect("turmoil can express it");
//!
//! let mut sim = turmoil::Builder::new().build();
//! for actor in cast.actors() {
//!     sim.host(actor.ip(), move || actor.run());
//! }
//! while sim.elapsed() < Duration::from_secs(1) {
//!     sim.step().expect("nobody fails");
//! }
//! assert_eq!(cast.recording().status_codes(), ["proxy → alice   200 REGISTER"]);
//! ```

mod backend;
mod cast;
mod error;
mod mailbox;
mod recording;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;
mod watched;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use linefault_actors::catalogue::{Command, Directory, Entry, Settings};
use linefault_actors::{Behaviour, Host, drive};

use self::backend::TurmoilHost;
use self::mailbox::{Act, Mailbox};
use self::watched::Watched;
use crate::scenario::nearest;

pub use self::cast::{Cast, Inexpressible};
pub use self::mailbox::Remote;
pub use self::recording::Recording;

/// An actor that is ready to run on a host of a [`turmoil::Sim`]. Clones are the same actor: they share what they are
/// told and what they have drawn.
#[derive(Clone)]
pub struct Actor {
    name: Rc<str>,
    entry: &'static Entry,
    address: SocketAddr,
    settings: Settings,
    directory: Directory,
    seed: u64,
    draws: Rc<RefCell<BTreeMap<&'static str, u64>>>,
    mailbox: Rc<RefCell<Mailbox>>,
    recording: Option<Recording>,
}

/// A host that the directory does not list. Blames the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotListed {
    /// The name that was given.
    pub name: String,
    /// The listed name that is most like it.
    pub nearest: Option<String>,
}

impl Actor {
    /// The actor of that kind on the host of that name, with the address and the settings that the directory lists.
    /// Equal seeds give equal draws of chance: branches, tags, Call-IDs.
    ///
    /// # Errors
    /// The directory does not list the name.
    pub fn new(
        name: &str,
        entry: &'static Entry,
        directory: &Directory,
        seed: u64,
    ) -> Result<Self, NotListed> {
        let Some(listing) = directory.find(name) else {
            let listed = directory.iter().map(|(name, _)| name);
            return Err(NotListed {
                name: name.to_owned(),
                nearest: nearest(name, listed).map(str::to_owned),
            });
        };
        Ok(Self {
            name: name.into(),
            entry,
            address: listing.address,
            settings: listing.settings.clone(),
            directory: directory.clone(),
            seed,
            draws: Rc::default(),
            mailbox: Rc::default(),
            recording: None,
        })
    }

    /// Tells it something at a moment of the simulation. What is due while it does not run is lost.
    #[must_use]
    pub fn at(self, moment: Duration, command: Command) -> Self {
        self.plan(moment, Act::Command(command));
        self
    }

    /// Notes in `recording` what it sends, receives and logs. Its log lines then reach no other subscriber.
    #[must_use]
    pub fn recorded(mut self, recording: &Recording) -> Self {
        self.recording = Some(recording.clone());
        self
    }

    /// Its host's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address under which the `Sim` must know its host.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// A handle to tell it something while it runs, from the test or from another host of the same `Sim`.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote::of(&self.mailbox)
    }

    /// One life of the actor: what [`turmoil::Sim::host`] calls and [`turmoil::Sim::client`] takes. It ends only when the
    /// actor does, which most never do: a `Sim` whose clients they are runs until its end.
    ///
    /// Its result is an error if a socket cannot be opened on the actor's address.
    pub fn run(&self) -> impl Future<Output = turmoil::Result> + use<> {
        let (actor, watch) = (self.clone(), self.watch());
        let life = async move {
            actor.mailbox.borrow_mut().begin(backend::elapsed());
            let host = Host::new(Rc::new(TurmoilHost::new(&actor)));
            let program = (actor.entry.build)(&actor.settings, &actor.directory);
            match program.start(&host) {
                Behaviour::Task(task) => task.await,
                Behaviour::Machine(machine) => drive(host, machine).await?,
            }
            Ok(())
        };
        Watched::new(Box::pin(life), watch)
    }

    fn plan(&self, moment: Duration, act: Act) {
        self.mailbox.borrow_mut().plan(moment, act);
    }

    fn watch(&self) -> Option<Rc<watched::Watch>> {
        let recording = self.recording.clone()?;
        Some(Rc::new(watched::Watch::new(recording, self.address)))
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("name", &self.name)
            .field("actor", &self.entry.name)
            .field("address", &self.address)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotListed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no host is called {:?}", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, ": did you mean {nearest:?}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for NotListed {}
