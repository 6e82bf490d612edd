//! Starting and stopping hosts.

use std::rc::{Rc, Weak};

use crate::event::{Event, Stop};
use crate::executor::Incarnation;
use crate::fault::{FaultId, HostChange};
use crate::host::Host;
use crate::state::{Factory, Inner, State};
use crate::{HostId, Network};

impl Network {
    /// Begins an incarnation of a host with this code, and keeps the code for restarts. A running incarnation is
    /// killed first; a machine that is off boots. The incarnation goes on after `main` returns, with the tasks that it
    /// has spawned.
    pub fn start<F>(&self, host: HostId, main: impl Fn(Host) -> F + 'static) -> Host
    where
        F: Future<Output = ()> + 'static,
    {
        let factory: Factory = Rc::new(move |host| Box::pin(main(host)));
        #[cfg(feature = "foreign")]
        self.0.with(|state| state.machine_mut(host).foreign = false);
        self.begin_with(host, factory)
    }

    pub(crate) fn begin_with(&self, host: HostId, factory: Factory) -> Host {
        self.0
            .with(|state| state.machine_mut(host).factory = Some(factory));
        let cause = self.cause();
        self.restart(host);
        self.set_cause(cause);
        self.host(host)
    }

    /// Boots the machine if need be, kills its process if it runs, and starts it anew. False if there is no code.
    pub(crate) fn restart(&self, host: HostId) -> bool {
        self.stop(host, Stop::Killed);
        let begun = self.0.with(|state| {
            state.power_on(host);
            let factory = state.machine(host).factory.clone()?;
            let network = Rc::downgrade(&self.0);
            state.begin_incarnation(host, &network);
            Some((factory, Host::new(network, state, host)))
        });
        let Some((factory, handle)) = begun else {
            return false;
        };
        let host = handle.clone();
        // Called within the task, so that a panic stays there.
        let _main = handle.spawn(async move { factory(host).await });
        true
    }

    /// Does to a host what a fault asks; false if that changes nothing.
    pub(crate) fn begin(&self, fault: FaultId, change: HostChange, host: HostId) -> bool {
        match change {
            HostChange::Kill => self.stop(host, Stop::Killed),
            HostChange::Restart => self.restart(host),
            HostChange::Detach => self.0.with(|state| state.detach(host)),
            HostChange::Crash => self.crash(fault, host),
            HostChange::Freeze => self.0.with(|state| state.freeze(host, fault)),
            HostChange::Resume => self.0.with(|state| state.resume_host(host, None)),
            HostChange::NatExpire | HostChange::NatRebind => self
                .0
                .with(|state| state.nats.change(change, host, state.now)),
            HostChange::Stall => self.0.with(|state| state.stall(host, true)),
            HostChange::PowerOff => {
                let stopped = self.stop(host, Stop::PowerOff);
                self.0.with(|state| state.power_off(host)) || stopped
            }
        }
    }

    /// Undoes it. A process is not started on a machine that is off, nor one that runs already.
    pub(crate) fn undo(&self, fault: FaultId, change: HostChange, host: HostId) {
        let (powered, running) = self.0.with(|state| {
            let machine = state.machine(host);
            (machine.powered, machine.running.is_some())
        });
        match change {
            HostChange::Detach => self.0.with(|state| state.attach(host)),
            HostChange::Stall => self.0.with(|state| {
                state.stall(host, false);
            }),
            HostChange::PowerOff if !powered => {
                self.restart(host);
            }
            HostChange::Kill | HostChange::Crash if powered && !running => {
                self.restart(host);
            }
            HostChange::Freeze => {
                self.0.with(|state| state.resume_host(host, Some(fault)));
            }
            HostChange::PowerOff
            | HostChange::Kill
            | HostChange::Crash
            | HostChange::Restart
            | HostChange::Resume
            | HostChange::NatExpire
            | HostChange::NatRebind => {}
        }
    }

    fn crash(&self, fault: FaultId, host: HostId) -> bool {
        let panics = self.0.with(|state| {
            let machine = state.machine(host);
            let panics = machine.running.is_some() && !machine.frozen.is_frozen();
            if panics {
                let panic = state.record(Some(host), Event::InvitedPanic { fault });
                state.cause = Some(panic);
            }
            panics
        });
        panics && self.stop(host, Stop::Crashed)
    }

    fn stop(&self, host: HostId, how: Stop) -> bool {
        // The tasks are dropped outside: their destructors come back.
        let stopped = self.0.with(|state| state.end_incarnation(host, how));
        stopped.is_some()
    }
}

impl State {
    fn begin_incarnation(&mut self, host: HostId, network: &Weak<Inner>) {
        let running = Rc::new(self.new_incarnation(host, network));
        let machine = self.machine_mut(host);
        machine.incarnation += 1;
        machine.running = Some(running);
        let incarnation = machine.incarnation;
        let started = self.record(Some(host), Event::HostStarted { incarnation });
        self.cause = Some(started);
    }

    #[cfg(feature = "foreign")]
    fn new_incarnation(&self, host: HostId, network: &Weak<Inner>) -> Incarnation {
        if !self.machine(host).foreign {
            return Incarnation::new(host, &self.woken);
        }
        let build = |lister| crate::foreign::Runtime::new(network.clone(), host, self.now, lister);
        Incarnation::foreign(host, &self.woken, build)
    }

    #[cfg(not(feature = "foreign"))]
    fn new_incarnation(&self, host: HostId, _: &Weak<Inner>) -> Incarnation {
        Incarnation::new(host, &self.woken)
    }

    fn end_incarnation(&mut self, host: HostId, how: Stop) -> Option<Rc<Incarnation>> {
        let machine = self.machine_mut(host);
        let running = machine.running.take()?;
        let incarnation = machine.incarnation;
        let closed = machine.sockets.close_all();
        self.forget_freezing(host);
        let stopped = self.record(Some(host), Event::HostStopped { incarnation, how });
        self.cause = Some(stopped);
        for socket in closed {
            self.record(Some(host), Event::SocketClosed { socket: socket.id });
            // Nobody is left to be woken, but a waker's destructor may come back.
            self.wakes.extend(socket.readers);
        }
        match how {
            Stop::Killed | Stop::Crashed => self.close_connections(host),
            Stop::PowerOff => self.forget_connections(host),
        }
        Some(running)
    }

    fn power_on(&mut self, host: HostId) {
        self.machine_mut(host).powered = true;
        self.note_presence(host);
    }

    fn power_off(&mut self, host: HostId) -> bool {
        let was_on = std::mem::replace(&mut self.machine_mut(host).powered, false);
        self.machine_mut(host).path_mtu.clear();
        self.forget_connections(host);
        self.note_presence(host);
        self.forget_asking(host);
        was_on
    }

    fn detach(&mut self, host: HostId) -> bool {
        self.machine_mut(host).detached += 1;
        self.note_presence(host);
        self.machine(host).powered
    }

    fn attach(&mut self, host: HostId) {
        let machine = self.machine_mut(host);
        machine.detached = machine.detached.saturating_sub(1);
        self.note_presence(host);
    }

    /// Keeps the moment since which neighbours get no answer.
    fn note_presence(&mut self, host: HostId) {
        let now = self.now;
        let machine = self.machine_mut(host);
        machine.vanished = if machine.on_lan() {
            None
        } else {
            Some(machine.vanished.unwrap_or(now))
        };
    }
}
