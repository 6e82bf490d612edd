//! A transaction with its messages.
//!
//! Owns what a machine's effects mean in messages: which one to send again, which one to hand up.

use std::net::SocketAddr;

use super::ack::acknowledge;
use super::key::Key;
use super::{Action, Effect, Machine, Output, Report, TransactionId};
use crate::Instant;
use crate::sip::{Message, Method, Status};

#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) machine: Machine,
    pub(super) key: Key,
    pub(super) request: Message,
    /// Server: the latest response.
    pub(super) response: Option<Message>,
    pub(super) destination: SocketAddr,
    /// Client: whether it goes over TCP for its size alone (RFC 3261 §18.1.1).
    pub(super) moved: bool,
    pub(super) deadline: Option<Instant>,
    /// [`Machine::lingers`], as of the latest deadline.
    pub(super) lingers: bool,
}

/// What comes with an event.
pub(super) enum Carried {
    Nothing,
    /// From the wire.
    Came(Message, SocketAddr),
    /// From the transaction user.
    Goes(Message),
}

impl Transaction {
    /// What an effect means.
    pub(super) fn output(
        &mut self,
        id: TransactionId,
        effect: Effect,
        carried: &mut Carried,
        out: &mut Vec<Output>,
    ) {
        let (transaction, machine) = (id, self.machine.kind());
        let output = match effect {
            Effect::Entered { from, to, on } => Output::Report(Report::State {
                transaction,
                machine,
                from,
                to,
                on,
            }),
            Effect::TimerSet(timer, at) => Output::Report(Report::TimerSet {
                transaction,
                timer,
                at,
            }),
            Effect::TimerFired(timer) => Output::Report(Report::TimerFired { transaction, timer }),
            Effect::TimerCancelled(timer) => {
                Output::Report(Report::TimerCancelled { transaction, timer })
            }
            Effect::TimedOut(timer) => Output::Timeout { transaction, timer },
            Effect::Do(Action::TransportFailed) => Output::TransportError { transaction },
            Effect::Do(Action::Deliver) => match self.deliver(id, carried) {
                Some(output) => output,
                None => return,
            },
            Effect::Do(action) => match self.message_for(action, carried) {
                Some(message) => Output::Send {
                    transaction,
                    destination: self.destination,
                    message,
                },
                None => return,
            },
        };
        out.push(output);
    }

    fn deliver(&self, transaction: TransactionId, carried: &mut Carried) -> Option<Output> {
        let Carried::Came(message, source) = std::mem::replace(carried, Carried::Nothing) else {
            return None;
        };
        Some(match message.method() {
            _ if !message.is_request() => Output::Response {
                transaction,
                message,
            },
            Method::Ack => Output::Ack {
                transaction: Some(transaction),
                message,
                source,
            },
            _ => Output::Request {
                transaction,
                message,
                source,
            },
        })
    }

    /// What to send; `None` where a repeated request finds that nothing was answered yet.
    fn message_for(&mut self, action: Action, carried: &mut Carried) -> Option<Message> {
        match action {
            Action::Ack => match carried {
                Carried::Came(response, _) => Some(acknowledge(&self.request, response)),
                _ => None,
            },
            Action::Trying => {
                self.response = Some(Message::response_to(&self.request, Status::TRYING, None));
                self.response.clone()
            }
            Action::Send if self.machine.kind().is_client() => Some(self.request.clone()),
            _ => {
                if let Carried::Goes(response) = std::mem::replace(carried, Carried::Nothing) {
                    self.response = Some(response);
                }
                self.response.clone()
            }
        }
    }
}
