//! Points of the actors' programs that a campaign should come by, and what must hold at some of them.
//!
//! Owns the list of all points and the three macros that mark them: `reached!`, `sometimes!`, `always!`. A mark is a report
//! through the host or the context that the program has at hand, and nothing where nobody listens. Refuses points that are
//! not listed: that is a mistake at compile time, so that what was never reached can be named without running it.
//!
//! The list is of linefault's own actors, and closed: an actor of another crate marks nothing. What such a crate can read is
//! the list, and in [`Report::Checkpoint`](crate::Report::Checkpoint) where a run came by.

/// One point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// What is claimed of it.
    pub claim: Claim,
    /// What happens there, in a few words. No two points have the same.
    pub name: &'static str,
}

impl Checkpoint {
    /// A point that some run should come by.
    pub(crate) const fn reached(name: &'static str) -> Self {
        let claim = Claim::Reached;
        Self { claim, name }
    }

    /// A condition that should hold in some run.
    pub(crate) const fn sometimes(name: &'static str) -> Self {
        let claim = Claim::Sometimes;
        Self { claim, name }
    }

    /// A condition that must hold whenever a run comes by.
    pub(crate) const fn always(name: &'static str) -> Self {
        let claim = Claim::Always;
        Self { claim, name }
    }
}

/// What is claimed of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Some run comes by.
    Reached,
    /// In some run the condition holds.
    Sometimes,
    /// Some run comes by, and the condition holds whenever one does.
    Always,
}

/// The points of one part of the actors.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What the part is called.
    pub name: &'static str,
    /// In which of the catalogue's actors it runs.
    pub actors: &'static [&'static str],
    /// Its points.
    pub checkpoints: &'static [Checkpoint],
}

/// All points there are, by the part of the actors that they belong to.
pub const CATALOGUE: &[Group] = &[
    group("proxy", &["proxy"], crate::proxy::CHECKPOINTS),
    group(
        "registrar",
        &["proxy", "b2bua"],
        crate::proxy::location::CHECKPOINTS,
    ),
    group("b2bua", &["b2bua"], crate::b2bua::CHECKPOINTS),
    group("phone", &["phone"], crate::phone::CHECKPOINTS),
    group(
        "audio-service",
        &["audio-service"],
        crate::audio_service::CHECKPOINTS,
    ),
    group(
        "audio-peer",
        &["audio-peer"],
        crate::audio_peer::CHECKPOINTS,
    ),
    group(
        "token-service",
        &["token-service"],
        crate::token_service::CHECKPOINTS,
    ),
    group(
        "token-client",
        &["token-client"],
        crate::token_client::CHECKPOINTS,
    ),
    group(
        "buffering-proxy",
        &["buffering-proxy"],
        crate::buffering_proxy::CHECKPOINTS,
    ),
];

/// All points in the order of the catalogue, with the group that each belongs to.
pub fn all() -> impl Iterator<Item = (&'static Group, &'static Checkpoint)> {
    let points = |group: &'static Group| group.checkpoints.iter().map(move |point| (group, point));
    CATALOGUE.iter().flat_map(points)
}

/// The place of a point in [`all`]. Evaluated by the compiler.
///
/// # Panics
/// No point of that claim and name is listed.
#[must_use]
pub const fn place(claim: Claim, name: &str) -> u16 {
    let (mut place, mut group) = (0, 0);
    while group < CATALOGUE.len() {
        let points = CATALOGUE[group].checkpoints;
        let mut index = 0;
        while index < points.len() {
            if points[index].claim as u8 == claim as u8 && equal(points[index].name, name) {
                return place;
            }
            place += 1;
            index += 1;
        }
        group += 1;
    }
    panic!("no such checkpoint is listed")
}

const fn group(
    name: &'static str,
    actors: &'static [&'static str],
    checkpoints: &'static [Checkpoint],
) -> Group {
    Group {
        name,
        actors,
        checkpoints,
    }
}

const fn equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut same = left.len() == right.len();
    let mut index = 0;
    while same && index < left.len() {
        same = left[index] == right[index];
        index += 1;
    }
    same
}

/// Marks a point that some run should come by: `reached!(cx, "a binding expired")`, with a `Host` or a `Context`.
macro_rules! reached {
    ($cx:expr, $name:literal) => {
        $crate::checkpoint::mark!($cx, Reached, $name, true)
    };
}

/// Marks a condition that should hold in some run: `sometimes!(cx, contacts > 1, "…")`.
macro_rules! sometimes {
    ($cx:expr, $holds:expr, $name:literal) => {
        if $holds {
            $crate::checkpoint::mark!($cx, Sometimes, $name, true);
        }
    };
}

/// Marks a condition that must hold whenever a run comes by: `always!(cx, contacts <= 10, "…")`.
macro_rules! always {
    ($cx:expr, $holds:expr, $name:literal) => {
        $crate::checkpoint::mark!($cx, Always, $name, $holds)
    };
}

macro_rules! mark {
    ($cx:expr, $claim:ident, $name:literal, $holds:expr) => {
        $cx.report($crate::Report::Checkpoint {
            place: const { $crate::checkpoint::place($crate::checkpoint::Claim::$claim, $name) },
            holds: $holds,
        })
    };
}

pub(crate) use {always, mark, reached, sometimes};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    // A name that two points share would count for the first of them only.
    #[test]
    fn no_two_points_have_the_same_name_and_each_is_at_its_place() {
        let names: BTreeSet<_> = all().map(|(_, point)| point.name).collect();
        assert_eq!(names.len(), all().count());
        for (index, (_, point)) in all().enumerate() {
            assert_eq!(usize::from(place(point.claim, point.name)), index);
        }
    }

    #[test]
    fn every_group_belongs_to_actors_that_exist() {
        let actors = CATALOGUE.iter().flat_map(|group| group.actors);
        for actor in actors {
            assert!(crate::catalogue::find(actor).is_some(), "{actor}");
        }
    }
}
