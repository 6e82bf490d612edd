//! What must be seen, what must not, and what must object to a broken twin.

use linefault_actors::Instant;

use super::super::model::{Direction, Expect, KnownBad, Run, Subject};
use super::super::record::{Record, Value};
use super::super::suggest::{did_you_mean, nearest, one_of};
use super::super::tables::VERBS;
use super::super::trigger::level;
use super::Lowering;

impl Lowering<'_, '_> {
    /// What must be seen or not, where it applies. `last` is when the last step or fault with an `at` is due.
    pub(super) fn expects(
        &mut self,
        outcome: &Record,
        last: Instant,
        run: Option<&Run>,
    ) -> Vec<Expect> {
        let mut names: Vec<&str> = Vec::new();
        let mut expects = Vec::new();
        for record in outcome.records("expect") {
            if let Some(name) = record.text("name") {
                if names.contains(&name) {
                    let label = "the name of an earlier expect";
                    self.reader.mistake(
                        record.place("name"),
                        format!("two expects are called `{name}`"),
                        label,
                        None,
                    );
                }
                names.push(name);
            }
            let expect = self.expect(record, last, run);
            if applies(record) {
                expects.extend(expect);
            }
        }
        expects
    }

    fn expect(&mut self, record: &Record, last: Instant, run: Option<&Run>) -> Option<Expect> {
        let verb = VERBS.iter().copied().find(|verb| record.given(verb))?;
        self.fits(record, verb);
        let never = verb.starts_with("never_");
        let count = record.count("count");
        if let Some(count) = count
            && (never || count == 0)
        {
            let instead = format!("never_{}", verb.trim_start_matches("never_"));
            let message = if never {
                format!("`count` with `{verb}`")
            } else {
                "a count of zero".to_owned()
            };
            let label = "expected no `count`, or one from 1";
            self.reader.mistake(
                record.place("count"),
                message,
                label,
                Some(format!("use `{instead}` alone")),
            );
        }
        let after = record.duration("after").map(|after| Instant::START + after);
        if let Some(after) = after {
            self.in_time(after, record.place("after"), run);
        }
        Some(Expect {
            name: record.text("name")?.to_owned(),
            span: record.span,
            host: record.host("host")?,
            subject: subject(record, verb)?,
            never,
            count,
            opens: after.unwrap_or(Instant::START),
            closes: record
                .duration("within")
                .map(|within| after.unwrap_or(last) + within),
        })
    }

    /// Log lines have a message; messages have header fields and a body.
    fn fits(&mut self, record: &Record, verb: &str) {
        let others: &[&str] = if verb.ends_with("logs") {
            &["header", "body"]
        } else {
            &["message"]
        };
        for key in others.iter().filter(|key| record.given(key)) {
            let label = match *key {
                "message" => "a part of a log line: only with `logs` or `never_logs`",
                _ => "a part of a SIP message: not with `logs`",
            };
            let help =
                (*key == "message").then(|| "a part of a message's body is `body`".to_owned());
            self.reader.mistake(
                record.place(key),
                format!("`{key}` with `{verb}`"),
                label,
                help,
            );
        }
    }

    /// The broken twins, where they apply.
    pub(super) fn known_bads(&mut self, file: &Record) -> Vec<KnownBad> {
        let expects = file
            .table("outcome")
            .map(|outcome| outcome.records("expect").collect::<Vec<_>>());
        let expects: Vec<&str> = expects
            .unwrap_or_default()
            .iter()
            .filter_map(|record| record.text("name"))
            .collect();
        let mut twins = Vec::new();
        for (number, record) in (1..).zip(file.records("known_bad")) {
            self.defects(record);
            self.must_fail(record, &expects);
            for (key, what) in [("defects", "defect"), ("must_fail", "expect or oracle")] {
                if matches!(record.value(key), Some(Value::List(items)) if items.is_empty())
                    && !self.faulty(record, key)
                {
                    self.reader.mistake(
                        record.place(key),
                        format!("`{key}` is empty"),
                        format!("expected at least one {what}"),
                        None,
                    );
                }
            }
            let texts = |key| record.texts(key).map(|(_, text)| text.to_owned()).collect();
            if let Some(host) = record.host("host").filter(|_| applies(record)) {
                twins.push(KnownBad {
                    span: record.span,
                    number,
                    host,
                    defects: texts("defects"),
                    must_fail: texts("must_fail"),
                });
            }
        }
        twins
    }

    fn defects(&mut self, record: &Record) {
        let names = self.reader.names("host");
        let host = record
            .host("host")
            .and_then(|host| names.get(host.0).copied());
        let actor = host.and_then(|host| self.reader.actor_of(host));
        for (span, defect) in record.texts("defects") {
            let fits = |of: &str| actor.is_none_or(|actor| actor == of);
            let candidates: Vec<&str> = self
                .names
                .defects
                .iter()
                .filter(|(_, of)| fits(of))
                .map(|(name, _)| *name)
                .collect();
            match self.names.defects.iter().find(|(name, _)| *name == defect) {
                None => {
                    let help = did_you_mean(defect, candidates.iter().copied());
                    let message = format!("there is no defect `{defect}`");
                    self.reader.mistake(
                        span,
                        message,
                        format!("expected {}", one_of(candidates)),
                        help,
                    );
                }
                Some((_, of)) if !fits(of) => {
                    let message = format!("`{defect}` is a defect of the actor `{of}`");
                    let label = format!("the host runs `{}`", actor.unwrap_or_default());
                    self.reader.mistake(span, message, label, None);
                }
                Some(_) => {}
            }
        }
    }

    fn must_fail(&mut self, record: &Record, expects: &[&str]) {
        for (span, name) in record.texts("must_fail") {
            let known = || expects.iter().chain(&self.names.verdicts).copied();
            if known().all(|other| other != name) {
                let help = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
                let label = match expects {
                    [] => "expected the name of an oracle; the file has no expects".to_owned(),
                    expects => format!(
                        "expected the name of an oracle, or {}",
                        one_of(expects.iter().copied())
                    ),
                };
                self.reader.mistake(
                    span,
                    format!("neither expect nor oracle is called `{name}`"),
                    label,
                    help,
                );
            }
        }
    }
}

fn applies(record: &Record) -> bool {
    !matches!(record.value("only"), Some(Value::Only(false)))
}

fn subject(record: &Record, verb: &str) -> Option<Subject> {
    let direction = match verb.trim_start_matches("never_") {
        "sends" => Direction::Sends,
        "receives" => Direction::Receives,
        _ => {
            let message = record.text("message").map(str::to_owned);
            return Some(Subject::Log {
                level: level(record.text(verb)?)?,
                message,
            });
        }
    };
    let headers = match record.value("header") {
        Some(Value::Fields(fields)) => fields.clone(),
        _ => Vec::new(),
    };
    let body = record.text("body").map(str::to_owned);
    Some(Subject::Message {
        direction,
        pattern: record.pattern(verb)?.clone(),
        headers,
        body,
    })
}
