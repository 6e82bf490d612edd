//! What was found, as an ordinary scenario file.
//!
//! Owns the file's name and its head. Refuses to write over anything, and to write a case that does not show, once read
//! from its own text, what was found.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::plan::{Plan, Planted};
use super::staged::staged;
use super::{Kind, Seen};
use crate::scenario::{Combination, Draft, File};
use crate::suite;
use crate::verdict::{FAULT_WITHOUT_EFFECT, judge};

/// A case, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its file's name.
    pub name: String,
    /// Its file's text.
    pub text: String,
    /// How many faults it has.
    pub faults: usize,
}

/// Where a case comes from.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// The scenario that was explored.
    pub scenario: &'a str,
    /// The command that shows the run as it was found.
    pub command: &'a str,
    /// What was seen in it.
    pub seen: &'a Seen,
    /// How many faults had been drawn.
    pub drawn: usize,
}

/// Why a case is not written. Blames us: shrinking and writing should have kept it.
#[derive(Debug, PartialEq, Eq)]
pub struct NotTheSame(
    /// What the file shows instead.
    pub String,
);

impl fmt::Display for NotTheSame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "read from its own file, the case does not show it: {}",
            self.0
        )
    }
}

impl std::error::Error for NotTheSame {}

impl Found {
    /// The file of a shrunk case. Planted defects become a broken twin, since a file can plant them no other way.
    ///
    /// # Errors
    /// What is written does not show the same.
    pub fn new(
        draft: &Draft,
        kind: &Kind,
        plan: &Plan,
        origin: &Origin<'_>,
    ) -> Result<Self, NotTheSame> {
        let mut draft = draft.clone();
        draft.set("title", &format!("{:?}", format!("Found: {kind}")));
        let faults = draft.keys("timeline.faults").len();
        let head = head(kind, plan.defects(), origin, faults);
        let bare = must_have_effect(&draft);
        let mut draft = if reads(&bare, &head, plan, kind).is_ok() {
            bare
        } else {
            draft
        };
        let names = reads(&draft, &head, plan, kind)?;
        if !plan.defects().is_empty() {
            draft.set_list("known_bad", &twins(plan.defects(), &names));
        }
        Ok(Self {
            name: Self::file_name(kind),
            text: draft.to_toml("../scenario.schema.json", &head),
            faults,
        })
    }

    /// The name of the file of that kind, `<violation>-<hash>.toml`: the same for every case of it.
    #[must_use]
    pub fn file_name(kind: &Kind) -> String {
        format!("{}-{}.toml", kind.name, kind.hash())
    }

    /// Writes it, whole or not at all, unless there is such a file already. Whether it was written.
    ///
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn write(&self, folder: &Path) -> std::io::Result<bool> {
        let path = folder.join(&self.name);
        if path.exists() {
            return Ok(false);
        }
        std::fs::create_dir_all(folder)?;
        match staged(folder, &self.text)?.persist_noclobber(&path) {
            Ok(_) => Ok(true),
            Err(taken) if taken.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(failed) => Err(failed.error),
        }
    }
}

fn head(kind: &Kind, defects: &[Planted], origin: &Origin<'_>, faults: usize) -> String {
    let Origin {
        scenario,
        command,
        seen,
        drawn,
    } = origin;
    let mut lines = vec![
        format!("Found by exploring {scenario}: {kind}."),
        seen.text.replace('\n', " "),
        format!(
            "Drawn with {drawn} faults, of which {faults} are needed. As it was found: {command}"
        ),
    ];
    lines.extend(
        defects
            .iter()
            .map(|(host, defect)| format!("Planted in {host}: {}.", defect.name)),
    );
    lines.join("\n")
}

/// The case without `may_miss`: each fault must then have an effect, and each step be taken.
fn must_have_effect(draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    for list in ["timeline.faults", "timeline.steps"] {
        for item in draft.keys(list) {
            draft.remove(&format!("{list}.{item}.may_miss"));
        }
    }
    draft
}

/// Reads the case from its own text. The names of what is violated, or what is wrong with it.
fn reads(
    draft: &Draft,
    head: &str,
    plan: &Plan,
    kind: &Kind,
) -> Result<BTreeSet<String>, NotTheSame> {
    let mut draft = draft.clone();
    let everything = [FAULT_WITHOUT_EFFECT.to_owned()].into();
    let planted = !plan.defects().is_empty();
    if planted {
        draft.set_list("known_bad", &twins(plan.defects(), &everything));
    }
    let text = draft.to_toml("../scenario.schema.json", head);
    let file = File::read("found.toml", &text, &suite::names());
    let file = Arc::new(file.map_err(|wrong| NotTheSame(wrong.render(false)))?);
    let scenario = file.resolve(&Combination::default(), &[]);
    let scenario = scenario.map_err(|wrong| NotTheSame(wrong.render(false)))?;
    let outcome = judge(&scenario, planted.then_some(0));
    let names: BTreeSet<String> = outcome
        .violations
        .iter()
        .map(|it| it.name.clone())
        .collect();
    if names.contains(FAULT_WITHOUT_EFFECT) || !names.contains(&kind.name) {
        let seen: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(NotTheSame(seen.join(", ")));
    }
    Ok(names)
}

/// Broken twins: one for each host that has planted defects.
fn twins(defects: &[Planted], names: &BTreeSet<String>) -> Vec<String> {
    let hosts: BTreeSet<&str> = defects.iter().map(|(host, _)| host.as_str()).collect();
    let must_fail: Vec<&str> = names.iter().map(String::as_str).collect();
    let twin = |host: &&str| {
        let own = defects.iter().filter(|(planted, _)| planted == host);
        let own: Vec<&str> = own.map(|(_, defect)| defect.name).collect();
        format!("{{ host = {host:?}, defects = {own:?}, must_fail = {must_fail:?} }}")
    };
    hosts.iter().map(twin).collect()
}
