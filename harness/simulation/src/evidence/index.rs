//! Where to find the messages of one branch, one call, one host, without reading the whole run again.

use std::collections::BTreeMap;

use super::SipMessage;

/// The places of messages in [`super::Evidence::transmissions`] and [`super::Evidence::arrivals`].
#[derive(Debug, Default)]
pub(super) struct Index {
    branches: BTreeMap<String, Places>,
    calls: BTreeMap<String, BTreeMap<u32, Places>>,
}

/// Places in order of time.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) sent: Vec<usize>,
    pub(super) arrived: Vec<usize>,
}

impl Index {
    pub(super) fn sent(&mut self, message: &SipMessage, place: usize) {
        self.each(message, |places| places.sent.push(place));
    }

    pub(super) fn arrived(&mut self, message: &SipMessage, place: usize) {
        self.each(message, |places| places.arrived.push(place));
    }

    pub(super) fn branch(&self, branch: &str) -> Option<&Places> {
        self.branches.get(branch)
    }

    pub(super) fn exchange(&self, call_id: &str, cseq: u32) -> Option<&Places> {
        self.calls.get(call_id)?.get(&cseq)
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        self.calls.keys().map(String::as_str)
    }

    pub(super) fn call(&self, call_id: &str) -> impl Iterator<Item = &Places> {
        self.calls
            .get(call_id)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    fn each(&mut self, message: &SipMessage, note: impl Fn(&mut Places)) {
        note(entry(&mut self.branches, &message.branch));
        note(
            entry(&mut self.calls, &message.call_id)
                .entry(message.cseq)
                .or_default(),
        );
    }
}

/// The entry of that key, made if need be; a key that is there already costs no copy.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, key: &str) -> &'a mut T {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), T::default());
    }
    map.get_mut(key).expect("it is there, or has just been put")
}
