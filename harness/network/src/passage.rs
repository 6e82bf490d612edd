//! A packet's passage through the faults, in the order of their arming, onto the link.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::draw::Key;
use crate::event::{Alteration, Event, LossReason, RecordId};
use crate::fault::{Armed, FaultId, Phase, Sides, Verdict};
use crate::link::Ends;
use crate::packet::{IcmpKind, Packet};
use crate::platform::SocketErrorKind;
use crate::queue::{Rank, Ticket};
use crate::state::{Arrival, State};
use crate::topology::Route;
use crate::{HostId, Instant};

/// A packet that a fault holds back until others of its link have overtaken it.
pub(crate) struct Held {
    ends: Ends,
    ticket: Ticket,
    overtakers: u32,
}

/// What the faults have made of a packet's way so far.
struct Passage {
    latency: Duration,
    copies: Vec<(Arrival, Duration)>,
    overtakers: u32,
    /// What a router says about the packet, once the faults are back in their place to judge that as well.
    answer: Option<(IcmpKind, RecordId)>,
    /// Who gets RST instead of the packet, then as well.
    reset: Option<(Sides, RecordId)>,
}

impl State {
    /// Lets the faults judge a packet, and puts what they leave of it on the link.
    pub(crate) fn enter_wire(&mut self, arrival: Arrival) {
        let Some(mut arrival) = self.translate_out(arrival) else {
            return;
        };
        let ends = (arrival.packet.sender, arrival.packet.receiver);
        let root = self.link_key(ends);
        let (latency, key) = self.links.enter(ends, root);
        let mut faults = self.faults.take_active();
        let mut passage = Passage {
            latency,
            copies: Vec::new(),
            overtakers: 0,
            answer: None,
            reset: None,
        };
        let lost = faults.iter_mut().try_for_each(|fault| {
            let verdict = fault.judge(self.now, Phase::Wire, &arrival.packet, key);
            self.apply(fault, verdict, &mut arrival, &mut passage)
        });
        self.faults.put_back(faults);
        self.end_spent_faults();
        for (copy, delay) in passage.copies {
            self.schedule(self.now + delay, copy);
        }
        if let Some((kind, cause)) = passage.answer {
            self.router_answers(kind, &arrival.packet, cause);
        }
        if let Some((sides, cause)) = passage.reset {
            self.forge_resets(sides, &arrival.packet, cause);
        }
        if lost.is_continue() {
            let at = self.now + passage.latency;
            let ticket = self.schedule(at, arrival);
            match passage.overtakers {
                0 => self.overtake(ends, at),
                overtakers => self.faults.held.push(Held {
                    ends,
                    ticket,
                    overtakers,
                }),
            }
        }
    }

    /// The first fault that has something to say about a packet in this phase.
    pub(crate) fn judge(&mut self, phase: Phase, packet: &Packet) -> Option<(FaultId, Verdict)> {
        if self.faults.is_idle() {
            return None;
        }
        let key = self.link_key((packet.sender, packet.receiver));
        let mut faults = self.faults.take_active();
        let verdict =
            faults
                .iter_mut()
                .find_map(|fault| match fault.judge(self.now, phase, packet, key) {
                    Verdict::Pass => None,
                    verdict => Some((fault.id(), verdict)),
                });
        self.faults.put_back(faults);
        self.end_spent_faults();
        verdict
    }

    /// What a local fault makes of a send; loopback needs neither route nor interface.
    pub(crate) fn refusal(
        &mut self,
        phase: Phase,
        route: Route,
        packet: &Packet,
    ) -> Option<SocketErrorKind> {
        if route == Route::Loopback {
            return None;
        }
        match self.judge(phase, packet) {
            Some((_, Verdict::Refuse(kind))) => Some(kind),
            Some((_, Verdict::Answer(kind))) => {
                if let Some(host) = packet.sender {
                    self.host_answers(host, kind, packet, self.cause);
                }
                Some(SocketErrorKind::NotPermitted)
            }
            _ => None,
        }
    }

    fn apply(
        &mut self,
        fault: &Armed,
        verdict: Verdict,
        arrival: &mut Arrival,
        passage: &mut Passage,
    ) -> ControlFlow<()> {
        let how = match verdict {
            Verdict::Pass | Verdict::Refuse(_) => return ControlFlow::Continue(()),
            Verdict::Lose | Verdict::Overflow | Verdict::Answer(_) | Verdict::Reset(_) => {
                let reason = match verdict {
                    Verdict::Overflow => LossReason::QueueFull(fault.id()),
                    _ => LossReason::Fault(fault.id()),
                };
                let packet = Arc::clone(&arrival.packet);
                let lost = self.lose(packet, reason, arrival.cause);
                match verdict {
                    Verdict::Answer(kind) => passage.answer = Some((kind, lost)),
                    Verdict::Reset(sides) => passage.reset = Some((sides, lost)),
                    _ => {}
                }
                return ControlFlow::Break(());
            }
            Verdict::Duplicate { copies, apart } => {
                for number in 1..=copies {
                    let copy = self.copy(fault, arrival);
                    passage.copies.push((
                        copy,
                        passage.latency.saturating_add(apart.saturating_mul(number)),
                    ));
                }
                return ControlFlow::Continue(());
            }
            Verdict::Delay(by) => {
                passage.latency = passage.latency.saturating_add(by);
                Alteration::Delayed { by }
            }
            Verdict::Hold {
                overtakers,
                at_most,
            } => {
                passage.latency = passage.latency.saturating_add(at_most);
                passage.overtakers = overtakers;
                Alteration::Reordered
            }
            Verdict::Replace(data, how) => {
                Arc::make_mut(&mut arrival.packet).payload.replace(data);
                how
            }
        };
        arrival.cause = self.record_altered(fault, Arc::clone(&arrival.packet), arrival.cause, how);
        ControlFlow::Continue(())
    }

    fn copy(&mut self, fault: &Armed, original: &Arrival) -> Arrival {
        let packet = Arc::new(Packet {
            id: self.next_packet(),
            ..Packet::clone(&original.packet)
        });
        let how = Alteration::Duplicated {
            of: original.packet.id,
        };
        Arrival {
            cause: self.record_altered(fault, Arc::clone(&packet), original.cause, how),
            packet,
        }
    }

    fn record_altered(
        &mut self,
        fault: &Armed,
        packet: Arc<Packet>,
        cause: RecordId,
        how: Alteration,
    ) -> RecordId {
        let event = Event::Altered {
            packet,
            fault: fault.id(),
            how,
        };
        self.record_caused(None, Some(cause), event)
    }

    /// Another packet of the link will arrive at `at`: those that were held back for it follow at once, unless their
    /// time came earlier.
    fn overtake(&mut self, ends: Ends, at: Instant) {
        let queue = &mut self.queue;
        self.faults.held.retain_mut(|held| {
            if held.ends != ends {
                return true;
            }
            held.overtakers -= 1;
            if held.overtakers == 0
                && let Some(happening) = queue.cancel(held.ticket)
            {
                queue.push(at, Rank::Ordinary, happening);
            }
            held.overtakers > 0
        });
    }

    fn link_key(&self, (from, to): Ends) -> Key {
        let part = |end: Option<HostId>| end.map_or(0, |host| self.topology.site(host).key);
        self.root.with_text("link").with(part(from)).with(part(to))
    }
}
