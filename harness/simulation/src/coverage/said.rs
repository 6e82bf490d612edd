//! What was said in a run, by the record with which it left.

use std::collections::BTreeSet;

use linefault_network::{self as network, HostId, RecordId};
use linefault_protocol::sip::Transport;

use super::MessageKind;
use crate::evidence::Evidence;
use crate::trace::Event;

#[derive(Default)]
pub(super) struct Said {
    /// Which kinds were sent, and whether over TCP.
    pub(super) kinds: BTreeSet<(MessageKind, bool)>,
    all: Vec<(RecordId, MessageKind)>,
}

impl Said {
    /// All messages: those over UDP and SIP's over TCP, then what else is said on connections.
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let mut said = Self::default();
        for sent in &evidence.transmissions {
            let message = match &sent.message {
                Some(message) => MessageKind::of_sip(message),
                None if sent.datagram.trim_ascii().is_empty() => MessageKind::other("keep-alive"),
                None => MessageKind::other("datagram"),
            };
            let tcp = sent.transport == Transport::Tcp;
            said.kinds.insert((message, tcp));
            said.all.push((sent.record, message));
        }
        let mut latest = None;
        for utterance in &evidence.utterances {
            let message = MessageKind::of_stream(&utterance.what);
            // Of sound there are thousands.
            if latest.replace(message) != Some(message) {
                said.kinds.insert((message, true));
            }
            said.all.push((utterance.sent.record, message));
        }
        said.all.sort_by_key(|(record, _)| *record);
        said
    }

    /// What left with that record.
    pub(super) fn with(&self, sent: RecordId) -> Vec<MessageKind> {
        let from = self.all.partition_point(|(record, _)| *record < sent);
        let with = self.all[from..]
            .iter()
            .take_while(|(record, _)| *record == sent);
        with.map(|(_, message)| *message).collect()
    }

    /// The last message before that record from or for one of the hosts; of all, if none are named.
    pub(super) fn last_before(
        &self,
        evidence: &Evidence<'_>,
        moment: RecordId,
        hosts: &[HostId],
    ) -> Option<MessageKind> {
        let until = self.all.partition_point(|(record, _)| *record < moment);
        let of_them = |record: RecordId| {
            let record = evidence.trace.get(record);
            let ends = match record.map(|record| (&record.event, record.host)) {
                Some((Event::Network(network::Event::Sent { packet }), _)) => {
                    [packet.sender, packet.receiver]
                }
                other => [other.and_then(|(_, host)| host), None],
            };
            hosts.is_empty() || ends.into_iter().flatten().any(|end| hosts.contains(&end))
        };
        let mut before = self.all[..until].iter().rev();
        let last = before.find(|(record, _)| of_them(*record))?;
        Some(last.1)
    }
}
