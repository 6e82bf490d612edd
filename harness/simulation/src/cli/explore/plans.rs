//! The plans of a campaign: from scenarios to what can be explored.

use std::collections::BTreeSet;

use crate::cli::{Exit, output};
use crate::defect;
use crate::explore::part::PlanId;
use crate::explore::{Plan, Planted, Unexplorable};
use crate::scenario::nearest;
use crate::suite::{Suite, Test};

/// The plans of a campaign, and the tests that they come from.
pub(super) struct Plans {
    tests: Vec<Test>,
    plans: Vec<Plan>,
    ids: Vec<PlanId>,
}

impl Plans {
    /// The plans of all scenarios that can be explored; the others are named on standard error.
    pub(super) fn new(suite: &Suite, defects: &[String]) -> Result<Self, Exit> {
        let mut plans = Self {
            tests: Vec::new(),
            plans: Vec::new(),
            ids: Vec::new(),
        };
        let mut known = BTreeSet::new();
        for test in suite.tests.iter().filter(|test| test.known_bad().is_none()) {
            let Some(plan) = plan(test, defects)? else {
                continue;
            };
            // Combinations that differ only in what exploration leaves out are one plan.
            if known.insert(plan.text()) {
                plans
                    .ids
                    .push(PlanId::new(test.name(), &command(test, defects), &plan));
                plans.tests.push(test.clone());
                plans.plans.push(plan);
            }
        }
        Ok(plans)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    pub(super) fn all(&self) -> &[Plan] {
        &self.plans
    }

    pub(super) fn ids(&self) -> Vec<PlanId> {
        self.ids.clone()
    }

    /// The plan of that place and the path of its file.
    pub(super) fn get(&self, place: usize) -> Option<(&Plan, &str)> {
        Some((self.plans.get(place)?, self.tests.get(place)?.path()))
    }
}

fn plan(test: &Test, defects: &[String]) -> Result<Option<Plan>, Exit> {
    let planted = planted(defects, test).map_err(|wrong| {
        output::mistake(&wrong);
        Exit::Mistake
    })?;
    let draft = test.draft().map_err(|wrong| {
        output::text(&wrong.render(false));
        Exit::Mistake
    })?;
    match Plan::new(&draft, planted) {
        Ok(plan) => Ok(Some(plan)),
        Err(Unexplorable::Mistakes(wrong)) => {
            output::text(&wrong.render(false));
            Err(Exit::Harness)
        }
        Err(why) => {
            output::text(&format!("left out: {}: {why}\n", test.name()));
            Ok(None)
        }
    }
}

/// The command that explores a test, but for the seeds.
fn command(test: &Test, defects: &[String]) -> String {
    let command = test
        .replay()
        .replacen("linefault replay", "linefault explore", 1);
    let defects = defects.iter().map(|given| format!(" --defect {given}"));
    std::iter::once(command).chain(defects).collect()
}

fn planted(defects: &[String], test: &Test) -> Result<Vec<Planted>, String> {
    let planted = defects.iter().map(|given| {
        let (host, name) = given.split_once('=').ok_or_else(|| {
            format!("`{given}` plants nothing: expected host=defect, like proxy=unreachable-is-502")
        })?;
        let scenario = test.scenario();
        let index = scenario.host_index(host);
        let index = index.ok_or_else(|| format!("{} has no host `{host}`", test.path()))?;
        let defect = defect::find(name).ok_or_else(|| unknown(name))?;
        let actor = scenario.host(index).actor.name;
        if defect.actor == actor {
            return Ok((host.to_owned(), defect));
        }
        let of = defect.actor;
        Err(format!(
            "`{name}` is a defect of the actor `{of}`, and {host} runs `{actor}`"
        ))
    });
    planted.collect()
}

fn unknown(name: &str) -> String {
    let names = defect::CATALOGUE.iter().map(|defect| defect.name);
    match nearest(name, names) {
        Some(near) => format!("there is no defect `{name}`: did you mean `{near}`?"),
        None => format!("there is no defect `{name}`"),
    }
}
