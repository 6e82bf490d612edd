//! What a line does for its call: what the caller hears, and how a leg begins and ends.

use std::rc::Rc;

use bytes::Bytes;
use linefault_protocol::Instant;
use linefault_protocol::audiosocket::session::{Asker, Ending, Failure, Input};
use linefault_protocol::audiosocket::{Frame, Uuid};

use super::super::calls::{Answer, Inbox, Wish};
use super::super::{Flow, TalksUntil, log};
use super::speech::{News, Speech};
use super::{HANGING_UP, Line};
use crate::checkpoint::{always, reached};
use crate::token_client::Happening;
use crate::{Host, Report};

impl Line {
    /// Sends the next 20 ms of what the caller hears.
    pub(super) fn talk(&mut self) {
        let rate = self.rate;
        let samples = match self.service.config.flow {
            Flow::Tone | Flow::Speech(_) => rate.tone(),
            _ => rate.silence(),
        };
        self.send(Frame::Audio { rate, samples }.encode());
    }

    pub(super) fn send(&mut self, frame: Bytes) {
        if !self.hanging_up || self.service.config.talks_until == TalksUntil::Close {
            self.outbox.push(frame);
        }
    }

    pub(super) fn open(&mut self, call: Uuid) {
        let (leg, peer) = (self.leg.name(), self.stream.peer_address());
        always!(
            self.service.host,
            self.service.is_free(call, self.leg),
            "a leg has one connection"
        );
        let id = self.service.enter(call, self.leg, &self.inbox);
        self.call = Some((call, id));
        self.service.host.report(Report::Opened {
            kind: "session",
            id,
            label: format!("{call}/{leg}"),
            target: None,
        });
        tracing::info!(%call, leg, %peer, "call connected");
        let now = self.service.host.now();
        self.hang_up_at = self.service.config.hang_up_after.map(|after| now + after);
        match self.service.config.flow {
            Flow::Tone | Flow::Silence => self.next_frame = Some(now),
            Flow::Speech(tokens) => {
                self.speech = Some(Speech::begin(&self.service.host, tokens, id));
            }
            Flow::Bridge | Flow::Echo => {}
        }
    }

    /// Takes what the token service said.
    pub(super) fn listen(&mut self, told: Happening) {
        let now = self.service.host.now();
        let Some(speech) = &mut self.speech else {
            return;
        };
        let news = speech.take(told, now);
        if matches!(news, News::Failed) {
            reached!(
                self.service.host,
                "the token service had no answer to speak"
            );
        }
        match news {
            News::Failed if !self.service.config.hangs_up_without_answer => {}
            News::None => {}
            News::Words => self.next_frame = self.next_frame.or(Some(now)),
            News::Failed => self.tell(Input::HangUp(Asker::Flow)),
        }
    }

    /// Whether the caller is to hear something then.
    pub(super) fn has_more(&self, at: Instant) -> bool {
        let speech = self.speech.as_ref();
        speech.is_none_or(|speech| speech.is_speaking(at))
    }

    pub(super) fn hear(&mut self, frame: &Frame) {
        match frame {
            Frame::Audio { rate, .. } => self.rate = *rate,
            Frame::Dtmf(key) => {
                let key = key.escape_ascii();
                let (call, leg) = (self.call_name(), self.leg.name());
                tracing::info!(call, leg, %key, "DTMF");
            }
            _ => {}
        }
        match self.service.config.flow {
            Flow::Echo => self.send(frame.encode()),
            Flow::Bridge => {
                if let Some(other) = self.other_leg() {
                    other.push(Wish::Send(frame.encode()));
                }
            }
            Flow::Tone | Flow::Silence | Flow::Speech(_) => {}
        }
    }

    fn other_leg(&self) -> Option<Rc<Inbox>> {
        let (call, _) = self.call?;
        self.service.find(call, self.leg.other())
    }

    pub(super) fn hang_up(&mut self, by_request: bool) {
        self.hanging_up = true;
        self.hang_up_at = None;
        self.fall_silent();
        if self.service.config.talks_until == TalksUntil::HangUp {
            self.next_frame = None;
        }
        self.outbox.hang_up();
        if by_request && let Err(injected) = self.service.host.at_point(HANGING_UP) {
            self.error = Some(injected.to_string());
            self.tell(Input::Failed(Failure::Other));
        }
    }

    fn fall_silent(&mut self) {
        if let Some(speech) = &mut self.speech {
            speech.stop();
        }
    }

    /// The program failed in the middle of it.
    pub(super) fn fall(&mut self) {
        let (call, leg) = (self.call_name(), self.leg.name());
        let peer = self.stream.peer_address();
        tracing::error!(call, leg, %peer, "the program failed: connection closed");
        self.leave(true);
        self.answer(&Answer::Failed("the program failed".to_owned()));
    }

    /// Tells the other leg, and forgets the session if that is wanted.
    fn leave(&self, removes: bool) {
        let Some((call, id)) = self.call else { return };
        if self.service.config.flow == Flow::Bridge
            && let Some(other) = self.other_leg()
        {
            other.push(Wish::HangUp(Asker::Flow, None));
        }
        if removes {
            self.service.remove(call, self.leg);
            self.service.host.report(Report::Closed {
                kind: "session",
                id,
            });
        }
    }

    pub(super) fn end(&mut self, ending: &Ending) {
        self.over = true;
        mark(&self.service.host, ending);
        self.fall_silent();
        let reaction = self.service.config.reactions.of(ending);
        let (peer, leg) = (self.stream.peer_address(), self.leg.name());
        let (call, error) = (self.call_name(), &self.error);
        let (detail, text) = (detail(ending), reaction.text);
        log!(reaction.level, call, leg, %peer, error = error.as_deref(), detail, "{text}");
        self.leave(reaction.removes);
        if !reaction.listens {
            self.service.stop(self.leg);
        }
        let answer = match ending {
            Ending::NotSent(_, Failure::Other) => {
                Answer::Failed(self.error.take().unwrap_or_else(|| text.to_owned()))
            }
            _ => Answer::Gone,
        };
        self.answer(&answer);
    }
}

/// Marks the ways to end that a campaign should see.
fn mark(host: &Host, ending: &Ending) {
    match ending {
        Ending::Closed => reached!(host, "the peer closed after the hang-up"),
        Ending::BrokenAfterHangUp(_) => {
            reached!(host, "the peer reset the connection after the hang-up");
        }
        Ending::CloseTimedOut => reached!(host, "the peer did not close in time"),
        Ending::NotSent(..) => reached!(host, "a hang-up found the connection gone"),
        Ending::WrongFirstFrame(_) => reached!(host, "a first frame was no UUID"),
        Ending::NoFrame(_) => reached!(host, "a peer sent what is no frame"),
        Ending::Taken(_) => reached!(host, "a call was taken already"),
        Ending::PeerError(_) => reached!(host, "a peer reported an error"),
        _ => {}
    }
}

/// What a reader wants to know of an ending besides its name.
fn detail(ending: &Ending) -> Option<String> {
    match ending {
        Ending::WrongFirstFrame(frame) | Ending::WrongFrame(frame) => Some(frame.to_string()),
        Ending::NoFrame(error) => Some(error.to_string()),
        Ending::Taken(call) => Some(call.to_string()),
        Ending::PeerError(code) => Some(format!("0x{code:02x}")),
        _ => None,
    }
}
