//! What the store does not take because it is too large. Events and turns are
//! bounded before they come here; this is the second defence, so that nothing
//! is tried for ever.

use crate::id::{Digest, EventId};
use crate::lane::writes::Write;
use crate::lane::{Effect, Lane};
use crate::log::{Outcome, SkipReason, Turn};
use crate::plan::{Plan, Step};
use crate::profile::Profile;
use crate::run::{Blame, FailureKind, RunFailure, RunOutput};
use crate::time::{MINUTE, Millis};

/// A turn of which even the failure is too large is tried again after so long:
/// what is delivered meanwhile makes room.
pub const TOO_LARGE_RETRY_MS: Millis = MINUTE;

/// An event whose turn the store did not take.
#[derive(Debug)]
pub(super) struct Oversized {
    event: EventId,
    /// What its failure is made with; nothing where nobody ran on it.
    ran: Option<(Digest, Profile)>,
    next_ms: Millis,
    told: bool,
}

impl Lane {
    /// What was to be written is too large, and nothing of it was written.
    pub(super) fn on_too_large(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        match self.writing.take() {
            Some(Write::Accept(events)) => self.refuse_unstored(events, effects),
            Some(Write::Commit(turn)) => self.shrink(&turn, now, effects),
            Some(Write::Record(_)) => self.on_call_too_large(),
            // These have no smaller form: they are tried again like after a failure.
            other @ (Some(Write::Load | Write::Settle(_)) | None) => {
                self.writing = other;
                self.on_store_failed(now, effects);
            }
        }
    }

    /// When an event whose turn was too large is tried again.
    pub(super) fn oversized_until(&self, event: &EventId) -> Option<Millis> {
        self.oversized.as_ref().filter(|known| known.event == *event).map(|known| known.next_ms)
    }

    /// The failure in which an event ends whose turn was too large.
    pub(super) fn too_large(&self, plan: &Plan<'_>, step: &Step, now: Millis) -> Option<Turn> {
        let event = &plan.arrival.event.id;
        let known = self.oversized.as_ref().filter(|known| known.event == *event)?;
        let (version, profile) = known.ran.as_ref()?;
        match step {
            Step::Skip(_) | Step::Relay(_) | Step::TimeOut(_) => None,
            Step::Run(_) => Some(plan.complete(failure(), *version, profile, now)),
            Step::StartFirst(start) => {
                let plan = Plan { arrival: start, ..*plan };
                Some(plan.complete(failure(), *version, profile, now))
            }
        }
    }

    /// The event ends in a failure of the bot, which changes next to nothing. A
    /// turn that is as small already waits until there is room.
    fn shrink(&mut self, turn: &Turn, now: Millis, effects: &mut Vec<Effect>) {
        let Some(event) = self.subject().map(|arrival| arrival.event.id.clone()) else { return };
        self.on_no_room();
        let (version, has_actions) = match &turn.outcome {
            Outcome::Ran { version, .. } => (Some(*version), true),
            Outcome::Failed { version, .. } => (Some(*version), false),
            Outcome::Skipped(_) => (None, false),
        };
        let before = self.oversized.take().filter(|known| known.event == event);
        let told = before.as_ref().is_some_and(|known| known.told);
        let ran = version.zip(self.profile.clone());
        if ran.is_some() && has_actions {
            self.oversized = Some(Oversized { event, ran, next_ms: now, told });
            return;
        }
        let next_ms = now + TOO_LARGE_RETRY_MS;
        if !told {
            effects.push(Effect::TooLarge { event: event.clone(), next_ms });
        }
        self.oversized = Some(Oversized { event, ran, next_ms, told: true });
    }

    /// Whoever brought these events is told that they are not stored.
    fn refuse_unstored(&mut self, events: usize, effects: &mut Vec<Effect>) {
        let from = self.unstored_from();
        // A finished turn may stand on an event that is refused now, as its own or as
        // the one that takes its place.
        let superseded = Outcome::Skipped(SkipReason::Superseded);
        let stands_on_it = self.finished.as_ref().is_some_and(|turn| turn.outcome == superseded);
        if (from == 0 && self.timer.is_none()) || stands_on_it {
            self.finished = None;
        }
        let to = self.queue.len().min(from + events);
        let refused = self.queue.drain(from..to).collect();
        self.refuse(refused, effects);
    }
}

fn failure() -> RunOutput {
    let message = "the turn needs more room than the store gives a conversation: keep less in \
                   the context and in values, and say less in one turn";
    let failure =
        RunFailure { blame: Blame::Bot, kind: FailureKind::Output, message: message.to_owned() };
    RunOutput::failed(failure)
}
