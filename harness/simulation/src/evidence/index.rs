//! Where to find the messages of one branch, one call, one host, without reading the whole run again.

use std::collections::BTreeMap;

use super::SipMessage;

/// The places of messages in [`super::Evidence::transmissions`] and [`super::Evidence::arrivals`].
#[derive(Debug, Default)]
pub(super) struct Index {
    branches: Named<Places>,
    calls: Named<BTreeMap<u32, Vec<Exchange>>>,
}

/// Things by name. One that is there already costs one search and no copy of its name.
#[derive(Debug)]
struct Named<T> {
    places: BTreeMap<String, usize>,
    things: Vec<T>,
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
        self.calls.places.keys().map(String::as_str)
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
        note(self.branches.entry(&message.branch));
        let call = self.calls.entry(&message.call_id);
        let exchanges = call.entry(message.cseq).or_default();
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

impl<T: Default> Named<T> {
    fn get(&self, name: &str) -> Option<&T> {
        self.things.get(*self.places.get(name)?)
    }

    /// The thing of that name, made if need be.
    fn entry(&mut self, name: &str) -> &mut T {
        let known = self.places.get(name).copied();
        let place = known.unwrap_or_else(|| {
            self.places.insert(name.to_owned(), self.things.len());
            self.things.push(T::default());
            self.things.len() - 1
        });
        &mut self.things[place]
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            things: Vec::new(),
        }
    }
}
