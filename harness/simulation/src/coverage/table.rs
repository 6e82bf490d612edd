//! The two tables with their holes, and the checkpoints that nobody came by.

use std::fmt::{self, Formatter};

use linefault_actors::checkpoint::{self, Claim};
use linefault_protocol::sip::transaction::{Kind, State, Timer};

use super::item::{can_fire, checkpoints, states};
use super::{Coverage, FaultKind, Item, MessageKind};

/// Where a list of names goes on in the next line.
const WIDTH: usize = 100;

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.faults(f)?;
        writeln!(f)?;
        self.timers(f)?;
        writeln!(f)?;
        self.checkpoints(f)
    }
}

impl Coverage {
    fn faults(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "fault × message: runs in which a fault touched such a message, of {}",
            self.runs
        )?;
        let (began, never): (Vec<_>, Vec<_>) =
            FaultKind::all().partition(|fault| self.has(Item::Armed(*fault)));
        for fault in began {
            self.fault(f, fault)?;
        }
        let never = never.into_iter().map(|fault| fault.to_string());
        list(f, "faults never begun", never.collect())
    }

    fn fault(&self, f: &mut Formatter<'_>, fault: FaultKind) -> fmt::Result {
        let began = self.count(Item::Armed(fault));
        let missed = self.count(Item::Missed(fault));
        write!(f, "  {fault}  began in {began}")?;
        if missed > 0 {
            write!(f, ", touched nothing in {missed}")?;
        }
        writeln!(f)?;
        let possible = MessageKind::all().filter(|message| self.possible(fault, *message));
        let (hit, holes): (Vec<_>, Vec<_>) =
            possible.partition(|message| self.has(Item::Touched(fault, *message)));
        let hit = hit.into_iter().map(|message| {
            let count = self.count(Item::Touched(fault, message));
            format!("{message} {count}")
        });
        list(f, "    hit", hit.collect())?;
        let holes = holes.into_iter().map(|message| message.to_string());
        list(f, "    never", holes.collect())
    }

    /// Whether it was hit, or might have been.
    fn possible(&self, fault: FaultKind, message: MessageKind) -> bool {
        self.has(Item::Touched(fault, message)) || self.has(Item::Chance(fault, message))
    }

    fn checkpoints(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let there = checkpoints().filter(|(_, group, ..)| self.has(Item::Group(*group)));
        let (hit, missed): (Vec<_>, Vec<_>) =
            there.partition(|(place, ..)| self.has(Item::Checkpoint(*place)));
        let all = hit.len() + missed.len();
        writeln!(f, "checkpoints: {} of {all} reached", hit.len())?;
        for group in checkpoint::CATALOGUE {
            let of_it = missed.iter().filter(|(_, _, it, _)| it.name == group.name);
            let names = of_it.map(|(_, _, _, point)| match point.claim {
                Claim::Reached => point.name.to_owned(),
                Claim::Sometimes => format!("never so: {}", point.name),
                Claim::Always => format!("never asked: {}", point.name),
            });
            list(f, &format!("  {} never", group.name), names.collect())?;
        }
        Ok(())
    }

    fn timers(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "machine state × timer: runs in which the timer fired in that state, of {}; · for none, empty where it cannot",
            self.runs
        )?;
        for kind in Kind::ALL {
            self.machine(f, kind)?;
        }
        let unreached = Kind::ALL.into_iter().flat_map(|kind| {
            let missed = states(kind).filter(move |state| !self.has(Item::State(kind, *state)));
            missed.map(move |state| format!("{kind} {state}"))
        });
        list(f, "states never reached", unreached.collect())?;
        let names = |missed: &dyn Fn(Timer) -> bool| {
            let timers = Timer::ALL.into_iter().filter(|timer| missed(*timer));
            timers.map(|timer| timer.to_string()).collect()
        };
        let fired = |timer| {
            let mut all = self.counts.keys();
            all.any(|item| matches!(item, Item::Fired(_, _, other) if *other == timer))
        };
        let set = |timer| self.has(Item::Set(timer)) || fired(timer);
        list(f, "timers never set", names(&|timer| !set(timer)))?;
        list(
            f,
            "timers set that never fired",
            names(&|timer| set(timer) && !fired(timer)),
        )
    }

    fn machine(&self, f: &mut Formatter<'_>, kind: Kind) -> fmt::Result {
        let fires = |timer: &Timer| states(kind).any(|state| can_fire(kind, state, *timer));
        let timers: Vec<_> = Timer::ALL.into_iter().filter(fires).collect();
        write!(f, "  {:<18}{:>8}", kind.name(), "reached")?;
        for timer in &timers {
            write!(f, "{:>8}", timer.name())?;
        }
        writeln!(f)?;
        for state in states(kind) {
            let cells = timers.iter().map(|timer| match *timer {
                timer if !can_fire(kind, state, timer) => String::new(),
                timer => cell(self.count(Item::Fired(kind, state, timer))),
            });
            let line: String = cells.map(|cell| format!("{cell:>8}")).collect();
            let reached = cell(self.count(Item::State(kind, state)));
            writeln!(
                f,
                "{}",
                format!("    {:<16}{reached:>8}{line}", state.name()).trim_end()
            )?;
        }
        Ok(())
    }

    /// What is possible and did not happen: states that a machine can come to, timers that can fire in them, kinds of
    /// messages that were sent and never touched by a kind of fault that began, checkpoints of actors that ran.
    #[must_use]
    pub fn holes(&self) -> Vec<Item> {
        let machines = Kind::ALL.into_iter().flat_map(|kind| {
            let of_states = states(kind).map(move |state| Item::State(kind, state));
            let pairs = states(kind).flat_map(move |state: State| {
                let timers = Timer::ALL.into_iter();
                let fire = timers.filter(move |timer| can_fire(kind, state, *timer));
                fire.map(move |timer| Item::Fired(kind, state, timer))
            });
            of_states.chain(pairs)
        });
        let faults = FaultKind::all().filter(|fault| self.has(Item::Armed(*fault)));
        let touches = faults.flat_map(|fault| {
            let possible = MessageKind::all().filter(move |it| self.possible(fault, *it));
            possible.map(move |message| Item::Touched(fault, message))
        });
        let there = checkpoints().filter(|(_, group, ..)| self.has(Item::Group(*group)));
        let points = there.map(|(place, ..)| Item::Checkpoint(place));
        let all = machines.chain(touches).chain(points);
        all.filter(|item| !self.has(*item)).collect()
    }
}

fn cell(count: u64) -> String {
    match count {
        0 => "·".to_owned(),
        count => count.to_string(),
    }
}

/// Names behind a title, in as many lines as they need; nothing for none.
fn list(f: &mut Formatter<'_>, title: &str, names: Vec<String>) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    let indent = title.chars().count() + 2;
    let mut line = format!("{title}: ");
    let mut filled = false;
    for name in names {
        if filled && line.chars().count() + name.chars().count() + 3 > WIDTH {
            writeln!(f, "{}", line.trim_end())?;
            line = " ".repeat(indent);
            filled = false;
        }
        if filled {
            line.push_str(" · ");
        }
        line.push_str(&name);
        filled = true;
    }
    writeln!(f, "{line}")
}
