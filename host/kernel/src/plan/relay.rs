//! Turns of a conversation that an external bot has.

use crate::action::{Action, ForwardTarget};
use crate::event::{EventBody, ForwardFailed, Returned};
use crate::id::Digest;
use crate::log::{Conversation, Outcome, SkipReason, Turn};
use crate::owner::Owner;
use crate::plan::{Draft, Plan, Step, skipped};
use crate::profile::Profile;
use crate::relay::{self, Patience};
use crate::run::{LogLevel, LogLine};
use crate::time::Millis;

impl Conversation {
    /// What tells the bot that an external bot has the conversation no longer.
    pub(crate) fn relay_over(&self) -> Option<EventBody> {
        let relay = self.relay.as_ref().filter(|_| self.owner == Owner::Relay)?;
        let over = relay.over()?;
        let reason = Some(format!("the external bot `{}`: {}", relay.bot, over.reason));
        Some(if over.failed {
            EventBody::ForwardFailed(ForwardFailed { reason })
        } else {
            EventBody::Returned(Returned { reason })
        })
    }

    /// When an external bot that has the conversation has owed the person a word for too
    /// long, if it says nothing until then.
    pub(crate) fn relay_silent_at(&self) -> Option<Millis> {
        self.relay.as_ref().filter(|_| self.owner == Owner::Relay)?.silent_at()
    }
}

/// The line about what an external bot says when it has the conversation no longer.
pub(super) fn unheard(body: &EventBody) -> Option<LogLine> {
    let message = relay::unheard(body)?;
    Some(LogLine { level: LogLevel::Warn, message })
}

impl Plan<'_> {
    /// What is to be done with an event that concerns an external bot.
    pub(super) fn relay_step(&self) -> Option<Step> {
        let body = &self.arrival.event.body;
        let has_it = self.owner() == Owner::Relay && self.state.relay.is_some();
        // The pages of its menus are the host's, as those of the bot's are.
        if has_it && self.page().is_some() {
            return Some(Step::Skip(SkipReason::NextPage));
        }
        if has_it && (body.is_speech() || relay::is_relays(body)) {
            return Some(Step::Relay(self.enter().1.facts.medium));
        }
        // It speaks too late.
        relay::is_relays(body).then_some(Step::Skip(SkipReason::Relayed))
    }

    /// The turn of an event between the person and an external bot, made `now`.
    pub(super) fn relayed(&self, profile: &Profile, now: Millis) -> Turn {
        let mut draft = Draft::new(self, profile, Vec::new(), now, false);
        draft.speaker = Owner::Relay;
        let (event, _) = self.enter();
        if let Some(mut relay) = draft.state.relay.take() {
            let patience = self.patience(now);
            let follows = relay.on(&event, &draft.state.facts, self.turn_id(), patience);
            draft.state.relay = Some(relay);
            if let Some(update) = follows.contact {
                draft.state.learn_contact(&update);
            }
            for note in follows.notes {
                draft.note(note);
            }
            draft.apply(&follows.actions, Digest::of(&[]));
        }
        let (mut state, mut log) = draft.finish();
        if event.body.is_speech() {
            skipped::keep(&mut state, &event, &mut log);
        }
        self.turn(state, Outcome::Skipped(SkipReason::Relayed), log, Vec::new())
    }

    /// For how long an external bot may owe the person a word from `now` on.
    pub(super) fn patience(&self, now: Millis) -> Patience {
        Patience { now, after_ms: self.policy.relay_returns_after_ms }
    }

    /// The external bot of the tenant's that an action hands over to.
    pub(super) fn relay_of<'a>(&self, action: &'a Action) -> Option<&'a str> {
        let Action::Forward(forward) = action else { return None };
        let ForwardTarget::Bot(name) = &forward.target else { return None };
        self.policy.relays.contains(name).then_some(name)
    }
}
