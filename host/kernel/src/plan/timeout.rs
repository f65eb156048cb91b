//! The end of a session in which the person says nothing more, where the host
//! and not the vendor looks after it.

use crate::action::{Action, Forward, ForwardTarget};
use crate::event::{Event, EventBody};
use crate::id::{Digest, EventId};
use crate::log::{Conversation, Outcome, SkipReason, Turn};
use crate::owner::Owner;
use crate::plan::returns::is_return;
use crate::plan::{Draft, Plan};
use crate::profile::Profile;
use crate::time::Millis;

/// What the host does when a person says nothing for too long. The bot is not
/// told, as it is not told of a vendor's own timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimeout {
    /// For how long.
    pub after_ms: Millis,
    /// What is done then.
    pub then: TimeoutAction,
}

/// What is done when a session's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutAction {
    /// The session ends.
    End,
    /// The bot leaves the conversation to whoever takes it.
    Unassign,
    /// The conversation is handed to any human.
    Forward,
}

impl TimeoutAction {
    /// What it is to the vendor.
    pub fn action(self) -> Action {
        match self {
            Self::End => Action::End,
            Self::Unassign => Action::Abort,
            Self::Forward => {
                Action::Forward(Forward { target: ForwardTarget::Any, on_failure: None })
            }
        }
    }
}

/// The id of the event that ends a session at this time, after so many turns.
pub fn session_timeout_id(turns: u64, at_ms: Millis) -> EventId {
    EventId(format!("timeout.{turns}.{at_ms}"))
}

/// Whether it is the host's own event for the end of a session's time.
pub(super) fn is_session_timeout(event: &Event) -> bool {
    event.id.as_str().starts_with("timeout.")
}

impl Conversation {
    /// When the session's time is over, as long as nobody else has it.
    pub fn times_out_at(&self) -> Option<Millis> {
        let session = self.session.as_ref().filter(|_| self.owner == Owner::Bot)?;
        session.times_out_ms
    }
}

impl Plan<'_> {
    /// When the session's time is over after this event; nothing changes where
    /// no person caused it.
    pub(super) fn times_out(&self, body: &EventBody, before: Option<Millis>) -> Option<Millis> {
        let timeout = self.policy.session_timeout?;
        let after = self.arrival.event.received_ms.saturating_add(timeout.after_ms);
        if self.begins_anew(body, before) { Some(after) } else { before }
    }

    /// Whoever waited long for a turn has as much time to answer it as anybody.
    pub(super) fn begin_time_anew(&self, state: &mut Conversation, made_ms: Millis) {
        let Some(timeout) = self.policy.session_timeout else { return };
        if let Some(session) = &mut state.session
            && self.begins_anew(&self.arrival.event.body, session.times_out_ms)
        {
            let made = made_ms.saturating_add(timeout.after_ms);
            session.times_out_ms = session.times_out_ms.max(Some(made));
        }
    }

    /// Whether the person's time to answer begins anew: somebody wrote, or the bot has
    /// the conversation again. A session that the host itself begins for an event of
    /// another kind has the time of that start. Where nobody spoke and so the host gives
    /// the conversation back, or a hand-off failed, time that is over stays over: handed
    /// over and given back, the conversation would go to and fro for ever.
    fn begins_anew(&self, body: &EventBody, before: Option<Millis>) -> bool {
        let failed = matches!(body, EventBody::ForwardFailed(_));
        let over = before.is_none() && (failed || is_return(&self.arrival.event));
        let back = matches!(body, EventBody::Start(_) | EventBody::Returned(_));
        body.is_speech() || (back || failed) && !over
    }

    /// The turn at the end of a session's time. A conversation that nobody can take
    /// ends.
    pub(super) fn time_out(&self, profile: &Profile) -> Turn {
        let now = self.arrival.event.received_ms;
        let mut draft = Draft::new(self, profile, Vec::new(), now, false);
        (draft.quiet, draft.by_host) = (true, true);
        if let Some(session) = &mut draft.state.session {
            session.times_out_ms = None;
        }
        if let Some(timeout) = self.policy.session_timeout {
            let version = Digest::of(&[]);
            draft.apply(&[timeout.then.action()], version);
            if !draft.ended && draft.state.owner == Owner::Bot {
                draft.apply(&[Action::End], version);
            }
        }
        // The hand-off is the host's own: where it fails, no bot asked for it.
        draft.state.host_hand_off = draft.state.owner == Owner::HandingOff;
        let (state, log) = draft.finish();
        self.turn(state, Outcome::Skipped(SkipReason::SessionTimeout), log, Vec::new())
    }
}
