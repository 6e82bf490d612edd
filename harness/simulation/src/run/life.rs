//! The processes of a simulation: what runs on a host, and begins anew with each start.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use linefault_actors::catalogue::{Actor, Directory, Listing};
use linefault_actors::{Behaviour, drive};
use linefault_network::HostId;

use super::Setup;
use crate::backend::{Mailbox, SimulatedHost};
use crate::defect::{Defect, plant_edits, plant_policies};
use crate::injection::Injections;
use crate::scenario::{self, Scenario};
use crate::trace::Trace;

/// What outlives the incarnations of one host.
pub(super) struct Life {
    pub(super) id: HostId,
    actor: Box<dyn Actor>,
    address: SocketAddr,
    defects: Vec<&'static Defect>,
    mailbox: RefCell<Rc<RefCell<Mailbox>>>,
    pub(super) injections: Rc<Injections>,
}

impl Life {
    /// The hosts of a scenario, configured and with the defects of that setup; nobody runs yet.
    pub(super) fn all(scenario: &Scenario, setup: Setup<'_>, ids: &[HostId]) -> Vec<Rc<Self>> {
        let directory = directory(scenario);
        let hosts = scenario.hosts.iter().zip(ids).enumerate();
        let lives = hosts.map(|(index, (host, id))| {
            let planted = setup.defects.iter().filter(|(broken, _)| broken.0 == index);
            let defects: Vec<_> = planted.map(|(_, defect)| *defect).collect();
            let mut actor = (host.actor.build)(&host.settings, &directory);
            plant_policies(actor.as_mut(), &defects);
            let (id, address, mailbox) = (*id, host.address, RefCell::default());
            Rc::new(Self {
                id,
                actor,
                address,
                defects,
                mailbox,
                injections: Rc::default(),
            })
        });
        lives.collect()
    }

    /// Whether its code uses tokio's executor and clock.
    #[cfg(feature = "foreign")]
    pub(super) fn is_foreign(&self) -> bool {
        self.actor.is_foreign()
    }

    /// What reaches the present incarnation from outside the network.
    pub(super) fn mailbox(&self) -> Rc<RefCell<Mailbox>> {
        Rc::clone(&self.mailbox.borrow())
    }

    /// One incarnation's main task.
    pub(super) fn begin(
        self: &Rc<Self>,
        handle: linefault_network::Host,
        trace: &Rc<RefCell<Trace>>,
    ) -> impl Future<Output = ()> + use<> {
        let mailbox = Rc::<RefCell<Mailbox>>::default();
        self.mailbox.replace(Rc::clone(&mailbox));
        let trace = Rc::clone(trace);
        let host = SimulatedHost::handle(
            handle,
            self.address,
            trace,
            mailbox,
            Rc::clone(&self.injections),
        );
        let this = Rc::clone(self);
        async move {
            match this.actor.start(&host) {
                Behaviour::Task(task) => task.await,
                Behaviour::Machine(machine) => {
                    let machine = plant_edits(machine, &this.defects);
                    if let Err(error) = drive(host, machine).await {
                        tracing::error!(%error, "cannot open the socket");
                    }
                }
            }
        }
    }
}

/// Who is where in a scenario.
pub(crate) fn directory(scenario: &Scenario) -> Directory {
    let listing = |host: &scenario::Host| {
        let listing = Listing {
            address: host.address,
            settings: host.settings.clone(),
        };
        (host.name.clone(), listing)
    };
    Directory::new(scenario.hosts.iter().map(listing).collect())
}
