//! Who keeps the records of a run.

use crate::event::{Event, RecordId};
use crate::{HostId, Instant};

/// Who keeps the records of a run.
///
/// It is called while the engine is at work and must not call back into the [`Network`](crate::Network).
pub trait Recorder {
    /// Keeps one record and numbers it. `cause` is the record that led to this one, `host` is `None` for what
    /// happens between hosts.
    fn record(
        &mut self,
        at: Instant,
        host: Option<HostId>,
        cause: Option<RecordId>,
        event: Event,
    ) -> RecordId;
}

/// Keeps nothing; still numbers records, so that causes can be told apart.
#[derive(Debug, Default)]
pub struct NoRecorder {
    next: u32,
}

impl Recorder for NoRecorder {
    fn record(&mut self, _: Instant, _: Option<HostId>, _: Option<RecordId>, _: Event) -> RecordId {
        let id = RecordId(self.next);
        self.next = self.next.wrapping_add(1);
        id
    }
}

/// Keeps every record in order; a record's id is its index.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    records: Vec<Record>,
}

/// One kept record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// On which host.
    pub host: Option<HostId>,
    /// What led to it.
    pub cause: Option<RecordId>,
    /// What happened.
    pub event: Event,
}

impl MemoryRecorder {
    /// All records so far.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

impl Recorder for MemoryRecorder {
    /// Records beyond `u32::MAX` are dropped: a run of that length has met its limits long before.
    fn record(
        &mut self,
        at: Instant,
        host: Option<HostId>,
        cause: Option<RecordId>,
        event: Event,
    ) -> RecordId {
        let Ok(id) = u32::try_from(self.records.len()) else {
            return RecordId(u32::MAX);
        };
        self.records.push(Record {
            at,
            host,
            cause,
            event,
        });
        RecordId(id)
    }
}
