//! Steps and faults: when they are due, and whom they concern.

use linefault_actors::Instant;
use linefault_actors::catalogue::Command;

use super::super::adapter;
use super::super::diagnostic::Span;
use super::super::model::{Fault, HostIndex, Place, Run, Selection, Step, StepAction, When};
use super::super::record::{Record, Value};
use super::super::suggest::one_of;
use super::Lowering;

/// The last moment at which a step or fault with an `at` is due.
pub(super) fn last(steps: &[Step], faults: &[Fault]) -> Instant {
    let whens = steps
        .iter()
        .map(|step| &step.when)
        .chain(faults.iter().map(|fault| &fault.when));
    let times = whens.filter_map(|when| match when {
        When::At(at) => Some(*at),
        When::Seen { .. } => None,
    });
    times.max().unwrap_or(Instant::START)
}

impl Lowering<'_, '_> {
    /// What hosts are told to do.
    pub(super) fn steps(&mut self, timeline: &Record, run: Option<&Run>) -> Vec<Step> {
        let mut steps = Vec::new();
        for record in timeline.records("steps") {
            let when = self.when(record, run);
            let (Some(when), Some(host)) = (when, record.host("host")) else {
                continue;
            };
            let Some(action) = self.action(record, host) else {
                continue;
            };
            steps.push(Step {
                span: record.span,
                may_miss: record.switch("may_miss"),
                when,
                host,
                action,
            });
        }
        steps
    }

    /// What is done to them.
    pub(in crate::scenario) fn faults(
        &mut self,
        timeline: &Record,
        run: Option<&Run>,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        for record in timeline.records("faults") {
            let when = self.when(record, run);
            let Some(kind) = self
                .vocabulary
                .faults
                .iter()
                .find(|kind| Some(kind.name) == record.variant)
            else {
                continue;
            };
            let (Some(place), Some(when)) = (self.place(record, kind), when) else {
                continue;
            };
            let selection = selection(record);
            let arguments = adapter::settings(record, &kind.keys);
            let sound = self
                .reader
                .mistakes
                .iter()
                .all(|mistake| !record.span.contains(mistake.span));
            if sound && let Some(objection) = adapter::objection(kind.name, &arguments) {
                let label = format!("a parameter of `{}`", kind.name);
                self.reader.mistake(
                    record.place(&objection.param),
                    objection.to_string(),
                    label,
                    None,
                );
            }
            self.point_of_actor(record, &place);
            faults.push(Fault {
                index: faults.len(),
                span: record.span,
                name: kind.name,
                when,
                lasts: record.duration("for"),
                display: self.display(kind.name, &selection, &place),
                place,
                selection,
                may_miss: record.switch("may_miss"),
                arguments,
            });
        }
        faults
    }

    /// A point is one of the actor that runs on the host.
    fn point_of_actor(&mut self, record: &Record, place: &Place) {
        let (Some(point), Place::Host(host)) = (record.text("point"), place) else {
            return;
        };
        let names = self.reader.names("host");
        let name = names.get(host.0).copied();
        let actor = name.and_then(|host| self.reader.actor_of(host));
        let mut actors = self.vocabulary.actors.iter();
        let Some(entry) = actors.find(|entry| Some(entry.name) == actor) else {
            return;
        };
        if !entry.points.contains(&point) {
            let message = format!("the actor `{}` has no point `{point}`", entry.name);
            let label = match entry.points {
                [] => "it has none at all".to_owned(),
                points => format!("expected {}", one_of(points.iter().copied())),
            };
            self.reader
                .mistake(record.place("point"), message, label, None);
        }
    }

    fn when(&mut self, record: &Record, run: Option<&Run>) -> Option<When> {
        if let Some(Value::Trigger(trigger)) = record.value("when") {
            let delay = record.duration("after").unwrap_or_default();
            return Some(When::Seen {
                trigger: trigger.clone(),
                delay,
            });
        }
        if record.given("after") && record.given("at") {
            let help = Some("add the time to `at`".to_owned());
            let label = "`after` counts from what `when` names";
            self.reader
                .mistake(record.place("after"), "`after` without `when`", label, help);
        }
        let at = Instant::START + record.duration("at")?;
        self.in_time(at, record.place("at"), run);
        Some(When::At(at))
    }

    /// What is due after the end never happens.
    pub(super) fn in_time(&mut self, at: Instant, span: Span, run: Option<&Run>) {
        let Some(run) = run else { return };
        let (end, key) = match run.run_until {
            Some(until) if until <= run.time_max => (until, "run_until"),
            _ => (run.time_max, "time_max"),
        };
        if at > end {
            let label = format!("the run ends at {end} s at the latest (`run.{key}`)");
            self.reader
                .mistake(span, "this is due after the end of the run", label, None);
        }
    }

    fn action(&self, record: &Record, host: HostIndex) -> Option<StepAction> {
        if record.variant == Some("send") {
            let raw = lines_ended(record.text("raw")?);
            return Some(StepAction::SendRaw {
                to: record.host("to")?,
                raw,
            });
        }
        let host = *self.reader.names("host").get(host.0)?;
        let actor = self.reader.actor_of(host)?;
        let entry = self
            .vocabulary
            .actors
            .iter()
            .find(|entry| entry.name == actor)?;
        let command = entry
            .commands
            .iter()
            .find(|command| Some(command.name) == record.variant)?;
        let keys = adapter::commands(entry)
            .find(|variant| variant.name == command.name)?
            .keys;
        Some(StepAction::Command(Command {
            name: command.name,
            arguments: adapter::settings(record, &keys),
        }))
    }
}

fn selection(record: &Record) -> Selection {
    Selection {
        message: record.pattern("message").cloned(),
        times: record.count("times"),
        nth: record.count("nth"),
        retransmission: record.count("retransmission"),
        probability: match record.value("probability") {
            Some(Value::Ratio(parts)) => Some(*parts),
            _ => None,
        },
    }
}

/// RFC 3261 §7: lines end with CRLF, which nobody wants to write into a TOML file.
fn lines_ended(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::lines_ended;

    #[test]
    fn bare_line_feeds_become_crlf_and_others_stay() {
        assert_eq!(lines_ended("a\nb\r\nc\rd"), b"a\r\nb\r\nc\rd");
    }
}
