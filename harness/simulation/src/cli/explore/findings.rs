//! What a campaign showed: its findings, their files, a summary.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::plans::Plans;
use crate::cli::{Exit, output};
use crate::explore::campaign::{FaultTally, Finding, Tally};
use crate::explore::found::{Found, Origin};
use crate::explore::part::Part;
use crate::explore::{Explorer, Kind, Plan, shrink};

pub(super) struct Findings<'a> {
    pub(super) part: &'a Part,
    /// Whether to print what was tried.
    pub(super) coverage: bool,
}

/// One kind of violation: in the first plan that showed it, and in how many runs of all.
struct Group<'t> {
    plan: usize,
    finding: &'t Finding,
    runs: u64,
    others: usize,
}

impl Findings<'_> {
    /// Prints what was found.
    pub(super) fn list(&self) -> Result<Exit, Exit> {
        self.each(|_, _, _| Ok(String::new()))
    }

    /// Shrinks what was found, writes it into the folder, and prints it.
    pub(super) fn write(
        &self,
        plans: &Plans,
        folder: &Path,
        stops: &AtomicUsize,
    ) -> Result<Exit, Exit> {
        self.each(|kind, group, command| {
            let Some((plan, path)) = plans.get(group.plan) else {
                return Ok(String::new());
            };
            let origin = Origin {
                scenario: path,
                command,
                seen: &group.finding.seen,
                drawn: group.finding.drawn,
            };
            let case = Case {
                plan,
                kind,
                seed: group.finding.seed,
                origin,
            };
            case.write(folder, &|| stops.load(Ordering::Relaxed) < 2)
        })
    }

    /// Prints each kind once, with what `more` has to say of it.
    fn each(
        &self,
        mut more: impl FnMut(&Kind, &Group<'_>, &str) -> Result<String, Exit>,
    ) -> Result<Exit, Exit> {
        let tallies = self.part.tallies();
        let mut worst = self.crashes();
        for (kind, group) in &groups(&tallies) {
            worst = worst.max(Exit::Violation);
            let id = &self.part.campaign.plans[group.plan];
            let command = with_seed(&id.command, group.finding.seed);
            let others = match group.others {
                0 => String::new(),
                others => format!(" and {} more", output::count(others, "scenario")),
            };
            // Where a file cannot be written the finding is still said.
            let more = more(kind, group, &command).unwrap_or_else(|exit| {
                worst = worst.max(exit);
                String::new()
            });
            let text = format!(
                "found     {kind}, in {} of {}{others}\n          {}\n{more}replay: {command}\n",
                output::count(usize::try_from(group.runs).unwrap_or(usize::MAX), "run"),
                id.test,
                group.finding.seen.text.replace('\n', "\n          "),
            );
            output::line(&text).map_err(|error| output::broken_pipe(&error))?;
        }
        Ok(worst)
    }

    /// Prints the seeds with which linefault itself failed.
    pub(super) fn crashes(&self) -> Exit {
        let tallies = self.part.tallies();
        let mut worst = Exit::Pass;
        for (id, tally) in self.part.campaign.plans.iter().zip(&tallies) {
            for (seed, how) in &tally.crashes {
                worst = Exit::Harness;
                let command = with_seed(&id.command, *seed);
                output::mistake(&format!(
                    "linefault itself failed: {how}\nreplay: {command}"
                ));
            }
        }
        worst
    }

    /// Prints what was tried, and one line for everything.
    pub(super) fn summary(&self, took: Option<Duration>) -> Result<(), Exit> {
        let mut all = Tally::default();
        self.part
            .tallies()
            .iter()
            .for_each(|tally| all.merge(tally));
        let mut text = String::new();
        if self.coverage {
            text.push_str(&format!("{}\n{}\n", all.coverage, faults(&all)));
        }
        let speed = took.map(|took| all.runs as f64 / took.as_secs_f64().max(1e-9));
        let speed = speed.map_or(String::new(), |speed| format!(", {speed:.0} a second"));
        let (done, of) = self.part.progress();
        let share = if done < of && took.is_none() {
            format!(" of {of}")
        } else {
            String::new()
        };
        text.push_str(&format!(
            "{done} runs{share} of {}{speed}: {} run twice and the same, {} with violations, {}",
            output::count(self.part.campaign.plans.len(), "scenario"),
            all.checked,
            all.violating,
            output::count(all.findings.len(), "kind"),
        ));
        output::line(&text).map_err(|error| output::broken_pipe(&error))
    }
}

fn with_seed(command: &str, seed: u64) -> String {
    format!("{command} --seeds {seed}..{}", seed.saturating_add(1))
}

fn groups(tallies: &[Tally]) -> BTreeMap<&Kind, Group<'_>> {
    let mut groups: BTreeMap<&Kind, Group<'_>> = BTreeMap::new();
    for (plan, tally) in tallies.iter().enumerate() {
        for (kind, finding) in &tally.findings {
            let new = Group {
                plan,
                finding,
                runs: 0,
                others: 0,
            };
            let group = groups.entry(kind).or_insert(new);
            group.runs += finding.runs;
            group.others += usize::from(group.plan != plan);
        }
    }
    groups
}

/// A finding that is to become a file.
struct Case<'a> {
    plan: &'a Plan,
    kind: &'a Kind,
    seed: u64,
    origin: Origin<'a>,
}

impl Case<'_> {
    fn write(&self, folder: &Path, go_on: &dyn Fn() -> bool) -> Result<String, Exit> {
        let Self {
            plan,
            kind,
            seed,
            origin,
        } = self;
        let known = folder.join(Found::file_name(kind));
        if known.exists() {
            return Ok(format!("          known: {}\n", known.display()));
        }
        let whole = plan.draft(*seed, &Explorer::new(plan).schedule(*seed));
        let shrunk = shrink::shrink(plan, whole.clone(), kind, origin.seen.at, go_on);
        let found = Found::new(&shrunk.draft, kind, plan, origin);
        let found = match found.or_else(|_| Found::new(&whole, kind, plan, origin)) {
            Ok(found) => found,
            Err(wrong) => return Ok(format!("          not written: {wrong}\n")),
        };
        found.write(folder).map_err(|error| {
            output::mistake(&format!("cannot write {}: {error}", known.display()));
            Exit::Mistake
        })?;
        let faults = output::count(found.faults, "fault");
        Ok(format!(
            "          {faults}, {} runs to shrink it: {}\n",
            shrunk.runs,
            known.display()
        ))
    }
}

/// How many faults of each name were drawn, concerned something, and altered something.
fn faults(tally: &Tally) -> String {
    let mut text = format!(
        "{:<22} {:>9} {:>9} {:>9}\n",
        "fault", "drawn", "matched", "applied"
    );
    for (name, faults) in &tally.faults {
        let FaultTally {
            drawn,
            matched,
            applied,
        } = faults;
        text.push_str(&format!(
            "{name:<22} {drawn:>9} {matched:>9} {applied:>9}\n"
        ));
    }
    text
}
