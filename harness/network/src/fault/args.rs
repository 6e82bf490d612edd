//! How a fault describes itself to front ends, and takes its parameters from them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Fault;

/// One fault of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As a scenario names it.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// What it acts on, and with that what kind of scope makes sense.
    pub acts: Acts,
    /// Its parameters beyond scope, pattern, counts, probability and duration, which all faults share.
    pub params: &'static [Param],
    /// Makes the fault.
    pub build: fn(&Args) -> Result<Fault, ArgError>,
}

/// What a fault acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    /// Packets on the wire.
    Packets,
    /// Whole hosts.
    Hosts,
    /// A host's own sends, before they reach the wire.
    Sends,
    /// Other faults.
    Faults,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// What holds if it is not given, as a front end would write it; `None` if it must be given.
    pub default: Option<&'static str>,
    /// One sentence.
    pub doc: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A length of time.
    Duration,
    /// A whole number.
    Count,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgValue {
    /// For [`ParamKind::Duration`].
    Duration(Duration),
    /// For [`ParamKind::Count`].
    Count(u64),
    /// For [`ParamKind::Choice`].
    Choice(String),
}

/// The parameters given for one fault.
#[derive(Clone, Debug, Default)]
pub struct Args {
    values: BTreeMap<String, ArgValue>,
}

/// A parameter that will not do: the front end's or its author's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgError {
    /// The parameter's key.
    pub param: String,
    /// What is wrong with it.
    pub problem: ArgProblem,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgProblem {
    /// The fault has no such parameter.
    Unknown,
    /// It must be given.
    Missing,
    /// It takes another kind of value.
    WrongKind(ParamKind),
    /// It is none of the words allowed.
    NotAChoice(&'static [&'static str]),
    /// It is outside these bounds.
    OutOfRange {
        /// The least value.
        least: u64,
        /// The greatest value.
        greatest: u64,
    },
}

impl Entry {
    /// Checks the parameters against the description, then makes the fault.
    ///
    /// # Errors
    /// The first parameter, by name, that will not do.
    pub fn make(&self, args: &Args) -> Result<Fault, ArgError> {
        for (name, value) in &args.values {
            let param = self.params.iter().find(|param| param.name == name);
            let problem = param.map_or(Some(ArgProblem::Unknown), |param| {
                param.kind.objection(value)
            });
            if let Some(problem) = problem {
                return Err(ArgError {
                    param: name.clone(),
                    problem,
                });
            }
        }
        (self.build)(args)
    }
}

impl ParamKind {
    fn objection(self, value: &ArgValue) -> Option<ArgProblem> {
        match (self, value) {
            (Self::Choice(words), ArgValue::Choice(word)) => {
                (!words.contains(&word.as_str())).then_some(ArgProblem::NotAChoice(words))
            }
            (Self::Duration, ArgValue::Duration(_)) | (Self::Count, ArgValue::Count(_)) => None,
            _ => Some(ArgProblem::WrongKind(self)),
        }
    }
}

impl Args {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more; a later value of the same key replaces an earlier one.
    #[must_use]
    pub fn with(mut self, name: &str, value: ArgValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// A length of time, if given.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        match self.values.get(name) {
            Some(ArgValue::Duration(value)) => Some(*value),
            _ => None,
        }
    }

    /// A length of time that must be given.
    ///
    /// # Errors
    /// [`ArgProblem::Missing`].
    pub fn required_duration(&self, name: &str) -> Result<Duration, ArgError> {
        self.duration(name).ok_or_else(|| ArgError::missing(name))
    }

    /// A whole number within bounds, if given.
    ///
    /// # Errors
    /// [`ArgProblem::OutOfRange`].
    pub fn count(&self, name: &str, least: u64, greatest: u64) -> Result<Option<u64>, ArgError> {
        match self.values.get(name) {
            Some(ArgValue::Count(value)) if (least..=greatest).contains(value) => Ok(Some(*value)),
            Some(ArgValue::Count(_)) => Err(ArgError {
                param: name.to_owned(),
                problem: ArgProblem::OutOfRange { least, greatest },
            }),
            _ => Ok(None),
        }
    }

    /// A word, if given.
    #[must_use]
    pub fn choice(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(ArgValue::Choice(value)) => Some(value),
            _ => None,
        }
    }
}

impl ArgError {
    /// A parameter that must be given was not.
    #[must_use]
    pub fn missing(param: &str) -> Self {
        Self {
            param: param.to_owned(),
            problem: ArgProblem::Missing,
        }
    }
}

impl fmt::Display for ArgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { param, problem } = self;
        match problem {
            ArgProblem::Unknown => write!(f, "`{param}` is no parameter of this fault"),
            ArgProblem::Missing => write!(f, "`{param}` must be given"),
            ArgProblem::WrongKind(ParamKind::Duration) => write!(f, "`{param}` takes a duration"),
            ArgProblem::WrongKind(ParamKind::Count) => write!(f, "`{param}` takes a whole number"),
            ArgProblem::WrongKind(ParamKind::Choice(words)) | ArgProblem::NotAChoice(words) => {
                write!(f, "`{param}` takes one of: {}", words.join(", "))
            }
            ArgProblem::OutOfRange { least, greatest } => {
                write!(f, "`{param}` must be from {least} to {greatest}")
            }
        }
    }
}

impl std::error::Error for ArgError {}
