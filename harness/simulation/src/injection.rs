//! Failures of an actor's own program, asked for at named points.

use std::cell::RefCell;

use linefault_network::Instant;

/// What scenario files call such a fault.
pub(crate) const NAME: &str = "inject";

/// The failures that one host's program is to have; they outlive its incarnations, as other faults do.
#[derive(Debug, Default)]
pub(crate) struct Injections(RefCell<Vec<Injection>>);

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    /// The scenario's fault, by its index.
    pub(crate) fault: usize,
    /// At which point.
    pub(crate) point: String,
    /// Whether the program panics, instead of getting an error.
    pub(crate) panics: bool,
    /// How often it may still act; without end if `None`.
    pub(crate) left: Option<u64>,
    /// Until when.
    pub(crate) until: Option<Instant>,
    /// How often it has acted.
    pub(crate) failures: u64,
}

impl Injections {
    /// Adds one.
    pub(crate) fn arm(&self, injection: Injection) {
        self.0.borrow_mut().push(injection);
    }

    /// The program comes by a point: the fault that makes it fail, and whether by a panic.
    pub(crate) fn at(&self, now: Instant, point: &str) -> Option<(usize, bool)> {
        let mut injections = self.0.borrow_mut();
        let mut here = injections
            .iter_mut()
            .filter(|one| one.point == point && one.until.is_none_or(|until| now < until));
        let one = here.find(|one| one.left != Some(0))?;
        one.failures += 1;
        one.left = one.left.map(|left| left - 1);
        Some((one.fault, one.panics))
    }

    /// How often the program has failed for that fault.
    pub(crate) fn count(&self, fault: usize) -> u64 {
        let injections = self.0.borrow();
        let one = injections.iter().find(|one| one.fault == fault);
        one.map_or(0, |one| one.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_acts_at_its_point_as_often_and_as_long_as_it_may() {
        let injections = Injections::default();
        injections.arm(Injection {
            fault: 3,
            point: "here".to_owned(),
            panics: false,
            left: Some(2),
            until: Some(Instant::from_micros(10)),
            failures: 0,
        });
        let at = |micros, point| injections.at(Instant::from_micros(micros), point);
        assert_eq!(at(1, "there"), None);
        assert_eq!(at(1, "here"), Some((3, false)));
        assert_eq!(at(10, "here"), None, "its time is over");
        assert_eq!(at(2, "here"), Some((3, false)));
        assert_eq!(at(3, "here"), None, "used up");
        assert_eq!((injections.count(3), injections.count(4)), (2, 0));
    }
}
