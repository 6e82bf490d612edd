//! What scenario files may name and others own.

use linefault_actors::catalogue::Entry;

/// Who else there is to play with, what there is to plant, and who may object.
#[derive(Clone, Default)]
pub struct Names {
    /// Actors besides linefault's own.
    pub actors: Vec<&'static Entry>,
    /// Defects: name, and the actor that can have it.
    pub defects: Vec<(&'static str, &'static str)>,
    /// Oracles, and other verdicts of a run that a broken twin may be meant to get.
    pub verdicts: Vec<&'static str>,
}
