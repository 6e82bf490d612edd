//! `linefault explain`.

use clap::Args;

use super::{Exit, output};
use crate::explain;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// fault, actor, step, oracle, defect, status or key; without it, what there is
    subject: Option<String>,
    /// What of it, like drop, phone, 488 or run.seed; without it, all there are
    name: Option<String>,
}

pub(super) fn run(asked: &Explain) -> Result<Exit, Exit> {
    let found = match (&asked.subject, &asked.name) {
        (Some(subject), Some(name)) => explain::explain(subject, name),
        (subject, _) => explain::list(subject.as_deref()),
    };
    let text = found.map_err(|unknown| {
        output::mistake(&unknown.to_string());
        Exit::Mistake
    })?;
    output::line(&text).map_err(|error| output::broken_pipe(&error))?;
    Ok(Exit::Pass)
}
