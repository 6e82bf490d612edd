//! The manual, page by page: what a word of a scenario file means, with an example from a scenario.
//!
//! Owns which words have a page and where its example stands. What a page says comes from the tables that the manual and
//! the page of status codes are made from; nothing is written here a second time.

mod examples;
mod manual;

use std::fmt;

use crate::scenario::nearest;
use crate::status_codes::{self, ROWS};
use crate::{defect, oracle};

pub use examples::Example;

/// What can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Something that goes wrong.
    Fault,
    /// A program on a host.
    Actor,
    /// What an actor is told to do.
    Step,
    /// A rule that holds in every run.
    Oracle,
    /// A way in which an actor can be broken.
    Defect,
    /// A SIP status code.
    Status,
    /// A key of a scenario file, by its path.
    Key,
}

/// Why a word cannot be explained. Blames whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// There is no such subject.
    Subject {
        /// The word.
        word: String,
        /// What it most likely means: a subject, or a subject and a name.
        meant: Option<String>,
    },
    /// The subject has no such page.
    Name {
        /// The subject.
        subject: Subject,
        /// The word.
        word: String,
        /// What it most likely means.
        meant: Option<String>,
    },
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Fault,
        Self::Actor,
        Self::Step,
        Self::Oracle,
        Self::Defect,
        Self::Status,
        Self::Key,
    ];

    /// As it is asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Actor => "actor",
            Self::Step => "step",
            Self::Oracle => "oracle",
            Self::Defect => "defect",
            Self::Status => "status",
            Self::Key => "key",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Fault => "something that goes wrong",
            Self::Actor => "a program on a host",
            Self::Step => "what an actor is told to do",
            Self::Oracle => "a rule that holds in every run",
            Self::Defect => "a way in which an actor can be broken, for known_bad",
            Self::Status => "a SIP status code and what makes it go out",
            Self::Key => "a key of a scenario file, by its path: run.seed",
        }
    }

    /// The subject of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.name() == name)
    }

    /// What has a page, in the order of the manual; every name once.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        match self {
            Self::Fault => manual::names("fault"),
            Self::Actor => manual::names("actor"),
            Self::Step => manual::names("do"),
            Self::Oracle => oracle::CATALOGUE
                .iter()
                .map(|oracle| oracle.name.to_owned())
                .collect(),
            Self::Defect => defect::CATALOGUE
                .iter()
                .map(|defect| defect.name.to_owned())
                .collect(),
            Self::Status => status_codes::CODES.map(|code| code.to_string()).to_vec(),
            Self::Key => manual::keys(),
        }
    }

    /// The page of that name, in Markdown.
    ///
    /// # Errors
    /// There is none.
    pub fn explain(self, name: &str) -> Result<String, Unknown> {
        let page = match self {
            Self::Fault => manual::section("fault", name),
            Self::Actor => manual::section("actor", name),
            Self::Step => manual::section("do", name),
            Self::Oracle => oracle_page(name),
            Self::Defect => defect_page(name),
            Self::Status => status_page(name),
            Self::Key => manual::key(name),
        };
        let mut page = page.ok_or_else(|| self.unknown(name))?;
        if let Some(example) = Example::of(self, name) {
            page += &example.to_string();
        }
        Ok(page)
    }

    fn unknown(self, word: &str) -> Unknown {
        let names = self.names();
        let meant = nearest(word, names.iter().map(String::as_str)).map(str::to_owned);
        Unknown::Name {
            subject: self,
            word: word.to_owned(),
            meant,
        }
    }
}

/// The page of a name of a subject.
///
/// # Errors
/// There is no such subject, or it has no such page.
pub fn explain(subject: &str, name: &str) -> Result<String, Unknown> {
    self::subject(subject)?.explain(name)
}

/// What a subject has pages of, a line each; `None` for all subjects.
///
/// # Errors
/// There is no such subject.
pub fn list(subject: Option<&str>) -> Result<String, Unknown> {
    let Some(subject) = subject else {
        let lines = Subject::ALL.map(|subject| {
            let (name, doc) = (subject.name(), subject.doc());
            format!("linefault explain {name:<7} NAME   {doc}\n")
        });
        return Ok(lines.concat());
    };
    let names = self::subject(subject)?.names();
    Ok(names.join("\n") + "\n")
}

fn subject(word: &str) -> Result<Subject, Unknown> {
    Subject::find(word).ok_or_else(|| {
        let subjects = Subject::ALL.map(Subject::name);
        // Somebody who leaves the subject out most likely has the name right.
        let named = Subject::ALL
            .into_iter()
            .find(|subject| subject.names().iter().any(|name| name == word));
        let meant = named
            .map(|subject| format!("{} {word}", subject.name()))
            .or_else(|| nearest(word, subjects).map(str::to_owned));
        Unknown::Subject {
            word: word.to_owned(),
            meant,
        }
    })
}

fn oracle_page(name: &str) -> Option<String> {
    let oracle = oracle::CATALOGUE.iter().find(|known| known.name == name)?;
    let when = match oracle.holds {
        oracle::Holds::Always => "at every moment, also while faults last",
        oracle::Holds::AfterHealing => "once the faults are over and the run is quiet",
    };
    let (doc, source) = (oracle.doc, oracle.source);
    Some(format!(
        "# oracle `{name}`\n\n{doc}\n\nHolds {when}. Source: {source}.\n"
    ))
}

fn defect_page(name: &str) -> Option<String> {
    let defect = defect::CATALOGUE.iter().find(|known| known.name == name)?;
    let (doc, actor) = (defect.doc, defect.actor);
    Some(format!(
        "# defect `{name}`\n\n{doc}\n\nFor `defects` of a `known_bad`, in a host with the actor `{actor}`.\n"
    ))
}

fn status_page(name: &str) -> Option<String> {
    let rows: Vec<_> = ROWS
        .iter()
        .filter(|row| row.code.to_string() == name)
        .collect();
    let mut page = format!("# status {name}\n");
    for row in &rows {
        page += &format!("\nGoes out because {}.\n", row.cause);
        if !row.with.is_empty() {
            page += &format!("With it: {}.\n", row.with);
        }
        page += &format!(
            "Clause: {}. Scenario: `scenarios/{}.toml`\n",
            row.clause, row.scenario
        );
    }
    (!rows.is_empty()).then_some(page)
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meant = match self {
            Self::Subject { word, meant } => {
                let subjects = Subject::ALL.map(Subject::name).join(", ");
                write!(f, "`{word}` is not one of {subjects}")?;
                meant
            }
            Self::Name {
                subject,
                word,
                meant,
            } => {
                write!(f, "there is no {} `{word}`", subject.name())?;
                meant
            }
        };
        match meant {
            Some(meant) => write!(f, "; did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Unknown {}
