//! Session timers, RFC 4028: a call whose other end has vanished ends by itself.
//!
//! Owns the interval and who refreshes, as negotiated by each INVITE and UPDATE, refreshing at half time, and the BYE when
//! no refresh came. Refuses to be a proxy that inserts timers (§8).

use std::time::Duration;

use super::call::{Call, Phase};
use super::extensions::{Refresh, SessionTimer, TIMER};
use super::{Ending, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::{Message, Refresher, SessionExpires};

/// The longest time before its expiry at which a session is ended.
// RFC 4028 §10
const AHEAD: Duration = Duration::from_secs(32);
/// The shortest interval there is; a peer that says less means this.
// RFC 4028 §4
const SHORTEST: Duration = Duration::from_secs(90);

/// The session of one call runs out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    interval: Duration,
    /// Whether this side refreshes.
    ours: bool,
    /// When it does so next.
    refresh_at: Option<Instant>,
    /// When the call ends unless it was refreshed.
    end_at: Instant,
}

impl Clock {
    // RFC 4028 §7.2: half time; §10: the lesser of 32 s and a third of the interval ahead of its end.
    fn new(now: Instant, interval: Duration, ours: bool, refresh: Refresh) -> Self {
        let refreshes = ours && refresh != Refresh::Never;
        Self {
            interval,
            ours,
            refresh_at: refreshes.then(|| now + interval / 2),
            end_at: now + (interval - AHEAD.min(interval / 3)),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.refresh_at
            .map_or(self.end_at, |at| at.min(self.end_at))
    }
}

impl UserAgent {
    /// Asks for a session timer, in an INVITE or UPDATE of that call, or of one that is only just made.
    // RFC 4028 §7.1; §7.4: later requests name who refreshes already.
    pub(super) fn ask_for_timer(&self, call: Option<u64>, request: &mut Message) {
        let Some(timer) = self.config.extensions.timer else {
            return;
        };
        let call = call.and_then(|call| self.calls.get(&call));
        let clock = call.and_then(|call| call.clock);
        let least = call.and_then(|call| call.least_interval);
        let (wanted, refresher) = match clock {
            Some(clock) if clock.ours => (clock.interval, Some(Refresher::Uac)),
            Some(clock) => (clock.interval, Some(Refresher::Uas)),
            None => (timer.expires, timer.refresher),
        };
        let seconds = wanted.max(least.unwrap_or_default()).as_secs();
        request.set("Session-Expires", &session_expires(seconds, refresher));
        request.set(
            "Min-SE",
            &least.unwrap_or(timer.least).as_secs().to_string(),
        );
    }

    /// Grants a session timer in the 2xx to an INVITE or UPDATE.
    // RFC 4028 §9 and Table 2
    pub(super) fn grant_timer(
        &mut self,
        turn: &UserAgentTurn<'_>,
        id: u64,
        request: &Message,
        ok: &mut Message,
    ) {
        let Some(timer) = self.config.extensions.timer else {
            return;
        };
        let asked = request.session_expires().ok().flatten();
        let interval = granted(&timer, asked, request);
        let refresher = match asked.and_then(|asked| asked.refresher) {
            _ if !request.knows(TIMER) => Refresher::Uas,
            Some(refresher) => refresher,
            None => timer.refresher.unwrap_or(Refresher::Uac),
        };
        if refresher == Refresher::Uac {
            ok.append("Require", TIMER);
        }
        let value = session_expires(interval.as_secs(), Some(refresher));
        ok.append("Session-Expires", &value);
        if let Some(call) = self.calls.get_mut(&id) {
            let ours = refresher == Refresher::Uas;
            call.clock = Some(Clock::new(turn.now, interval, ours, timer.refresh));
        }
    }

    /// Takes what the 2xx to an INVITE or UPDATE of ours grants.
    // RFC 4028 §7.2: without Session-Expires the session has no end any more.
    pub(super) fn timer_granted(&mut self, turn: &UserAgentTurn<'_>, id: u64, response: &Message) {
        let (Some(timer), Some(call)) = (self.config.extensions.timer, self.calls.get_mut(&id))
        else {
            return;
        };
        let granted = response.session_expires().ok().flatten();
        call.clock = granted.map(|granted| {
            let interval = seconds(granted);
            let ours = granted.refresher != Some(Refresher::Uas);
            Clock::new(turn.now, interval, ours, timer.refresh)
        });
    }

    /// Takes note of a 422. Returns whether the request is worth another try, with a longer interval.
    // RFC 4028 §7.3
    pub(super) fn interval_too_small(&mut self, id: u64, response: &Message) -> bool {
        let (Some(timer), Some(call)) = (self.config.extensions.timer, self.calls.get_mut(&id))
        else {
            return false;
        };
        let Ok(Some(least)) = response.min_se() else {
            return false;
        };
        let least = Duration::from_secs(least.into());
        let before = call.clock.map_or(timer.expires, |clock| clock.interval);
        let longer = least > before.max(call.least_interval.unwrap_or_default());
        if longer {
            call.least_interval = Some(least);
        }
        longer
    }

    /// Refreshes or ends the session of a call, whichever is due.
    pub(super) fn session_is_due(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let t2 = turn.layer.timers().t2;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let quiet = call.reinvite.is_none() && call.unacknowledged.is_none();
        let Some(clock) = &mut call.clock else {
            return;
        };
        if clock.end_at <= turn.now {
            return self.bye(turn, id, Ending::Expired);
        }
        match self.config.extensions.timer.map(|timer| timer.refresh) {
            Some(Refresh::Reinvite) if quiet => {
                clock.refresh_at = None;
                self.send_reinvite(turn, id);
            }
            // RFC 3261 §14.1: one INVITE of a dialog at a time.
            Some(Refresh::Reinvite) => clock.refresh_at = Some(turn.now + t2),
            Some(Refresh::Update) => {
                clock.refresh_at = None;
                self.send_update(turn, id);
            }
            Some(Refresh::Never) | None => clock.refresh_at = None,
        }
    }
}

impl Call {
    /// When its session is refreshed or ends.
    pub(super) fn session_deadline(&self) -> Option<Instant> {
        let up = matches!(self.phase, Phase::Up);
        self.clock.filter(|_| up).map(|clock| clock.deadline())
    }
}

// RFC 4028 §9: never longer than asked for, never shorter than who asked bears.
fn granted(timer: &SessionTimer, asked: Option<SessionExpires>, request: &Message) -> Duration {
    let least = request.min_se().ok().flatten().unwrap_or_default();
    let wanted = timer.expires.max(Duration::from_secs(least.into()));
    match asked {
        Some(asked) => wanted.min(seconds(asked)),
        None => wanted,
    }
}

fn seconds(value: SessionExpires) -> Duration {
    Duration::from_secs(value.seconds.into()).max(SHORTEST)
}

fn session_expires(seconds: u64, refresher: Option<Refresher>) -> String {
    match refresher {
        Some(Refresher::Uac) => format!("{seconds};refresher=uac"),
        Some(Refresher::Uas) => format!("{seconds};refresher=uas"),
        None => seconds.to_string(),
    }
}
