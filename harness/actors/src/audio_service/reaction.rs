//! What the end of a leg leads to, row by row as report C has it.

use linefault_protocol::audiosocket::session::{Asker, Ending, Failure};
use tracing::Level;

/// What follows from one way to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The level of its log line.
    pub level: Level,
    /// The line.
    pub text: &'static str,
    /// Whether the session is forgotten.
    pub removes: bool,
    /// Whether the port accepts the next call.
    pub listens: bool,
}

/// The reactions that are a matter of policy: how a leg ends once somebody wants to hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reactions {
    /// The peer closed after the hang-up.
    pub closed: Reaction,
    /// It reset the connection after the hang-up.
    pub reset: Reaction,
    /// It did not close in time.
    pub timed_out: Reaction,
    /// Another error after the hang-up.
    pub failed: Reaction,
    /// The hang-up found the connection reset.
    pub not_sent_reset: Reaction,
    /// The call flow's hang-up found another error.
    pub flow_failed: Reaction,
    /// The HTTP API's hang-up found another error.
    pub request_failed: Reaction,
}

impl Reactions {
    /// Report C, repaired.
    pub const INCIDENT: Self = Self {
        closed: info("socket closed and free for new connections"),
        reset: info("reset after hang-up: normal"),
        timed_out: info("timed out waiting for close: socket aborted"),
        failed: warn("closing after hang-up failed"),
        not_sent_reset: info("the peer was gone before the hang-up"),
        flow_failed: warn("hang-up not sent"),
        request_failed: Reaction {
            level: Level::ERROR,
            ..warn("hang-up not sent")
        },
    };

    /// What that ending leads to. What the network does is WARN, what a peer does wrong INFO (report B).
    #[must_use]
    pub const fn of(&self, ending: &Ending) -> Reaction {
        match ending {
            Ending::Closed => self.closed,
            Ending::BrokenAfterHangUp(Failure::Reset) => self.reset,
            Ending::BrokenAfterHangUp(Failure::Other) => self.failed,
            Ending::CloseTimedOut => self.timed_out,
            Ending::NotSent(_, Failure::Reset) => self.not_sent_reset,
            Ending::NotSent(Asker::Flow, Failure::Other) => self.flow_failed,
            Ending::NotSent(Asker::Request, Failure::Other) => self.request_failed,
            Ending::WrongFirstFrame(_) => info("first frame is no UUID"),
            Ending::Taken(_) => info("another connection is this leg of the call"),
            Ending::WrongFrame(_) => info("a frame that has no place in a call"),
            Ending::NoFrame(_) => info("what came is no frame"),
            Ending::PeerHungUp => info("the peer hung up"),
            Ending::PeerError(_) => info("the peer reported an error"),
            Ending::ClosedByPeer => info("the peer closed without a hang-up"),
            Ending::NoFirstFrame => warn("no first frame in time"),
            Ending::Broken(Failure::Reset) => warn("reset by the peer without a hang-up"),
            Ending::Broken(Failure::Other) => warn("connection lost"),
        }
    }
}

const fn info(text: &'static str) -> Reaction {
    Reaction {
        level: Level::INFO,
        text,
        removes: true,
        listens: true,
    }
}

const fn warn(text: &'static str) -> Reaction {
    Reaction {
        level: Level::WARN,
        ..info(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Report C's table, row by row: any row at another level, or that keeps the session or closes the port, is the incident.
    #[test]
    fn the_rows_are_the_reports() {
        let rows = [
            (Ending::Closed, Level::INFO),
            (Ending::BrokenAfterHangUp(Failure::Reset), Level::INFO),
            (Ending::CloseTimedOut, Level::INFO),
            (Ending::BrokenAfterHangUp(Failure::Other), Level::WARN),
            (Ending::NotSent(Asker::Flow, Failure::Reset), Level::INFO),
            (Ending::NotSent(Asker::Flow, Failure::Other), Level::WARN),
            (Ending::NotSent(Asker::Request, Failure::Reset), Level::INFO),
            (
                Ending::NotSent(Asker::Request, Failure::Other),
                Level::ERROR,
            ),
        ];
        for (ending, level) in rows {
            let reaction = Reactions::INCIDENT.of(&ending);
            assert_eq!(reaction.level, level, "{ending:?}");
            assert!(reaction.removes && reaction.listens, "{ending:?}");
        }
    }
}
