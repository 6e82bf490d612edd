//! Tests as JUnit XML, which continuous integration shows. A suite a scenario file.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::suite::Test;
use crate::verdict::Outcome;

/// A JUnit report that grows by a test at a time.
#[derive(Debug, Default)]
pub struct Junit {
    suites: Vec<TestSuite>,
}

impl Junit {
    /// A report without tests.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a test that ran, and how long it took in real time.
    pub fn add(&mut self, test: &Test, outcome: &Outcome, wall: Duration) {
        let names: Vec<_> = outcome
            .violations
            .iter()
            .map(|violation| format!("{}: {}", violation.name, violation.text))
            .collect();
        let status = if outcome.verdict.is_pass() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(outcome.verdict.word())
                .set_message(names.join("; "))
                .set_description(test.failure(outcome, false));
            status
        };
        let mut case = case(test, status);
        let seconds = outcome.simulation.ended_at.to_string();
        case.set_time(wall)
            .add_property(("simulated_s", seconds.as_str()));
        self.push(test.path(), case);
    }

    /// Adds a test that linefault itself failed in.
    pub fn add_crashed(&mut self, test: &Test, message: &str) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status
            .set_type("crash")
            .set_message("linefault itself failed")
            .set_description(message);
        self.push(test.path(), case(test, status));
    }

    /// Adds a scenario file that could not be read, with its mistakes as the command shows them.
    pub fn add_mistakes(&mut self, path: &str, text: &str) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status
            .set_type("mistake")
            .set_message("the scenario has mistakes")
            .set_description(text);
        let mut case = TestCase::new(path, status);
        case.set_classname(path);
        self.push(path, case);
    }

    /// The report's text.
    ///
    /// # Errors
    /// It cannot be put into words: a fault of ours, since all text was made fit for XML.
    pub fn finish(self) -> Result<String, SerializeError> {
        let mut report = Report::new("linefault");
        report.add_test_suites(self.suites);
        report.to_string()
    }

    fn push(&mut self, path: &str, case: TestCase) {
        if let Some(suite) = self
            .suites
            .last_mut()
            .filter(|suite| suite.name.as_str() == path)
        {
            suite.add_test_case(case);
            return;
        }
        let mut suite = TestSuite::new(path);
        suite.add_test_case(case);
        self.suites.push(suite);
    }
}

fn case(test: &Test, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(test.name(), status);
    let seed = test.scenario().run.seed.to_string();
    case.set_classname(test.path())
        .add_property(("title", test.scenario().title.as_str()))
        .add_property(("seed", seed.as_str()))
        .add_property(("replay", test.replay().as_str()));
    case
}
