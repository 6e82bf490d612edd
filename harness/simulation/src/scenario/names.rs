//! The names that scenario files may use and that other modules own.

/// What there is to plant, and who may object.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Defects: name, and the actor that can have it.
    pub defects: Vec<(&'static str, &'static str)>,
    /// Oracles, and other verdicts of a run that a broken twin may be meant to get.
    pub verdicts: Vec<&'static str>,
}
