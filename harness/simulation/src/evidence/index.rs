//! Where to find the messages of one branch, one call, one host, without reading the whole run again.

use std::collections::BTreeMap;

use super::SipMessage;

/// The places of messages in [`super::Evidence::transmissions`] and [`super::Evidence::arrivals`].
#[derive(Debug, Default)]
pub(super) struct Index {
    branches: BTreeMap<String, Places>,
    calls: BTreeMap<String, BTreeMap<u32, Vec<Exchange>>>,
}

/// One request of a call, with its answers, its ACK and its CANCEL. Each end counts CSeq for itself, so that the tag of
/// From is needed as well.
#[derive(Debug)]
struct Exchange {
    from_tag: String,
    places: Places,
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

    pub(super) fn exchange(&self, message: &SipMessage) -> Option<&Places> {
        let exchanges = self.calls.get(&message.call_id)?.get(&message.cseq)?;
        let own = exchanges
            .iter()
            .find(|it| it.from_tag == message.from_tag)?;
        Some(&own.places)
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        self.calls.keys().map(String::as_str)
    }

    pub(super) fn call(&self, call_id: &str) -> impl Iterator<Item = &Places> {
        self.calls
            .get(call_id)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .map(|it| &it.places)
    }

    fn each(&mut self, message: &SipMessage, note: impl Fn(&mut Places)) {
        note(entry(&mut self.branches, &message.branch));
        let exchanges = entry(&mut self.calls, &message.call_id)
            .entry(message.cseq)
            .or_default();
        let known = exchanges
            .iter()
            .position(|it| it.from_tag == message.from_tag);
        let place = known.unwrap_or_else(|| {
            exchanges.push(Exchange {
                from_tag: message.from_tag.clone(),
                places: Places::default(),
            });
            exchanges.len() - 1
        });
        note(&mut exchanges[place].places);
    }
}

/// The entry of that key, made if need be; a key that is there already costs no copy.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, key: &str) -> &'a mut T {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), T::default());
    }
    map.get_mut(key).expect("it is there, or has just been put")
}
