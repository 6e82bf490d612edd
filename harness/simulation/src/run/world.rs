//! The hosts of one simulation, and the loop that moves them through time.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use linefault_actors::catalogue::{Command, Value};
use linefault_network::{Advance, HostId, Instant, Network, RecordId, Recorder};

use super::agenda::{Agenda, Item, moment};
use super::fault::Injected;
use super::life::Life;
use super::{End, Ending, MOST_RECORDS, Setup, Simulation, topology};
use crate::injection;
use crate::logging;
use crate::scenario::{Place, Scenario, StepAction};
use crate::sighting::{Listener, Sightings};
use crate::trace::{Event, StepRecord, Trace};

pub(super) struct World<'a> {
    scenario: &'a Scenario,
    network: Network,
    trace: Rc<RefCell<Trace>>,
    lives: Vec<Rc<Life>>,
    agenda: Agenda,
    faults: Vec<Injected>,
    /// How many records have been looked at for what items wait for.
    looked_at: usize,
    /// Hears what is said on TCP connections, as long as something waits for it.
    listener: Listener,
    /// How many records it has heard.
    heard: usize,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario, setup: Setup<'_>) -> Self {
        let trace = Trace::shared();
        let recorder: Rc<RefCell<dyn Recorder>> = trace.clone();
        let network = Network::new(scenario.run.seed, recorder);
        let ids = topology::build(scenario, &network);
        trace
            .borrow_mut()
            .set_hosts(topology::traced(scenario, &ids));
        let lives = Life::all(scenario, setup, &ids);
        let agenda = Agenda::new(scenario, setup.without);
        let faults = scenario
            .faults
            .iter()
            .map(|_| Injected::default())
            .collect();
        Self {
            scenario,
            network,
            trace,
            lives,
            agenda,
            faults,
            looked_at: 0,
            listener: Listener::default(),
            heard: 0,
        }
    }

    pub(super) fn run(mut self) -> Simulation {
        let (network, trace) = (self.network.clone(), Rc::clone(&self.trace));
        let end = logging::capture(&network, &trace, || {
            self.start();
            self.play()
        });
        let ended_at = self.network.now();
        let faults = self
            .faults
            .iter()
            .map(|fault| fault.count(&self.network))
            .collect();
        // The network's tasks hold handles on the trace: they go first, without leaving records behind.
        let trace = Trace::finish(&self.trace);
        Simulation {
            trace,
            end,
            ended_at,
            faults,
        }
    }

    fn start(&mut self) {
        for life in &self.lives {
            let (this, trace) = (Rc::clone(life), Rc::clone(&self.trace));
            let main = move |handle| this.begin(handle, &trace);
            #[cfg(feature = "foreign")]
            if life.is_foreign() {
                self.network.start_foreign(life.id, main);
                continue;
            }
            self.network.start(life.id, main);
        }
        self.settle();
        for life in &self.lives {
            self.record(Some(life.id), None, Event::Settled);
        }
        self.looked_at = self.trace.borrow().records().len();
    }

    /// Moves from instant to instant until the run is over.
    fn play(&mut self) -> End {
        let open_until = self
            .scenario
            .expects
            .iter()
            .filter_map(|expect| expect.closes);
        let mut ending = Ending::new(open_until.map(moment).max().unwrap_or(Instant::START));
        let last = moment(
            self.scenario
                .run
                .run_until
                .unwrap_or(self.scenario.run.time_max),
        );
        loop {
            self.do_what_is_due();
            if self.trace.borrow().records().len() > MOST_RECORDS {
                return End::Flooded;
            }
            if self.scenario.run.run_until.is_none() {
                ending.observe(self.network.now(), self.is_busy(), self.agenda.is_empty());
                if ending.due().is_some_and(|due| self.network.now() >= due) && !self.is_busy() {
                    return self.quiet_end();
                }
            }
            let wanted = [self.agenda.next(), ending.due()].into_iter().flatten();
            let later = wanted.filter(|at| *at > self.network.now()).min();
            let limit = later.map_or(last, |at| at.min(last));
            match self.network.advance(limit) {
                Advance::Stuck(_) => return End::Stuck,
                Advance::Moved => self.look_at_new_records(),
                // Nothing at all is to come: let time pass all the same.
                Advance::Idle if self.network.now() < limit => {
                    self.network.schedule(limit, |_| {});
                }
                Advance::Limit | Advance::Idle => {
                    if limit == last && self.agenda.next().is_none_or(|next| next > last) {
                        return self.end_at_last();
                    }
                }
            }
        }
    }

    /// Lets everything happen that is due at this moment.
    fn settle(&self) -> bool {
        !matches!(self.network.advance(self.network.now()), Advance::Stuck(_))
    }

    fn is_busy(&self) -> bool {
        self.network.packets_in_flight() > 0 || self.network.foreground_timers() > 0
    }

    fn quiet_end(&self) -> End {
        let steps = self.agenda.waiting_steps();
        if steps.is_empty() {
            End::Quiet
        } else {
            End::Deadlock { steps }
        }
    }

    fn end_at_last(&self) -> End {
        match self.scenario.run.run_until {
            Some(_) => End::RunUntil,
            None => End::TimeMax,
        }
    }

    /// Takes the steps and begins the faults whose moment is there, then lets the hosts react.
    fn do_what_is_due(&mut self) {
        while let Some((item, cause)) = self.agenda.take_due(self.network.now()) {
            match item {
                Item::Step(index) => self.take_step(index, cause),
                Item::Fault(index) => self.begin_fault(index, cause),
            }
            self.settle();
            self.look_at_new_records();
        }
    }

    fn take_step(&mut self, index: usize, cause: Option<RecordId>) {
        let step = &self.scenario.steps[index];
        let life = Rc::clone(&self.lives[step.host.0]);
        let alive = self.network.host(life.id).is_alive();
        let refused = (!alive).then_some("the host is down");
        let text = self.step_text(&step.action);
        let raw = matches!(step.action, StepAction::SendRaw { .. });
        let record = StepRecord {
            index,
            text,
            raw,
            refused,
        };
        let id = self.record(Some(life.id), cause, Event::Step(record));
        if refused.is_some() {
            return;
        }
        match &step.action {
            StepAction::Command(command) => {
                life.mailbox().borrow_mut().push(command.clone(), id);
            }
            StepAction::SendRaw { to, raw } => {
                self.network.set_cause(Some(id));
                let to = self.scenario.host(*to).address;
                life.mailbox()
                    .borrow()
                    .send_raw(Bytes::from(raw.clone()), to);
                self.network.set_cause(None);
            }
        }
    }

    fn step_text(&self, action: &StepAction) -> String {
        match action {
            StepAction::Command(command) => command_text(command),
            StepAction::SendRaw { to, .. } => format!("send to {}", self.scenario.host(*to).name),
        }
    }

    fn begin_fault(&mut self, index: usize, cause: Option<RecordId>) {
        let fault = &self.scenario.faults[index];
        let ids: Vec<_> = self.lives.iter().map(|life| life.id).collect();
        self.network.set_cause(cause);
        self.faults[index] = match &fault.place {
            Place::Host(host) if fault.name == injection::NAME => {
                Injected::into_program(fault, &self.lives[host.0], &self.network)
            }
            _ => Injected::inject(fault, &ids, &self.network),
        };
        self.network.set_cause(None);
    }

    /// Marks restarted hosts as settled, and moves up what waited for something that has just been seen.
    fn look_at_new_records(&mut self) {
        let from = std::mem::replace(&mut self.looked_at, self.trace.borrow().records().len());
        self.settle_restarted(from);
        if self.agenda.is_watching() {
            let trace = self.trace.borrow();
            if self.agenda.is_listening() {
                self.listener.listen(&trace, self.heard);
                self.heard = trace.records().len();
            }
            let sightings = Sightings::new(&trace, from, &self.listener);
            self.agenda
                .trigger(self.network.now(), |trigger| sightings.first(trigger));
        }
    }

    fn settle_restarted(&mut self, from: usize) {
        let trace = self.trace.borrow();
        let started = trace.records()[from..].iter().filter(|record| {
            let event = &record.event;
            matches!(
                event,
                Event::Network(linefault_network::Event::HostStarted { .. })
            )
        });
        let hosts: Vec<_> = started.filter_map(|record| record.host).collect();
        drop(trace);
        for host in hosts {
            self.record(Some(host), None, Event::Settled);
            self.looked_at += 1;
        }
    }

    fn record(&self, host: Option<HostId>, cause: Option<RecordId>, event: Event) -> RecordId {
        self.trace
            .borrow_mut()
            .push(self.network.now(), host, cause, event)
    }
}

fn command_text(command: &Command) -> String {
    let texts = command
        .arguments
        .iter()
        .filter_map(|(_, value)| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
    std::iter::once(command.name)
        .chain(texts)
        .collect::<Vec<_>>()
        .join(" ")
}
